"""What a ``poetry.lock`` holds: format 1 (Poetry 1.0 to 1.4), 2.0 (to 1.8) and 2.1 (2.x).

Format 2.1 says of each package for which groups, extras and systems it is wanted. The older ones do not, and what they
hold is walked from ``pyproject.toml``. Its requirements are read by Poetry's own library.
Source: Poetry's ``poetry.packages.locker``, and locks that Poetry 1.8 and 2.5 wrote.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.markers import InvalidMarker, Marker
from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageVcs
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nixgen.errors import InputError
from nixgen.inputs.discover import read_toml
from nixgen.inputs.graph import Edge, Node, markers, reached
from nixgen.inputs.pins import Pin, PinnedLock, all_of, any_of, hashes_of, merged
from nixgen.targets import Target
from nixgen.temporary import temporary_directory

if TYPE_CHECKING:
    from poetry.core.packages.dependency import Dependency

_TOOL = "Poetry"
_AGAIN = "poetry lock"

#: What uv takes for the name of an index.
_INDEX_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")

#: An extra of the project in a marker of format 2.1, which has no name for it in locks (PEP 751).
_EXTRA = re.compile(r"""extra\s*==\s*(["'])(?P<name>[^"']+)\1|(["'])(?P<turned>[^"']+)\3\s*==\s*extra""")

#: What counts of ``[tool.poetry]`` for the lock's ``content-hash``; the last one only where it is there.
_COUNTED = ("dependencies", "source", "extras", "dev-dependencies")
_COUNTED_PROJECT = ("requires-python", "dependencies", "optional-dependencies")


def read_poetry(path: Path, *, where: str) -> PinnedLock:
    """Read a ``poetry.lock`` and the ``pyproject.toml`` beside it.

    Args:
        path: the lock.
        where: its name, for errors.

    Raises:
        InputError: one of them cannot be read, the lock has a format that is not known, or it is older than what it was
            made from.
    """
    data = read_toml(path)
    metadata = data.get("metadata")
    if not isinstance(metadata, dict):
        raise InputError("this is no lock of Poetry's", where=where, todo=f"make it again: `{_AGAIN}`")
    version = str(metadata.get("lock-version", "1.0"))
    if version.partition(".")[0] not in ("1", "2"):
        raise InputError(
            f"nixgen does not know format {version} of a poetry.lock",
            where=where,
            todo="update nixgen, or export it: `poetry export -f requirements.txt -o requirements.txt`",
        )
    file = path.with_name("pyproject.toml")
    project = _Project.read(file)
    if metadata.get("content-hash") not in {None, *_content_hashes(project.data)}:
        raise InputError(f"the lock is older than {file.name}", where=where, todo=f"make it again: `{_AGAIN}`")
    packages = [_Package(table, metadata, where) for table in data.get("package", []) if isinstance(table, dict)]
    extras = data.get("extras", {})
    if all("groups" in package.table for package in packages) and version not in ("1.0", "1.1", "2.0"):
        listed = merged(package.pin(package.marker()) for package in packages)

        def pins(target: Target) -> Sequence[Pin]:
            return listed

    else:

        def pins(target: Target) -> Sequence[Pin]:
            return _walked(project, packages, target)

    return PinnedLock(
        path=path,
        tool=_TOOL,
        again=_AGAIN,
        pins=pins,
        requires_python=project.requires_python(),
        extras=tuple(sorted(map(canonicalize_name, extras))),
        groups=project.groups,
        default_groups=project.default_groups,
        indexes=tuple(dict.fromkeys(index for package in packages if (index := package.index) is not None)),
        files=(file,),
    )


def python_of(path: Path) -> SpecifierSet | None:
    """Return the Pythons that a ``pyproject.toml`` with ``[tool.poetry]`` is for; None where it does not say.

    Raises:
        InputError: it cannot be read.
    """
    return _Project.read(path).requires_python() if is_poetry_project(path) else None


class _Project:
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
        self._poetry = _table(_table(data, "tool"), "poetry")
        said: dict[str, Any] = {canonicalize_name(name): table for name, table in _table(self._poetry, "group").items()}
        names = {*map(canonicalize_name, _table(data, "dependency-groups")), *said}
        if "dev-dependencies" in self._poetry:
            names.add(canonicalize_name("dev"))
        self.groups: tuple[str, ...] = tuple(sorted(names))
        self.default_groups: tuple[str, ...] = tuple(
            name for name in self.groups if not _table(said, name).get("optional", False)
        )

    @classmethod
    def read(cls, path: Path) -> _Project:
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

        said = _table(self.data, "project").get("requires-python", "*")
        for name, value in _table(self._poetry, "dependencies").items():
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
                edge = _edge(dependency, target)
                if not dependency.in_extras:
                    if not dependency.is_optional():
                        found.setdefault(part, []).append(edge)
                    continue
                for extra in dependency.in_extras:
                    found.setdefault(f"extra:{canonicalize_name(extra)}", []).append(edge)
        return found


class _Package:
    """A package of a lock.

    Args:
        table: its ``[[package]]``.
        metadata: the lock's, which has the files in format 1.
        where: the lock's name, for errors.
    """

    def __init__(self, table: Mapping[str, Any], metadata: Mapping[str, Any], where: str) -> None:
        self.table = table
        self.name = canonicalize_name(str(table.get("name", "")))
        self.version = str(table.get("version", ""))
        self._where = f"{where}, package {self.name}"
        try:
            Version(self.version)
        except InvalidVersion as error:
            raise InputError(str(error), where=self._where, todo=f"make the lock again: `{_AGAIN}`") from error
        files = table.get("files")
        if files is None:
            files = metadata.get("files", metadata.get("hashes", {})).get(str(table.get("name")), [])
        self._files = [file if isinstance(file, dict) else {"hash": f"sha256:{file}"} for file in files]
        source = table.get("source", {})
        self._source: Mapping[str, Any] = source if isinstance(source, dict) else {}

    @property
    def index(self) -> str | None:
        """Return the index that it is from, where that is not PyPI, as ``NAME=URL`` or ``URL``."""
        if self._source.get("type") != "legacy":
            return None
        url, name = str(self._source["url"]), str(self._source.get("reference", ""))
        return f"{name}={url}" if _INDEX_NAME.fullmatch(name) else url

    def marker(self) -> Marker | None:
        """Return when it is wanted, as format 2.1 says it.

        Raises:
            InputError: a marker is malformed.
        """
        groups = [canonicalize_name(str(name)) for name in self.table["groups"]]
        said = self.table.get("markers", "")
        by_group = (
            {canonicalize_name(name): text for name, text in said.items()}
            if isinstance(said, dict)
            else dict.fromkeys(groups, said)
        )
        found = []
        for group in groups:
            text = by_group.get(group, "")
            try:
                own = Marker(_EXTRA.sub(_in_extras, text)) if text not in ("", "*") else None
            except InvalidMarker as error:
                raise InputError(str(error), where=self._where, todo=f"make the lock again: `{_AGAIN}`") from error
            found.append(all_of([own, None if group == "main" else Marker(f'"{group}" in dependency_groups')]))
        certain = [marker for marker in found if marker is not None]
        return any_of(certain) if len(certain) == len(found) and certain else None

    def pin(self, marker: Marker | None) -> Pin:
        """Return it as it is wanted."""
        return Pin(
            name=self.name,
            version=self.version,
            marker=marker,
            sha256=hashes_of(self._files),
            direct=self._direct(),
        )

    def node(self, target: Target) -> Node:
        """Return it with what it requires for a target."""
        from poetry.core.factory import Factory

        edges = []
        for name, said in self.table.get("dependencies", {}).items():
            for one in said if isinstance(said, list) else [said]:
                edges.append(_edge(Factory.create_dependency(name, one), target))
        return Node(name=self.name, version=self.version, edges=edges)

    def _direct(self) -> Package | None:
        kind, url = self._source.get("type"), str(self._source.get("url", ""))
        inside = self._source.get("subdirectory")
        version = Version(self.version)
        if kind == "git":
            commit = str(self._source.get("resolved_reference", ""))
            vcs = PackageVcs(type="git", url=url, commit_id=commit, subdirectory=inside)
            return Package(name=self.name, version=version, vcs=vcs)
        if kind == "directory":
            return Package(name=self.name, version=version, directory=PackageDirectory(path=url))
        if kind in ("file", "url"):
            digest = next(iter(sorted(hashes_of(self._files))), "")
            at = {"path": url} if kind == "file" else {"url": url}
            archive = PackageArchive(**at, hashes={"sha256": digest}, subdirectory=inside)  # type: ignore[arg-type]
            return Package(name=self.name, version=version, archive=archive)
        return None


def _walked(project: _Project, packages: Iterable[_Package], target: Target) -> list[Pin]:
    """Return what is reached for a target, in a lock that does not say for whom its packages are."""
    from poetry.core.constraints.version import Version as PoetryVersion
    from poetry.core.constraints.version import parse_constraint

    python = PoetryVersion.parse(target.full_version)
    fitting: dict[tuple[str, str], _Package] = {
        (package.name, package.version): package
        for package in packages
        if parse_constraint(str(package.table.get("python-versions", "*"))).allows(python)
    }
    parts = reached(project.roots(target), [package.node(target) for package in fitting.values()])
    return [package.pin(markers(parts[key])) for key, package in fitting.items() if key in parts]


def _edge(dependency: Dependency, target: Target) -> Edge:
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


def _in_extras(match: re.Match[str]) -> str:
    return f'"{canonicalize_name(match["name"] or match["turned"])}" in extras'


def _content_hashes(data: Mapping[str, Any]) -> set[str]:
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


def _table(data: Mapping[str, Any], key: str) -> Mapping[str, Any]:
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
    project = _Project.read(path)
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
