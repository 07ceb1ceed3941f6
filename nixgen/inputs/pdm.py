"""What a ``pdm.lock`` holds: format 4 (PDM 2), with and without ``inherit_metadata``.

With it, which PDM writes by default since 2.11, each package says for which groups and systems it is wanted. Without
it, what the project's groups hold is walked from their requirements.
Source: PDM's ``pdm.project.lockfile`` and ``pdm.project.project_file``, and locks that PDM wrote.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, cast
from urllib.parse import urlsplit

from packaging.markers import InvalidMarker, Marker
from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageVcs
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nixgen.errors import InputError
from nixgen.inputs.discover import read_toml
from nixgen.inputs.graph import Edge, Node, markers, reached
from nixgen.inputs.pins import Pin, PinnedLock, all_of, hashes_of, merged
from nixgen.targets import Target

_AGAIN = "pdm lock"
_TODO = f"make the lock again: `{_AGAIN}`"

#: What PDM calls the project's own dependencies.
_DEFAULT = "default"


def read_pdm(path: Path, *, where: str) -> PinnedLock:
    """Read a ``pdm.lock`` and the ``pyproject.toml`` beside it.

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
        raise InputError("this is no lock of PDM's", where=where, todo=_TODO)
    version = str(metadata.get("lock_version", ""))
    if version.partition(".")[0] != "4":
        raise InputError(
            f"nixgen does not know format {version or 'without a number'} of a pdm.lock",
            where=where,
            todo="make it again with PDM 2.8 or newer, or export it: `pdm export -f pylock -o pylock.toml`",
        )
    file = path.with_name("pyproject.toml")
    project = _Project(read_toml(file), file)
    said = str(metadata.get("content_hash", ""))
    if said.startswith("sha256:") and said.partition(":")[2] not in project.content_hashes():
        raise InputError(f"the lock is older than {file.name}", where=where, todo=f"make it again: `{_AGAIN}`")
    tables = [table for table in data.get("package", []) if isinstance(table, dict)]
    groups = [str(name) for name in metadata.get("groups", [_DEFAULT, *project.groups])]
    packages = [_Package(table, where) for table in tables]
    if all("groups" in package.table for package in packages):
        listed = merged(package.pin(package.marker(project)) for package in packages)

        def pins(target: Target) -> Sequence[Pin]:
            return listed

    else:

        def pins(target: Target) -> Sequence[Pin]:
            return _walked(project, groups, packages, target, path.parent)

    extras = sorted(name for name in map(canonicalize_name, groups) if name in project.extras)
    development = sorted(
        name for name in map(canonicalize_name, groups) if name not in project.extras and name != _DEFAULT
    )
    return PinnedLock(
        path=path,
        tool="PDM",
        again=_AGAIN,
        pins=pins,
        requires_python=project.requires_python,
        extras=tuple(extras),
        groups=tuple(development),
        default_groups=tuple(development),
        indexes=project.indexes,
        files=(file,),
    )


class _Project:
    """A ``pyproject.toml`` as PDM reads it.

    Args:
        data: its content.
        path: the file, for errors.

    Attributes:
        extras: its extras, normalized.
        groups: the requirements of its development groups, by the groups' names.
        requires_python: the Pythons it is for; None for any.
        indexes: its sources beside PyPI, as ``NAME=URL``.
    """

    def __init__(self, data: Mapping[str, Any], path: Path) -> None:
        self._data, self._path = data, path
        self._project = data.get("project", {})
        self._pdm = data.get("tool", {}).get("pdm", {})
        self._optional = self._project.get("optional-dependencies", {})
        self.extras = frozenset(map(canonicalize_name, self._optional))
        standard, own = data.get("dependency-groups", {}), self._pdm.get("dev-dependencies", {})
        self.groups: dict[str, list[str]] = {
            name: [*_included(standard, name), *(str(line) for line in own.get(name, []))]
            for name in dict.fromkeys([*standard, *own])
        }
        try:
            self.requires_python = SpecifierSet(str(self._project.get("requires-python", ""))) or None
        except InvalidSpecifier as error:
            raise InputError(str(error), where=f"{path}, requires-python", todo="correct it") from error
        self.indexes = tuple(
            f"{source['name']}={os.path.expandvars(source['url'])}"  # as PDM does
            for source in self._pdm.get("source", [])
            if isinstance(source, dict) and source.get("type", "index") == "index" and source.get("name") != "pypi"
        )

    def requirements(self, group: str) -> list[str]:
        """Return what a group of a lock asks for, by its normalized name."""
        if group == _DEFAULT:
            return [str(line) for line in self._project.get("dependencies", [])]
        both = [*self._optional.items(), *self.groups.items()]
        return next((list(lines) for name, lines in both if canonicalize_name(name) == group), [])

    def content_hashes(self) -> set[str]:
        """Return the ``content_hash`` that a lock of this project has, by any PDM 2 (its ``PyProject``)."""
        if workspace := self._pdm.get("workspace"):  # PDM 2.28 and newer
            return {self._hash_of_workspace(workspace)}
        own, standard = self._pdm.get("dev-dependencies", {}), self._data.get("dependency-groups", {})
        resolution = self._pdm.get("resolution", {})
        found = set()
        normal = _joined(_normalized(standard), _normalized(own))
        for development in (normal, {**standard, **own}, {**own, **standard}, _joined(standard, own), self.groups):
            for rest in ({"resolution": resolution}, {"overrides": resolution.get("overrides", {})}):
                found.add(self._hash(development, rest))
        return found

    def _hash(self, development: Mapping[str, Any], rest: Mapping[str, Any]) -> str:
        counted = {
            "sources": self._pdm.get("source", []),
            "dependencies": self._project.get("dependencies", []),
            "dev-dependencies": development,
            "optional-dependencies": self._optional,
            "requires-python": self._project.get("requires-python", ""),
            **rest,
        }
        return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()

    def _newest_hash(self) -> str:
        own, standard = self._pdm.get("dev-dependencies", {}), self._data.get("dependency-groups", {})
        groups = _joined(_normalized(standard), _normalized(own))
        return self._hash(groups, {"resolution": self._pdm.get("resolution", {})})

    def _hash_of_workspace(self, workspace: Mapping[str, Any]) -> str:
        """Return the hash of a root: its own, and those of its members with their paths."""
        root = self._path.absolute().parent
        files = {
            directory / "pyproject.toml"
            for pattern in workspace.get("members", [])
            for directory in (root.glob(pattern) if re.search(r"[*?\[]", pattern) else [root / pattern])
            if (directory / "pyproject.toml").is_file()
        }
        digest = hashlib.sha256(self._newest_hash().encode())
        for file in sorted(files, key=lambda file: file.parent.relative_to(root).as_posix()):
            member = _Project(read_toml(file), file)
            digest.update(f"\0{file.parent.relative_to(root).as_posix()}\0{member._newest_hash()}".encode())
        return digest.hexdigest()


class _Package:
    """An entry of a lock: a version, or a version with some extras.

    Args:
        table: its ``[[package]]``.
        where: the lock's name, for errors.
    """

    def __init__(self, table: Mapping[str, Any], where: str) -> None:
        self.table = table
        self.name = canonicalize_name(str(table.get("name", "")))
        self.version = str(table.get("version", ""))
        self._where = f"{where}, package {self.name}"
        self._files = [file for file in table.get("files", []) if isinstance(file, dict)]
        try:
            Version(self.version)
        except InvalidVersion as error:
            raise InputError(str(error), where=self._where, todo=_TODO) from error

    def marker(self, project: _Project) -> Marker | None:
        """Return when it is wanted, as ``inherit_metadata`` says it.

        Raises:
            InputError: its marker is malformed.
        """
        text = str(self.table.get("marker", ""))
        try:
            own = Marker(text) if text else None
        except InvalidMarker as error:
            raise InputError(str(error), where=self._where, todo=_TODO) from error
        parts = {_part(canonicalize_name(str(name)), project) for name in self.table["groups"]}
        return all_of([own, markers(parts)])

    def pin(self, marker: Marker | None) -> Pin:
        """Return it as it is wanted."""
        return Pin(
            name=self.name,
            version=self.version,
            marker=marker,
            sha256=hashes_of(self._files),
            direct=self._direct(),
        )

    def nodes(self, target: Target) -> Node:
        """Return it with what it requires for a target; what it requires with an extra counts with that extra."""
        extras = frozenset(canonicalize_name(str(name)) for name in self.table.get("extras", []))
        edges = [
            edge
            for line in self.table.get("dependencies", [])
            if (edge := _edge(str(line), target, self._where, only=extras)).name != self.name
        ]
        return Node(name=self.name, version=self.version, edges=edges)

    def _direct(self) -> Package | None:
        version, table = Version(self.version), self.table
        inside = table.get("subdirectory")
        if "git" in table or "hg" in table or "svn" in table:
            kind = next(kind for kind in ("git", "hg", "svn") if kind in table)
            vcs = PackageVcs(
                type=kind,
                url=str(table[kind]),
                requested_revision=table.get("ref"),
                commit_id=str(table.get("revision", "")),
                subdirectory=inside,
            )
            return Package(name=self.name, version=version, vcs=vcs)
        at = str(table.get("path") or table.get("url") or "")
        if not at:
            return None
        digest = next(iter(sorted(hashes_of(self._files))), "")
        if "path" in table and PurePosixPath(at).suffix not in (".whl", ".gz", ".zip", ".bz2", ".xz", ".tar"):
            return Package(name=self.name, version=version, directory=PackageDirectory(path=at))
        where = {"path": at} if "path" in table else {"url": urlsplit(at)._replace(fragment="").geturl()}
        archive = PackageArchive(**where, hashes={"sha256": digest}, subdirectory=inside)  # type: ignore[arg-type]
        return Package(name=self.name, version=version, archive=archive)


def _walked(
    project: _Project, groups: Iterable[str], packages: Sequence[_Package], target: Target, directory: Path
) -> list[Pin]:
    """Return what is reached for a target, in a lock that does not say for whom its packages are."""
    python = target.full_version
    fitting = [
        package
        for package in packages
        if SpecifierSet(str(package.table.get("requires_python", ""))).contains(python, prereleases=True)
    ]
    joined: dict[tuple[str, str], Node] = {}
    for node in (package.nodes(target) for package in fitting):
        other = joined.get((node.name, node.version))
        edges = [*(other.edges if other else ()), *node.edges]
        joined[node.name, node.version] = Node(name=node.name, version=node.version, edges=edges)
    roots = {
        _part(canonicalize_name(group), project): [
            _edge(line, target, str(directory / "pyproject.toml"))
            for line in project.requirements(canonicalize_name(group))
        ]
        for group in groups
    }
    parts = reached(roots, joined.values())
    by_key = {(pin.name, pin.version): pin for pin in merged(package.pin(None) for package in fitting)}
    return [
        Pin(name=pin.name, version=pin.version, marker=markers(found), sha256=pin.sha256, direct=pin.direct)
        for key, found in parts.items()
        if (pin := by_key[key])  # type: ignore[index]
    ]


def _edge(line: str, target: Target, where: str, only: frozenset[str] = frozenset()) -> Edge:
    """Return a requirement (PEP 508), which counts with some extras only where there are any."""
    text = line.removeprefix("-e ").strip()
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise InputError(f"{text!r} is no requirement: {error}", where=where, todo=_TODO) from error
    environment = cast("dict[str, str]", target.environment())

    def allows(version: str) -> bool:
        return requirement.specifier.contains(version, prereleases=True)

    def holds(extra: str) -> bool:
        if only and extra not in only:
            return False
        return requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})

    return Edge(
        name=canonicalize_name(requirement.name),
        extras=frozenset(map(canonicalize_name, requirement.extras)),
        allows=allows,
        holds=holds,
    )


def _part(group: str, project: _Project) -> str:
    if group == _DEFAULT:
        return ""
    return f"extra:{group}" if group in project.extras else f"group:{group}"


def _included(groups: Mapping[str, Any], name: str, seen: frozenset[str] = frozenset()) -> Iterator[str]:
    """Yield the requirements of a group, and of those that it includes (PEP 735)."""
    for item in groups.get(name, []):
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict) and (other := str(item.get("include-group", ""))) not in seen | {name}:
            yield from _included(groups, other, seen | {name})


def _normalized(groups: Mapping[str, Any]) -> dict[str, Any]:
    return {re.sub(r"[^A-Za-z0-9]+", "-", name).lower(): items for name, items in groups.items()}


def _joined(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, list[Any]]:
    return {name: [*first.get(name, []), *second.get(name, [])] for name in dict.fromkeys([*first, *second])}
