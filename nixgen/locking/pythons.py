"""Which Python a project asks for, where its user and its lock do not say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from nixgen.errors import InputError
from nixgen.inputs.discover import find_input, read_text, read_toml
from nixgen.inputs.pipenv import read_pipenv
from nixgen.inputs.poetry_project import python_of
from nixgen.inputs.project import lock_of
from nixgen.inputs.script import python_of_script
from nixgen.pythons import MACHINE_DIRECTORIES, find_python, managed_python
from nixgen.targets import ask_interpreter, default_version

#: The files of uv and pyenv that name a Python, in the order in which uv looks for them in a directory.
VERSION_FILES = (".python-version", ".python-versions")

#: A version, as uv and pyenv have it: ``3.12``, ``3.12.4``, ``3.13t``, ``cpython@3.12``, ``cpython-3.12.4-linux-…``.
_VERSION = re.compile(
    r"(?:cpython[@-]?|cp|python-?)?(?P<version>3\.\d+(?:\.\d+(?:(?:a|b|rc)\d+)?)?)(?P<threads>t|\+freethreaded)?(?:-.+)?"
)
#: The same of a minor version without its point: ``cp312``.
_TAG = re.compile(r"(?:cpython|cp)?3(?P<minor>\d{1,2})(?P<threads>t|\+freethreaded)?")
#: Specifiers, or a major version alone.
_SPECIFIERS = re.compile(
    r"(?:cpython|cp)?(?P<specifiers>[<>=!~].+)|(?:cpython[@-]?|cp|python-?)?(?P<major>3)|cpython|cp"
)

#: The Pythons that are proposed where the machine has none that fits, in their order.
_MINORS = range(10, 30)
_PATCHES = range(31)


@dataclass(frozen=True, kw_only=True)
class Pin:
    """What a version file asks for.

    Attributes:
        path: the file.
        text: its first request, as it stands there.
        version: the version, as ``--python`` takes it; None where it is specifiers, or not understood.
        specifiers: the specifiers likewise.
    """

    path: Path
    text: str
    version: str | None = None
    specifiers: SpecifierSet | None = None

    @classmethod
    def parse(cls, text: str, path: Path) -> Pin:
        """Read a request for a Python, as uv and pyenv have it."""
        asked = text.strip().lower()
        if match := _VERSION.fullmatch(asked):
            return cls(path=path, text=text, version=match["version"] + ("t" if match["threads"] else ""))
        if match := _TAG.fullmatch(asked):
            return cls(path=path, text=text, version=f"3.{match['minor']}" + ("t" if match["threads"] else ""))
        if match := _SPECIFIERS.fullmatch(asked):
            try:
                return cls(path=path, text=text, specifiers=SpecifierSet(match["specifiers"] or "==3.*"))
            except InvalidSpecifier:
                pass
        return cls(path=path, text=text)


@dataclass(frozen=True, kw_only=True)
class Asked:
    """The Python to lock for.

    Attributes:
        version: as ``--python`` takes it.
        exact: whether its patch level was asked for.
        note: what the user should know; None for nothing.
    """

    version: str
    exact: bool = False
    note: str | None = None


def find_pin(base: Path) -> Pin | None:
    """Return what the nearest version file asks for, its first line that is no comment; None where it says nothing.

    As uv has it, that is the project's own or one of a directory above, up to the root of the project or its
    workspace; without a project, up to the root of the file system.

    Args:
        base: the project's directory.
    """
    for directory in _searched(base.absolute()):
        for name in VERSION_FILES:
            path = directory / name
            if path.is_file():
                lines = (line.partition("#")[0].strip() for line in read_text(path).splitlines())
                first = next(filter(None, lines), None)
                return None if first is None else Pin.parse(first, path)
    return None


def project_python(base: Path, inputs: Sequence[Path] = ()) -> Asked:
    """Return the Python that a project asks for: by its version file, else what is best of those that it is for.

    Of several that would do, that is the one which is the default without a project, else the newest of this machine,
    else the lowest there is. A version without a patch level gets that of this machine's Python.

    Args:
        base: the project's directory.
        inputs: what is locked; none to look in the directory.
    """
    pin = find_pin(base)
    note = None
    if pin is not None and pin.version is not None:
        return _of_version(pin.version)
    if pin is not None and pin.specifiers is None:
        note = f"{pin.path.name} asks for {pin.text}, which is no version of CPython: it is not heeded"
    specifiers = pin.specifiers if pin is not None and pin.specifiers else requires_python(base, inputs)
    return Asked(version=default_version() if specifiers is None else _fitting(specifiers), note=note)


def requires_python(base: Path, inputs: Sequence[Path] = ()) -> SpecifierSet | None:
    """Return the Pythons that what is locked is for; None where it does not say, or cannot be read.

    What is wrong with it, who reads it all will say.
    """
    try:
        path = inputs[0] if len(inputs) == 1 else find_input(base)
        if path.name == "Pipfile.lock":
            return read_pipenv(path, where=path.name).requires_python
        if path.suffix == ".py":
            return python_of_script(path, where=path.name)
        if path.name.startswith("pylock."):
            return _specifiers(read_toml(path).get("requires-python"))
        if path.suffix in (".in", ".txt"):
            return None
        data = read_toml(path.with_name("pyproject.toml"))
        if isinstance(project := data.get("project"), dict) and "requires-python" in project:
            return _specifiers(project["requires-python"])
        return python_of(path.with_name("pyproject.toml"))
    except (InputError, InvalidSpecifier):
        return None


def _of_version(version: str) -> Asked:
    if version.rstrip("t").count(".") > 1:
        return Asked(version=version, exact=True)
    found = find_python(version)
    return Asked(version=version if found is None else _version(found))


def _fitting(specifiers: SpecifierSet) -> str:
    """Return the best version of those that specifiers allow; the default where there is none."""

    def fits(version: str) -> bool:
        return specifiers.contains(version.rstrip("t"), prereleases=True)

    default = default_version()
    if fits(default):
        return default
    for path in _of_machine(specifiers):
        if fits(found := _version(path)):
            return found
    every = (f"3.{minor}.{patch}" for minor in _MINORS for patch in _PATCHES)
    return next(filter(specifiers.contains, every), default)


def _of_machine(specifiers: SpecifierSet) -> Iterator[Path]:
    """Yield the Pythons of this machine, the newest first, then uv's newest that fits."""
    for minor in reversed(_MINORS):
        for directory in MACHINE_DIRECTORIES:
            if (path := Path(directory, f"python3.{minor}")).exists():
                yield path
    if found := managed_python(str(specifiers)):
        yield found


def _version(path: Path) -> str:
    target = ask_interpreter(path)
    return target.full_version + ("t" if target.free_threaded else "")


def _specifiers(said: Any) -> SpecifierSet | None:
    return SpecifierSet(str(said)) if said else None


def _searched(base: Path) -> Iterator[Path]:
    """Yield the directories to look for a version file in, the nearest first."""
    project = next((place for place in (base, *base.parents) if (place / "pyproject.toml").is_file()), None)
    last = None if project is None else lock_of(project / "pyproject.toml").parent
    for place in (base, *base.parents):
        yield place
        if place == last:
            return
