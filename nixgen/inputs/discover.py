"""Which file of a directory says what is wanted, and what kind of input a file is."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from packaging.pylock import is_valid_pylock_path

from nixgen.errors import InputError, UsageError

_KINDS = "pylock.toml, pylock.NAME.toml, pyproject.toml, or requirements files (.in, .txt)"


class Kind(Enum):
    """What an input is."""

    PYLOCK = "pylock"
    PROJECT = "project"
    REQUIREMENTS = "requirements"


def find_input(directory: Path) -> Path:
    """Return the file of a directory that says what is wanted.

    That is ``pylock.toml`` or the only ``pylock.*.toml``, else ``pyproject.toml`` with ``[project]`` or
    ``[dependency-groups]``, else ``requirements.in``, else ``requirements.txt``.

    Raises:
        InputError: there is none, or there are several named locks.
    """
    pylock = directory / "pylock.toml"
    if pylock.is_file():
        return pylock
    named = sorted(path for path in directory.glob("pylock.*.toml") if is_valid_pylock_path(path))
    if len(named) > 1:
        raise InputError(
            f"there are several locks: {', '.join(path.name for path in named)}",
            where=str(directory),
            todo="name the one to use",
        )
    if named:
        return named[0]
    project = directory / "pyproject.toml"
    if project.is_file() and {"project", "dependency-groups"} & read_toml(project).keys():
        return project
    for name in ("requirements.in", "requirements.txt"):
        if (directory / name).is_file():
            return directory / name
    raise InputError(
        "nothing here says which packages are wanted",
        where=str(directory),
        todo="create requirements.in with one requirement per line, or a pyproject.toml with [project], "
        "or a pylock.toml",
    )


def kind_of(paths: Sequence[Path]) -> Kind:
    """Return what the given files are together: one lock, one project, or one or more requirements files.

    Raises:
        UsageError: they are of different kinds, several locks or projects, or of no kind that is known.
        InputError: one of them does not exist.
    """
    kinds = {path: _kind(path) for path in paths}
    for path in paths:
        if not path.is_file():
            raise InputError("there is no such file", where=str(path), todo=f"give {_KINDS}")
    distinct = set(kinds.values())
    if len(distinct) != 1 or (len(paths) > 1 and distinct != {Kind.REQUIREMENTS}):
        raise UsageError(
            "these inputs cannot be used together",
            where=", ".join(map(str, paths)),
            todo="give one lock, or one pyproject.toml, or any number of requirements files",
        )
    return distinct.pop()


def read_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        InputError: it cannot be read or is no TOML.
    """
    try:
        return tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"this is no TOML: {error}", where=str(path), todo="correct it") from error


def read_text(path: Path) -> str:
    """Read a text file in UTF-8.

    Raises:
        InputError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"the file cannot be read: {error}", where=str(path), todo="give another") from error


def _kind(path: Path) -> Kind:
    if is_valid_pylock_path(path):
        return Kind.PYLOCK
    if path.name == "pyproject.toml":
        return Kind.PROJECT
    if path.suffix in {".in", ".txt"}:
        return Kind.REQUIREMENTS
    raise UsageError("this is no input that nixgen knows", where=str(path), todo=f"give {_KINDS}")
