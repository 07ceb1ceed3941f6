"""What things occupy on disk: allocated blocks, each inode once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def allocated(*paths: Path, beside: Path | None = None) -> int:
    """Return the allocated bytes of some paths with everything below them.

    Args:
        paths: files or directories; links count as what they are.
        beside: a directory whose files are there anyway: hard links to them cost nothing.
    """
    known = set() if beside is None else {status.st_ino for _, status in _walk(beside)}
    found = {status.st_ino: status.st_blocks * 512 for path in paths for _, status in _walk(path)}
    return sum(size for inode, size in found.items() if inode not in known)


def shares(store: Path) -> dict[str, int]:
    """Return the allocated bytes of a store by what it is for: leaves, trees (two parts), environments, the rest."""
    found = dict.fromkeys(("leaves", "trees, without bytecode", "trees, bytecode", "the environment", "the rest"), 0)
    for path in store.iterdir():
        if path.name[32:].split(".")[0] == "-file" and path.is_file():
            found["leaves"] += allocated(path)
        elif (path / "nix-support" / "nixgen.json").is_file():
            pyc = sum(status.st_blocks * 512 for name, status in _walk(path) if name.endswith(".pyc"))
            found["trees, bytecode"] += pyc
            found["trees, without bytecode"] += allocated(path) - pyc
        elif (path / "pyvenv.cfg").is_file():
            found["the environment"] += allocated(path)
        else:
            found["the rest"] += allocated(path)
    return found


def _walk(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    yield str(path), path.lstat()
    for directory, directories, files in os.walk(path):
        for name in (*directories, *files):
            entry = Path(directory, name)
            yield str(entry), entry.lstat()
