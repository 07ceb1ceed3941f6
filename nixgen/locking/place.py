"""Which project a directory belongs to, as git and uv find theirs from below."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from nixgen.errors import InputError
from nixgen.inputs.discover import NothingWantedError, find_input, read_toml
from nixgen.inputs.project import lock_of
from nixgen.names import LOCK_NAME

#: npm's locks: a package.json without one may be that of a workspace, whose lock lies above.
_OF_NPM = ("npm-shrinkwrap.json", "package-lock.json")


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a project is.

    Attributes:
        base: its directory, absolute: that of the lock, or where there will be one.
        member: the member of its uv workspace that the search began in; None for the root.
    """

    base: Path
    member: str | None = None


def find_place(start: Path) -> Place | None:
    """Return the nearest project at or above a directory; None where there is none.

    That is the first directory with ``nixgen.lock``, npm's lock, or something else that says which packages are wanted.
    The search ends at the root of a Git repository, at the root of a file system, below a directory that everybody may
    write to, and at the first file of somebody else's: what lies in /tmp is not taken for the project of all below. A
    member of a uv workspace that has no lock of its own belongs to the workspace's root.

    Args:
        start: a directory.
    """
    start = Path(os.path.realpath(start))
    for directory in _searched(start):
        lock = directory / LOCK_NAME
        if lock.is_file():
            return Place(base=directory) if _is_trusted(lock, start) else None
        try:
            found = find_input(directory)
        except NothingWantedError:
            locks = [directory / name for name in _OF_NPM if (directory / name).is_file()]
            if not locks:
                continue
            found = locks[0]
        except InputError:  # which the verb itself tells, of this directory
            return Place(base=directory)
        if not _is_trusted(found, start):
            return None
        return _of_member(directory) or Place(base=directory)
    return None


def _searched(start: Path) -> Iterator[Path]:
    """Yield a directory and those above it, to the root of its Git repository or file system."""
    device = start.stat().st_dev if start.is_dir() else None
    for directory in (start, *start.parents):
        if not directory.is_dir() or (about := directory.stat()).st_dev != device:
            return
        if about.st_mode & stat.S_IWOTH and directory != start:
            return
        yield directory
        if (directory / ".git").exists():
            return


def _is_trusted(file: Path, start: Path) -> bool:
    """Tell whether a file belongs to who asks, to who owns the directory where the search began, or lies there."""
    return file.parent == start or file.stat().st_uid in (os.geteuid(), start.stat().st_uid)


def _of_member(directory: Path) -> Place | None:
    """Return the place of a member of a uv workspace; None where the directory is none, or nothing is locked above."""
    project = directory / "pyproject.toml"
    if not project.is_file() or (directory / "uv.lock").is_file():
        return None
    try:
        root = lock_of(project).parent
        name = read_toml(project).get("project", {}).get("name")
    except InputError:
        return None
    if root == directory or not name or not any((root / lock).is_file() for lock in (LOCK_NAME, "uv.lock")):
        return None
    return Place(base=root, member=canonicalize_name(str(name)))
