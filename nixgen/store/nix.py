"""How Nix's programs are run: with which settings, and with a directory for what a killed one leaves."""

from __future__ import annotations

import contextlib
import grp
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from nixgen.errors import NixError
from nixgen.store import programs
from nixgen.temporary import temporary_directory


class Nix:
    """Nix's programs, for the store that the environment (``NIX_REMOTE``, ``NIX_STORE_DIR``, …) names.

    Args:
        options: further Nix settings by name, as ``--option`` takes them.
    """

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._options = {**_single_user_options(), **(options or {})}

    def setting(self, name: str) -> object:
        """Return the value of one of Nix's settings, None where this Nix has none of that name."""
        return self._settings().get(name, {}).get("value")

    def _settings(self) -> dict[str, dict[str, object]]:
        flags = ("--extra-experimental-features", "nix-command")
        try:
            text = self._run("nix", *flags, "show-config", "--json")
        except NixError:
            text = self._run("nix", *flags, "config", "show", "--json")  # its name from 2.20 on
        settings: dict[str, dict[str, object]] = json.loads(text)
        return settings

    @contextlib.contextmanager
    def _scratch(self) -> Iterator[Path | None]:
        """Give a TMPDIR for a command that may build, so that what a killed Nix leaves there is ours to remove.

        None where the user wants to look at what a failed build leaves.
        """
        if self._options.get("keep-failed", "false") != "false":
            yield None
            return
        with temporary_directory() as directory:
            directory.chmod(0o711)  # builders may be other users
            yield directory

    def _run(
        self,
        program: str,
        *arguments: str,
        read: Callable[[str], None] | None = None,
        given: str | None = None,
        temporary: Path | None = None,
    ) -> str:
        return programs.run(program, arguments, self._options, read=read, given=given, temporary=temporary)


def _single_user_options() -> dict[str, str]:
    """Return what Nix needs to build as root on a machine without build users, as a bare nix-bin leaves it."""
    if os.geteuid() != 0 or os.environ.get("NIX_REMOTE"):
        return {}
    try:
        grp.getgrnam("nixbld")
    except KeyError:
        return {"build-users-group": ""}
    return {}
