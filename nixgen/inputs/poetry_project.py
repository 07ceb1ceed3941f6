"""What a project of Poetry's wants: its ``pyproject.toml``, with ``[tool.poetry]`` or ``[project]``.

Its requirements are read by Poetry's own library.
Source: Poetry's ``poetry.core.factory``, and its ``poetry.packages.locker`` for the hash of what a lock was made from.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from nixgen.errors import InputError
from nixgen.inputs.discover import read_toml
from nixgen.inputs.graph import Edge
from nixgen.targets import Target
from nixgen.temporary import temporary_directory

if TYPE_CHECKING:
    from poetry.core.packages.dependency import Dependency

#: What counts of ``[tool.poetry]`` for the lock's ``content-hash``; the last one only where it is there.
_COUNTED = ("dependencies", "source", "extras", "dev-dependencies")
_COUNTED_PROJECT = ("requires-python", "dependencies", "optional-dependencies")


def python_of(path: Path) -> SpecifierSet | None:
    """Return the Pythons that a ``pyproject.toml`` with ``[tool.poetry]`` is for; None where it does not say.

    Raises:
        InputError: it cannot be read.
    """
    return PoetryProject.read(path).requires_python() if is_poetry_project(path) else None


class PoetryProject:
    """A ``pyproject.toml`` as Poetry reads it.

    Args:
        path: the file.
        data: its content.

    Attributes:
        groups: its dependency groups beside the main one, normalized.
        default_groups: those that are not optional.
    """

    def __init__(self, path: Path, data: Mapping[str, Any]) -> None:
        self.data = data
        self._path = path
        self._poetry = table_of(table_of(data, "tool"), "poetry")
        said: dict[str, Any] = {
            canonicalize_name(name): table for name, table in table_of(self._poetry, "group").items()
        }
        names = {*map(canonicalize_name, table_of(data, "dependency-groups")), *said}
        if "dev-dependencies" in self._poetry:
            names.add(canonicalize_name("dev"))
        self.groups: tuple[str, ...] = tuple(sorted(names))
        self.default_groups: tuple[str, ...] = tuple(
            name for name in self.groups if not table_of(said, name).get("optional", False)
        )

    @classmethod
    def read(cls, path: Path) -> PoetryProject:
        """Read one.

        Raises:
            InputError: it is not there, or is no TOML.
        """
        if not path.is_file():
            raise InputError(
                "a poetry.lock says nothing without its pyproject.toml",
                where=str(path.with_name("poetry.lock")),
                todo="put it beside the lock, or export: `poetry export -f requirements.txt -o requirements.txt`",
            )
        return cls(path, read_toml(path))

    @cached_property
    def _package(self) -> Any:
        """What Poetry's library makes of it: half a second for 200 requirements, which format 2.1 does not ask for.

        Raises:
            InputError: Poetry would not read it either.
        """
        from poetry.core.exceptions import PoetryCoreError
        from poetry.core.factory import Factory

        try:
            return Factory().create_poetry(self._path.absolute().parent).package
        except (PoetryCoreError, RuntimeError, ValueError, TypeError, KeyError) as error:
            raise self._unreadable(error) from error

    def _unreadable(self, error: Exception) -> InputError:
        return InputError(
            f"Poetry's library does not read it: {error}", where=str(self._path), todo="correct it: `poetry check`"
        )

    def requires_python(self) -> SpecifierSet | None:
        """Return the Pythons that it is for; None where specifiers cannot say it.

        Raises:
            InputError: what it says of them is malformed.
        """
        from poetry.core.constraints.version import parse_marker_version_constraint
        from poetry.core.constraints.version.exceptions import ParseConstraintError

        said = table_of(self.data, "project").get("requires-python", "*")
        for name, value in table_of(self._poetry, "dependencies").items():
            if name.lower() == "python":
                values = value if isinstance(value, list) else [value]
                said = next((one for one in reversed(values) if isinstance(one, str)), said)
        try:
            return SpecifierSet(str(parse_marker_version_constraint(str(said))))
        except ParseConstraintError as error:
            raise self._unreadable(error) from error
        except InvalidSpecifier:
            return None  # any, or one or another

    def requirements(self, group: str) -> list[str]:
        """Return what a group asks for, as PEP 508 has it, without what extras bring."""
        names = self._package.dependency_group_names(include_optional=True)
        name = next(name for name in names if canonicalize_name(name) == group)
        wanted = self._package.dependency_group(name).dependencies
        return [one.to_pep_508() for one in wanted if not one.in_extras and not one.is_optional()]

    def extras(self) -> dict[str, list[str]]:
        """Return what each extra brings, as PEP 508 has it."""
        return {
            canonicalize_name(extra): [one.to_pep_508(with_extras=False) for one in wanted]
            for extra, wanted in self._package.extras.items()
        }

    def roots(self, target: Target) -> dict[str, list[Edge]]:
        """Return what each part of it asks for."""
        found: dict[str, list[Edge]] = {"": []}
        for name in self._package.dependency_group_names(include_optional=True):
            part = "" if name == "main" else f"group:{canonicalize_name(name)}"
            for dependency in self._package.dependency_group(name).dependencies:
                edge = edge_of(dependency, target)
                if not dependency.in_extras:
                    if not dependency.is_optional():
                        found.setdefault(part, []).append(edge)
                    continue
                for extra in dependency.in_extras:
                    found.setdefault(f"extra:{canonicalize_name(extra)}", []).append(edge)
        return found


def edge_of(dependency: Dependency, target: Target) -> Edge:
    """Return a requirement as Poetry's library has it."""
    from poetry.core.constraints.version import Version as PoetryVersion

    environment = dict(target.environment())

    def allows(version: str) -> bool:
        return bool(dependency.constraint.allows(PoetryVersion.parse(version)))

    def holds(extra: str) -> bool:
        return bool(dependency.marker.validate({**environment, "extra": extra}))

    return Edge(
        name=canonicalize_name(dependency.name),
        extras=frozenset(map(canonicalize_name, dependency.extras)),
        allows=allows,
        holds=holds,
    )


def content_hashes(data: Mapping[str, Any]) -> set[str]:
    """Return the ``content-hash`` that a lock of this ``pyproject.toml`` has, by any Poetry from 1.0 to 2.x.

    They differ in what counts: ``[project]`` since 2.0, ``[dependency-groups]`` since 2.3.
    """
    poetry = data.get("tool", {}).get("poetry", {})
    project = {key: data.get("project", {})[key] for key in _COUNTED_PROJECT if key in data.get("project", {})}
    group = {"group": poetry["group"]} if "group" in poetry else {}
    every = {**{key: poetry.get(key) for key in _COUNTED}, **group}
    there = {key: value for key, value in every.items() if value is not None}
    counted: list[Mapping[str, Any]] = [every]
    nothing: dict[str, Any] = {}
    for groups in (nothing, data.get("dependency-groups", {})):
        new = {**({"project": project} if project else {}), **({"dependency-groups": groups} if groups else {})}
        if new:
            counted.append({**new, "tool": {"poetry": there}})
    return {hashlib.sha256(json.dumps(one, sort_keys=True).encode()).hexdigest() for one in counted}


def table_of(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = data.get(key, {})
    return value if isinstance(value, dict) else {}


def is_poetry_project(path: Path) -> bool:
    """Tell whether a ``pyproject.toml`` says what it wants in ``[tool.poetry]`` alone."""
    data = read_toml(path)
    return "poetry" in data.get("tool", {}) and "project" not in data


@contextlib.contextmanager
def as_standard(path: Path) -> Iterator[tuple[Path, tuple[str, ...], tuple[str, ...]]]:
    """Write what a Poetry project without a lock wants as a standard one (PEP 621, PEP 735), for as long as it is read.

    Args:
        path: its ``pyproject.toml``.

    Returns:
        the standard ``pyproject.toml``; the groups that are there by default; the indexes beside PyPI.

    Raises:
        InputError: Poetry would not read it either.
    """
    data = read_toml(path)
    poetry = data.get("tool", {}).get("poetry", {})
    project = PoetryProject.read(path)
    groups = {name: project.requirements(name) for name in project.groups}
    python = project.requires_python()
    lines = [
        "[project]",
        f"name = {json.dumps(canonicalize_name(str(poetry.get('name', 'project'))))}",
        'version = "0"',
        *([f"requires-python = {json.dumps(str(python))}"] if python is not None else []),
        f"dependencies = {json.dumps(project.requirements('main'))}",
        "[project.optional-dependencies]",
        *(f"{json.dumps(name)} = {json.dumps(lines)}" for name, lines in sorted(project.extras().items())),
        "[dependency-groups]",
        *(f"{json.dumps(name)} = {json.dumps(lines)}" for name, lines in sorted(groups.items())),
    ]
    sources = [source for source in poetry.get("source", []) if isinstance(source, dict) and "url" in source]
    with temporary_directory() as directory:
        standard = directory.resolve() / "pyproject.toml"
        standard.write_text("\n".join([*lines, ""]), encoding="utf-8")
        yield standard, project.default_groups, tuple(f"{source['name']}={source['url']}" for source in sources)
