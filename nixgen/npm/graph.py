"""Who needs whom among the packages of npm, by the edges of the lock, and what each of them is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nixgen.graph.graph import Graph
from nixgen.npm.edges import find
from nixgen.npm.model import NpmArchive, NpmPackage
from nixgen.npm.package_lock import own_name

#: The tables of a package.json that bring packages, the last one first where several name one: npm's own order.
_TABLES = ("dependencies", "optionalDependencies", "devDependencies", "peerDependencies")


@dataclass(frozen=True, kw_only=True)
class NpmEdge:
    """A package that another one, or the project, needs.

    Attributes:
        name: the place of the package that is needed.
        wanted: the versions that would do, where a package.json of the project says it; "" else, as the lock does not.
        table: the table of that package.json; "" for ``dependencies``, and where a package asks.
        undeclared: whether only an import in the sources tells.
    """

    name: str
    wanted: str = ""
    table: str = ""
    undeclared: bool = False

    @property
    def is_aside(self) -> bool:
        """Whether it is for development of the project alone."""
        return self.table == "devDependencies"


@dataclass(frozen=True, kw_only=True)
class Listed:
    """One version of a package, wherever it lies.

    Attributes:
        name, version: of the package.
        places: where it lies, sorted.
        direct: whether the project or a workspace asks for it itself.
        kind: "registry" for an archive by its URL, "path" for one on disk, "directory" for a link to one.
        place: URL or path of that.
        archive: bytes of the archive; None where nobody has looked at it, and for a directory.
        dev, optional: whether it is there for development alone, and whether the project would do without.
    """

    name: str
    version: str
    places: tuple[str, ...]
    direct: bool
    kind: str
    place: str
    archive: int | None
    dev: bool
    optional: bool


def npm_graph(packages: Iterable[NpmPackage], manifests: Mapping[str, Mapping[str, Any]]) -> Graph[NpmEdge]:
    """Return who needs whom; packages are told apart by their places, as one may lie at several.

    Args:
        packages: those of an environment; edges to others are left out.
        manifests: the package.json of the project ("") and of the directories that links end at. Without the project's,
            what nobody else needs counts as asked for.
    """
    by_place = {package.at: package for package in packages}
    edges = {at: _edges(package, by_place, manifests) for at, package in by_place.items()}
    roots = _wanted("", manifests.get("", {}), by_place)
    asked = {edge.name for edge in roots}
    linked = tuple(NpmEdge(name=at) for at, package in by_place.items() if package.link and at not in asked)
    roots = (*roots, *linked)
    if "" not in manifests:
        needed = {edge.name for some in edges.values() for edge in some} | {edge.name for edge in roots}
        roots = (*roots, *(NpmEdge(name=at) for at in by_place if at not in needed))
    return Graph(
        versions={at: package.version for at, package in by_place.items()},
        roots=tuple(sorted(roots, key=lambda edge: (edge.table, edge.name))),
        edges=edges,
    )


def _edges(
    package: NpmPackage, places: Mapping[str, NpmPackage], manifests: Mapping[str, Mapping[str, Any]]
) -> tuple[NpmEdge, ...]:
    if package.link is not None:
        return _wanted(package.link, manifests.get(package.link, {}), places)
    found = {
        place: NpmEdge(name=place, undeclared=key in package.undeclared)
        for key, place in package.dependencies.items()
        if place in places
    }
    return tuple(found[place] for place in sorted(found))


def _wanted(directory: str, manifest: Mapping[str, Any], places: Mapping[str, NpmPackage]) -> tuple[NpmEdge, ...]:
    """Return what a directory of the project asks for, as far as it is there."""
    found: dict[str, NpmEdge] = {}
    for table in reversed(_TABLES):
        said = manifest.get(table)
        for name, wanted in said.items() if isinstance(said, dict) else ():
            place = find(places, directory, str(name))
            if place is not None:
                word = "" if table == "dependencies" else table
                found[place] = NpmEdge(name=place, wanted=str(wanted), table=word)
    return tuple(found[place] for place in sorted(found))


def listed(packages: Iterable[NpmPackage], graph: Graph[NpmEdge]) -> list[Listed]:
    """Return the packages by name and version: one for each archive or directory, with all of its places.

    Args:
        packages: those of an environment.
        graph: theirs; a package that only a workspace asks for is direct too.
    """
    direct = set(graph.direct)
    alike: dict[tuple[str, str, str], list[NpmPackage]] = {}
    for package in packages:
        if package.link is not None:
            direct |= {edge.name for edge in graph.edges[package.at]}
        what = package.archive.integrity if package.archive is not None else package.link or ""
        alike.setdefault((package.name, package.version, what), []).append(package)
    return [_listed(some, direct) for _, some in sorted(alike.items())]


def _listed(packages: Sequence[NpmPackage], direct: set[str]) -> Listed:
    first = packages[0]
    archive = first.archive
    kind = "directory" if archive is None else _kind(archive)
    return Listed(
        name=first.name,
        version=first.version,
        places=tuple(package.at for package in packages),
        direct=any(package.at in direct for package in packages),
        kind=kind,
        place=(first.link or "") if archive is None else archive.place,
        archive=None if archive is None else archive.size,
        dev=all(package.dev for package in packages),
        optional=all(package.optional for package in packages),
    )


def _kind(archive: NpmArchive) -> str:
    if archive.checkout is not None:
        return "git"
    return "path" if archive.url is None else "registry"


def places_of(packages: Iterable[NpmPackage], given: str) -> list[str]:
    """Return the places of what somebody calls a package: its own name, what it is called at a place, or a place."""
    return [package.at for package in packages if given in (package.name, own_name(package.at), package.at)]


def described(graph: Graph[NpmEdge], packages: Iterable[NpmPackage]) -> dict[str, object]:
    """Return a graph as JSON has it (docs/commands.md)."""
    return {
        "roots": [edge_described(edge) for edge in graph.roots],
        "packages": [
            {
                "at": package.at,
                "name": package.name,
                "version": package.version,
                "requires": [edge_described(edge) for edge in graph.edges[package.at]],
            }
            for package in packages
        ],
    }


def edge_described(edge: NpmEdge) -> dict[str, object]:
    """Return an edge as JSON has it: its place, and what else it says."""
    return {"at": edge.name, **{key: value for key, value in vars(edge).items() if value and key != "name"}}
