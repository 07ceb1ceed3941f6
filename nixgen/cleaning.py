"""What can go: nixgen's cache, and what no root of Nix keeps in the store."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from nixgen.cache import cache_directory
from nixgen.store import Store
from nixgen.temporary import sweep

#: Of the cache: what others hold while they work.
_HELD = frozenset(["turns.lock"])


@dataclass(frozen=True, kw_only=True)
class Waste:
    """What can go.

    Attributes:
        cached: bytes of files in nixgen's cache.
        npm: those of them that are kept of npm's packages: their archives, and what is in these.
        paths: store paths that no root keeps, whoever made them.
        stored: their bytes.
    """

    cached: int
    npm: int
    paths: tuple[str, ...]
    stored: int


def survey(store: Store) -> Waste:
    """Return what can go; nothing is changed.

    Raises:
        NixError: Nix is missing, or cannot be asked.
    """
    dead = store.dead()
    known = store.registrations(sorted(set(dead) - store.invalid(dead))) if dead else {}
    return Waste(
        cached=sum(map(_size, _kept(cache_directory()))),
        npm=_size(cache_directory() / "npm"),
        paths=tuple(dead),
        stored=sum(registration.nar_size for registration in known.values()),
    )


def clean_cache() -> None:
    """Remove what nixgen's cache holds, and what processes that are no more have left in the place for temporary files.

    All of it is made again when it is needed. Others may be at work meanwhile: they miss a file, and make it again.
    """
    for path in _kept(cache_directory()):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()
    sweep(Path(tempfile.gettempdir()))


def _kept(directory: Path) -> list[Path]:
    try:
        return sorted(path for path in directory.iterdir() if path.name not in _HELD)
    except OSError:
        return []


def _size(path: Path) -> int:
    """Return the bytes of a file, or of all files of a directory."""
    files: Iterable[Path] = [path]
    if path.is_dir() and not path.is_symlink():
        files = (Path(place, name) for place, _, names in os.walk(path) for name in names)
    total = 0
    for file in files:
        with contextlib.suppress(OSError):
            total += file.lstat().st_size
    return total
