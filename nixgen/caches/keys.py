"""Which of Nix's secret keys sign what is pushed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from nixgen.errors import InputError
from nixgen.store import Store

#: A name, and a secret key of Ed25519 with its public one.
_KEY = re.compile(r"[^:\s]+:[A-Za-z0-9+/]{86}==\s*")


def sign_keys(files: Iterable[Path], store: Store) -> list[Path]:
    """Return the files of the keys to sign with: those given, else those of Nix's setting ``secret-key-files``.

    Raises:
        InputError: one cannot be read, or holds no key.
    """
    said = store.setting("secret-key-files")
    found = [*files] or [Path(one) for one in (said if isinstance(said, list) else str(said or "").split())]
    for file in found:
        todo = "make one: nix key generate-secret --key-name NAME > FILE"
        try:
            text = file.read_text(encoding="utf-8", errors="replace")
        except OSError as error:
            raise InputError(f"the key cannot be read: {error.strerror}", where=str(file), todo=todo) from error
        if not _KEY.fullmatch(text):
            raise InputError("this is no secret key of Nix's", where=str(file), todo=todo)
    return found
