"""Which of a project's two environments the last change was of: going back takes back that change, and no older one.

Each knows the one that it had before. But where the last lock has changed npm's packages alone, that of Python's is
older than what ``node_modules`` had before, and belongs to another lock.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from nixgen.cache import cache_directory
from nixgen.environments.kinds import Kinds

from .node_modules import modules_environment
from .program import is_mounted, named_below

PYTHON, NPM = "python", "npm"


@contextlib.contextmanager
def remembering(kinds: Kinds, base: Path, directory: Path) -> Iterator[None]:
    """Remember which environments are others after a block than before; where none is, what was remembered stays.

    Args:
        kinds: what the lock has: of one environment there is nothing to remember.
        base: the project's directory.
        directory: its virtual environment.
    """
    if not (kinds.python and kinds.npm):
        yield
        return
    before = _standing(base, directory)
    try:
        yield
    finally:
        now = _standing(base, directory)
        changed = sorted(kind for kind in now if now[kind] != before[kind])
        if changed:
            place = _place(base, directory)
            with contextlib.suppress(OSError):
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text("\n".join(changed), encoding="utf-8")


def last_changed(kinds: Kinds, base: Path, directory: Path) -> frozenset[str]:
    """Return which environments the last change was of: both, where the user's cache does not say."""
    if not (kinds.python and kinds.npm):
        return frozenset({PYTHON, NPM})
    with contextlib.suppress(OSError, ValueError):
        return frozenset(_place(base, directory).read_text(encoding="utf-8").split()) & {PYTHON, NPM}
    return frozenset({PYTHON, NPM})


def _standing(base: Path, directory: Path) -> dict[str, str]:
    modules = base / "node_modules"
    return {
        PYTHON: named_below(directory),
        NPM: named_below(modules) if is_mounted(modules) else str(modules_environment(base)),
    }


def _place(base: Path, directory: Path) -> Path:
    said = f"{base.absolute()}\n{directory.absolute()}"
    return cache_directory() / "changes" / hashlib.sha256(said.encode()).hexdigest()[:32]
