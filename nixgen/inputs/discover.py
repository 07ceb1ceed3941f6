"""Which file of a directory says what is wanted, and what kind of input a file is."""

from __future__ import annotations

import codecs
import difflib
import io
import re
import tomllib
from collections.abc import Sequence
from enum import Enum
from pathlib import Path
from typing import Any

from packaging.pylock import is_valid_pylock_path

from nixgen.errors import InputError, UsageError

_KINDS = (
    "pylock.toml, pylock.NAME.toml, uv.lock, poetry.lock, pdm.lock, Pipfile.lock, pyproject.toml, a script (.py), "
    "requirements files (.in, .txt), or a directory of wheels; and wheels beside any of them"
)


class Kind(Enum):
    """What an input is."""

    PYLOCK = "pylock"
    POETRY = "poetry"
    PDM = "pdm"
    PIPENV = "pipenv"
    PROJECT = "project"
    SCRIPT = "script"
    REQUIREMENTS = "requirements"
    WHEELS = "wheels"


#: The locks that have one name, in the order in which they are taken; uv's is read with its pyproject.toml.
_LOCKS = {"uv.lock": Kind.PROJECT, "poetry.lock": Kind.POETRY, "pdm.lock": Kind.PDM, "Pipfile.lock": Kind.PIPENV}

#: What says that packages are wanted, and cannot be read as it is: what to do.
_NOT_READ = {
    "Pipfile": "make its lock, which is read: `pipenv lock`",
    "setup.py": "add a pyproject.toml with [project] and its dependencies, or name them in requirements.in: "
    "no setup.py is run to ask it",
    "setup.cfg": "add a pyproject.toml with [project] and its dependencies, or name them in requirements.in",
    "environment.yml": "name what is wanted from PyPI in requirements.in; conda's packages are not read",
}

#: The start of the block that makes a file a script with requirements (PEP 723).
_SCRIPT = re.compile(r"^# /// script\s*$", re.MULTILINE)


class NothingWantedError(InputError):
    """A directory has nothing that says which packages are wanted."""


def find_input(directory: Path) -> Path:
    """Return the file of a directory that says what is wanted.

    That is ``pylock.toml`` or the only ``pylock.*.toml``, else ``uv.lock``, ``poetry.lock``, ``pdm.lock`` or
    ``Pipfile.lock``, else ``pyproject.toml`` with ``[project]`` or ``[dependency-groups]``, else ``requirements.in``,
    else ``requirements.txt``, else ``pyproject.toml`` with ``[tool.poetry]``.

    Raises:
        NothingWantedError: there is none.
        InputError: what is there cannot be read, says it in a way that is not read, or there are several named locks.
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
    for name in _LOCKS:
        if (directory / name).is_file():
            return project if name == "uv.lock" and project.is_file() else directory / name
    data = read_toml(project) if project.is_file() else {}
    if {"project", "dependency-groups"} & data.keys() or "workspace" in data.get("tool", {}).get("uv", {}):
        return project
    for name in ("requirements.in", "requirements.txt"):
        if (directory / name).is_file():
            return directory / name
    if "poetry" in data.get("tool", {}):
        return project
    for name, todo in _NOT_READ.items():
        if (directory / name).is_file():
            raise InputError(f"{name} alone does not say which packages are wanted", where=str(directory), todo=todo)
    if scripts := sorted(path.name for path in directory.glob("*.py") if _is_script(path)):
        raise InputError(
            f"only a script says which packages it wants: {', '.join(scripts[:3])}",
            where=str(directory),
            todo=f"name it: `nixgen lock {scripts[0]}`",
        )
    raise _nothing_wanted(directory)


def _nothing_wanted(directory: Path) -> NothingWantedError:
    """Return the error of a directory without an input, which names what is there that could be meant."""
    others = [
        path.relative_to(directory).as_posix()
        for pattern in ("*requirements*.in", "*requirements*.txt", "requirements/*.in", "requirements/*.txt")
        for path in sorted(directory.glob(pattern))
        if path.is_file()
    ]
    if others:
        return NothingWantedError(
            f"there is no requirements.in or .txt, and others are read when they are named: {', '.join(others[:5])}",
            where=str(directory),
            todo=f"name those that are wanted: `nixgen lock {others[0]}`",
        )
    if (directory / "pyproject.toml").is_file():
        return NothingWantedError(
            "pyproject.toml does not say which packages are wanted: it has no [project]",
            where=str(directory),
            todo="add [project] with its dependencies (other tools' tables, as flit's and Hatch's, are not read), "
            "or create requirements.in with one requirement per line",
        )
    return NothingWantedError(
        "nothing here says which packages are wanted",
        where=str(directory),
        todo="create requirements.in with one requirement per line, or a pyproject.toml with [project], "
        "or a pylock.toml",
    )


def beside(path: Path) -> Path:
    """Return the lock that stands beside a project and decides for it, as ``find_input`` has it; else the project.

    Args:
        path: an input.
    """
    if path.name == "uv.lock" and path.is_file():
        if not path.with_name("pyproject.toml").is_file():
            raise InputError(
                "a uv.lock says nothing without its pyproject.toml", where=str(path), todo="put it beside the lock"
            )
        return path.with_name("pyproject.toml")
    if path.name != "pyproject.toml":
        return path
    for name in _LOCKS:
        if path.with_name(name).is_file():
            return path.with_name("pyproject.toml" if name == "uv.lock" else name)
    return path


def passed_over(path: Path) -> list[str]:
    """Return the names of the locks that stand beside an input and are not read."""
    taken = "uv.lock" if path.name == "pyproject.toml" else path.name
    names = ("pylock.toml", *_LOCKS)
    return [name for name in names if name != taken and path.with_name(name).is_file()]


def kind_of(paths: Sequence[Path]) -> Kind:
    """Return what the given files are together: one lock, project or directory, or one or more requirements files.

    Raises:
        UsageError: they are of different kinds, several locks or projects, or of no kind that is known.
        InputError: one of them does not exist.
    """
    kinds = {path: _kind(path) for path in paths}
    for path in paths:
        if not path.is_file() and kinds[path] is not Kind.WHEELS:
            near = difflib.get_close_matches(path.name, _names_in(path.parent), n=1)
            todo = f"give {path.with_name(near[0])}" if near else f"give {_KINDS}"
            raise InputError("there is no such file", where=str(path), todo=todo)
    distinct = set(kinds.values())
    if len(distinct) != 1 or (len(paths) > 1 and distinct != {Kind.REQUIREMENTS}):
        raise UsageError(
            "these inputs cannot be used together",
            where=", ".join(map(str, paths)),
            todo="give one lock, one pyproject.toml or one directory of wheels, or any number of requirements files; "
            "and wheels beside any of them",
        )
    return distinct.pop()


def _names_in(directory: Path) -> list[str]:
    try:
        return [path.name for path in directory.iterdir()]
    except OSError:
        return []


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
    """Read a text file in UTF-8; one of requirements in UTF-16 too where its mark says so, as PowerShell writes it.

    Raises:
        InputError: it cannot be read.
    """
    try:
        content = path.read_bytes()
        marked = path.suffix in (".in", ".txt") and content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        return io.TextIOWrapper(io.BytesIO(content), encoding="utf-16" if marked else "utf-8").read()
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=str(path), todo="create it, or give another") from error
    except UnicodeDecodeError as error:
        raise InputError("the file is not in UTF-8", where=str(path), todo="save it in that encoding") from error
    except OSError as error:
        said = (error.strerror or str(error)).lower()
        raise InputError(f"the file cannot be read: {said}", where=str(path), todo="give another") from error


def _is_script(path: Path) -> bool:
    """Tell whether a Python file names its requirements (PEP 723)."""
    try:
        return _SCRIPT.search(path.read_text(encoding="utf-8")) is not None
    except (OSError, UnicodeDecodeError):
        return False


def _kind(path: Path) -> Kind:
    if path.is_dir():
        return Kind.WHEELS
    if is_valid_pylock_path(path):
        return Kind.PYLOCK
    if path.name in _LOCKS:
        return _LOCKS[path.name]
    if path.name == "pyproject.toml":
        return Kind.PROJECT
    if path.suffix in {".in", ".txt"}:
        return Kind.REQUIREMENTS
    if path.name in _NOT_READ:
        raise InputError(f"a {path.name} is not read", where=str(path), todo=_NOT_READ[path.name])
    if path.suffix == ".py":
        if path.is_file() and not _is_script(path):
            raise InputError(
                "this script does not say which packages it wants",
                where=str(path),
                todo="add a block of `# /// script` with its dependencies (PEP 723): `uv add --script`",
            )
        return Kind.SCRIPT
    raise UsageError("this is no input that nixgen knows", where=str(path), todo=f"give {_KINDS}")
