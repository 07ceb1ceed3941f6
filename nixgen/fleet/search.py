"""Where locks are: files, and directory trees that are searched for them."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.names import LOCK_NAME

#: Directories that are not gone into: they hold no projects, and much else.
_LEFT_OUT = frozenset([".git", ".hg", ".svn", "node_modules", "__pycache__"])

_NO_RIGHTS = "run it as somebody who may read it, or leave it out"
_ABSENT = "give the path of a lock, or of a directory that holds some"


@dataclass(frozen=True, kw_only=True)
class Problem:
    """What could not be read, and is not in any figure.

    Attributes:
        path: the lock, the directory, or the file name of a wheel.
        what: what is wrong, one sentence without a final stop.
        todo: what the user can do about it.
    """

    path: str
    what: str
    todo: str


def find_locks(paths: Sequence[str], here: Path, store_dir: str = "/nix/store") -> Iterator[str | Problem]:
    """Yield the paths of locks, as the user would write them, sorted within each tree, and what cannot be read.

    Links to directories are followed where they are named, and not below: no lock counts twice, and no circle is gone
    into. The store is left out, since it has copies of sources.

    Args:
        paths: files and directories.
        here: what they start from.
        store_dir: the store's directory.
    """
    seen: set[str] = set()
    for text in paths:
        for found in _below(text, here, os.path.realpath(store_dir)):
            if isinstance(found, str):
                directory, name = os.path.split(here / found)
                place = os.path.join(os.path.realpath(directory), name)  # noqa: PTH118 - thousands of them
                if place in seen:
                    continue
                seen.add(place)
            yield found


def _below(text: str, here: Path, store: str) -> Iterator[str | Problem]:
    try:
        is_directory = stat.S_ISDIR((here / text).stat().st_mode)
    except (OSError, ValueError) as error:
        yield _problem(text, error)
        return
    if not is_directory:
        yield text
        return
    waiting = [text]
    while waiting:
        directory = waiting.pop()
        try:
            with os.scandir(here / directory) as entries:
                listed = sorted(entries, key=lambda entry: entry.name, reverse=True)
        except OSError as error:
            if directory == text or not isinstance(error, FileNotFoundError):  # it may have gone meanwhile
                yield _problem(directory, error)
            continue
        for entry in listed:
            path = os.path.join(directory, entry.name) if directory != "." else entry.name  # noqa: PTH118
            try:
                if entry.name == LOCK_NAME:
                    yield path
                elif entry.name not in _LEFT_OUT and entry.is_dir(follow_symlinks=False):
                    waiting += [path] if os.path.realpath(entry.path) != store else []
            except OSError as error:
                yield _problem(path, error)


def _problem(path: str, error: OSError | ValueError) -> Problem:
    if isinstance(error, FileNotFoundError):
        return Problem(path=path, what="there is no such file or directory", todo=_ABSENT)
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return Problem(path=path, what=f"it cannot be read: {said}", todo=_NO_RIGHTS)
