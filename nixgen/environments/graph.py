"""Who requires whom in an environment of a lock, and what each of its packages is and costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from nixgen.environments.choice import Choice
from nixgen.environments.fetch import access_of, indexes_of
from nixgen.graph import Edge, Graph, direct_requirements, requirement_graph
from nixgen.graph.direct import project_requirements
from nixgen.lock import TargetLock
from nixgen.metadata import metadata_of, requires_dist
from nixgen.model import LockedPackage, WheelIndex, WheelSource
from nixgen.observer import SILENT, Observer
from nixgen.targets import default_system

#: From where a package comes: an index; a wheel by its URL or path; or what it is built of.
SourceKind = Literal["index", "url", "path", "archive", "git", "directory"]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A package of an environment.

    Attributes:
        name, version: of the package.
        direct: whether the project asks for it itself.
        files, size: how many files its wheel has, and their bytes; None where that is not known before it is built.
        wheel: bytes of its wheel; None where it is built.
        kind: from where it comes.
        place: URL or path of that, with the commit of a repository.
    """

    name: str
    version: str
    direct: bool
    files: int | None
    size: int | None
    wheel: int | None
    kind: SourceKind
    place: str


def target_of(choice: Choice) -> TargetLock:
    """Return the target of the lock that an environment is of."""
    system = default_system()
    return next(
        locked
        for locked in choice.lock.targets
        if locked.target.python == choice.python and locked.target.system == system
    )


def graph_of(choice: Choice, observer: Observer = SILENT) -> Graph[Edge]:
    """Return who requires whom in an environment, of what this machine has or reads again.

    Raises:
        NixgenError: as ``indexes_of`` and ``nixgen.metadata.metadata_of``.
    """
    indexes = indexes_of(choice, choice.packages, observer)
    content = metadata_of(indexes.values(), base=choice.base, access=lambda: access_of(choice.base, choice.mirrors))
    own = _own(choice)
    requires: dict[str, Iterable[str]] = {}
    for package in choice.packages:
        metadata = content.get(package.wheel.filename) or _installed(choice, package)
        stated = project_requirements(choice.base / "pyproject.toml") if package.name == own else None
        if stated is not None:
            requires[package.name] = stated
        elif metadata is not None:
            requires[package.name] = [*requires_dist(metadata)]
    asked = direct_requirements(
        choice.base, choice.lock.inputs, extras=choice.extras, groups=choice.groups, member=choice.member
    )
    versions = {package.name: package.version for package in choice.packages}
    graph = requirement_graph(versions, requires, asked, target_of(choice).target.environment(), own=own)
    if graph.unknown:
        observer.note(f"what {', '.join(graph.unknown)} asks for is not known before it is built: run `nixgen build`")
    return graph


def listed(choice: Choice, observer: Observer = SILENT) -> list[Listed]:
    """Return the packages of an environment, sorted by name.

    Raises:
        NixgenError: as ``graph_of``.
    """
    indexes = indexes_of(choice, choice.packages, observer)
    asked = direct_requirements(
        choice.base, choice.lock.inputs, extras=choice.extras, groups=choice.groups, member=choice.member
    )
    direct = (
        graph_of(choice, observer).direct
        if asked is None
        else {canonicalize_name(one.requirement.name) for one in asked}
    )
    own = _own(choice)
    return [
        _listed(package, indexes.get(package.wheel.filename), package.name in direct or package.name == own)
        for package in sorted(choice.packages, key=lambda package: package.name)
    ]


def _listed(package: LockedPackage, index: WheelIndex | None, direct: bool) -> Listed:
    kind, place = source_of(package.wheel)
    return Listed(
        name=package.name,
        version=package.version,
        direct=direct,
        files=None if index is None else len(index.files),
        size=None if index is None else sum(file.size for file in index.files.values()),
        wheel=package.wheel.size,
        kind=kind,
        place=place,
    )


def source_of(wheel: WheelSource) -> tuple[SourceKind, str]:
    """Return from where a wheel comes: which kind of place, and which."""
    source = wheel.source
    if source is None:
        if wheel.path is not None:
            return "path", wheel.path
        return ("url" if wheel.direct else "index"), wheel.url or ""
    if source.repository is not None:
        inside = f"#subdirectory={source.subdirectory}" if source.subdirectory else ""
        return "git", f"git+{source.repository}@{source.commit}{inside}"
    if source.directory is not None:
        return "directory", source.directory
    return "archive", source.place


def _own(choice: Choice) -> str | None:
    """Return the name of the project itself, where the environment holds it."""
    here = choice.base.resolve()
    for package in choice.packages:
        source = package.wheel.source
        if source is not None and source.directory is not None and (choice.base / source.directory).resolve() == here:
            return package.name
    return None


def _installed(choice: Choice, package: LockedPackage) -> bytes | None:
    """Return the METADATA of a package that was built, from ./result: in the store nothing names it otherwise."""
    site = choice.base / "result" / "lib" / f"python{choice.python}" / "site-packages"
    for path in site.glob(f"{_pattern(package.name)}-*.dist-info/METADATA"):
        name, _, version = path.parent.name.removesuffix(".dist-info").rpartition("-")
        if canonicalize_name(name) == package.name and _same(version, package.version):
            return path.read_bytes()
    return None


def _pattern(name: str) -> str:
    """Return a pattern of the directories that may be a package's: case and separators are its builder's."""
    return "".join(
        "[-_.]" if letter == "-" else f"[{letter}{letter.upper()}]" if letter.isalpha() else letter for letter in name
    )


def _same(one: str, other: str) -> bool:
    try:
        return Version(one.replace("_", "-")) == Version(other)
    except InvalidVersion:
        return one == other


def described(graph: Graph[Edge]) -> dict[str, object]:
    """Return a graph as JSON has it (docs/commands.md)."""

    def edges(found: Iterable[object]) -> list[Mapping[str, object]]:
        return [
            {name: value for name, value in vars(edge).items() if name == "name" or value not in ((), "", None)}
            for edge in found
        ]

    return {
        "roots": edges(graph.roots),
        "packages": [
            {"name": name, "version": version, "requires": edges(graph.edges.get(name, ()))}
            for name, version in sorted(graph.versions.items())
        ],
        "unknown": list(graph.unknown),
    }
