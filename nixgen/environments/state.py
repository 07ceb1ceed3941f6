"""How far a project has come: what there is to do next in its directory."""

from __future__ import annotations

from enum import Enum
from pathlib import Path

from nixgen.environments.freshness import inputs_of
from nixgen.errors import InputError
from nixgen.fingerprint import changed
from nixgen.inputs.discover import find_input
from nixgen.names import LOCK_NAME


class State(Enum):
    """How far it is."""

    EMPTY = "nothing says which packages are wanted"
    WANTED = "something does, and there is no lock"
    STALE = "there is a lock, of other inputs"
    LOCKED = "there is a lock, and no environment"
    BUILT = "there is an environment"


def state_of(base: Path) -> State:
    """Return how far the project of a directory is.

    Raises:
        InputError: its lock cannot be read, or what is there says not which packages are wanted and why.
    """
    lock = base / LOCK_NAME
    if not lock.is_file():
        try:
            find_input(base)
        except InputError:
            return State.EMPTY
        return State.WANTED
    if changed(inputs_of(lock), base):
        return State.STALE
    built = (base / "result").exists() or (base / ".venv" / ".nixgen").is_dir()
    return State.BUILT if built else State.LOCKED
