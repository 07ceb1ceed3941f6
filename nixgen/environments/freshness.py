"""Whether a lock still fits what it was made from, as far as files tell without resolving."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from nixgen.errors import InputError
from nixgen.fingerprint import changed
from nixgen.names import LOCK_NAME
from nixgen.observer import Observer

#: What to do about inputs that have changed: say so, refuse to go on, or do not look (uv's --locked and --frozen).
Check = Literal["note", "locked", "frozen"]


def check_inputs(base: Path, check: Check, observer: Observer) -> None:
    """Compare the inputs of a project's lock with what they said when it was made.

    Args:
        base: the project's directory.
        check: what to do where they have changed.
        observer: is told where that is to say so.

    Raises:
        InputError: they have changed, and ``check`` is "locked"; or there is no lock that can be read.
    """
    if check == "frozen":
        return
    names = changed(inputs_of(base / LOCK_NAME), base)
    if not names:
        return
    what = f"{', '.join(names)} {'has' if len(names) == 1 else 'have'} changed since the lock was made"
    if check == "locked":
        raise InputError(what, where=str(base / LOCK_NAME), todo="run `nixgen lock`, or leave out --locked")
    observer.note(f"{what}: run `nixgen lock` to take that in, or give --frozen")


def inputs_of(path: Path) -> Mapping[str, str]:
    """Return what a lock says of its inputs, without making sense of the rest: every build asks."""
    try:
        said = json.loads(path.read_bytes())["inputs"]
        if isinstance(said, dict):
            return said
    except (OSError, ValueError, KeyError, TypeError):
        pass
    # Imported here: a lock that is one does not get here.
    from nixgen.lock import Lock

    return Lock.from_file(path).inputs
