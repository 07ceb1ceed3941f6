"""From what package-lock.json says, and what the archives say, to the section of the lock. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nixgen.npm.edges import cycles, edges_of, find, folded, holders, optional_set, sources_of
from nixgen.npm.model import NpmArchive, NpmLock, NpmPackage
from nixgen.npm.package_lock import Entry, PackageLock


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of a package's archive.

    Attributes:
        archive: where it comes from and what it is.
        scripts: its install scripts, by name.
        imports: the packages that its sources import, by the directory in the archive that they are looked for from:
            "" for its own, ``node_modules/x`` for what it bundles.
    """

    archive: NpmArchive
    scripts: Mapping[str, str] = field(default_factory=dict)
    imports: Mapping[str, Sequence[str]] = field(default_factory=dict)


def installed(lock: PackageLock) -> dict[str, Entry]:
    """Return the entries that have an archive of their own, by place.

    Links have none, nor has what is bundled; what lies beside the project is not the project's.
    """
    held = holders(lock.entries)
    return {
        at: entry
        for at, entry in lock.entries.items()
        if entry.is_installed and entry.link is None and at not in held and not at.startswith("../")
    }


def plan(lock: PackageLock, seen: Mapping[str, Seen], scripts: Sequence[str] = ()) -> NpmLock:
    """Return the section of a lock.

    Args:
        lock: what npm has locked.
        seen: what was seen of the archive at each place of ``installed``.
        scripts: the names of the packages whose install scripts may run.
    """
    entries = lock.entries
    edges = edges_of(entries)
    into = sources_of(edges)
    held = holders(entries)
    found, _ = folded(edges, held)
    own = installed(lock)
    links = {at: entry for at, entry in entries.items() if entry.link is not None and not at.startswith("../")}
    undeclared = {at: dict(_undeclared(at, lock, held, seen[at], found[at])) for at in own}
    needs = {at: found[at] | undeclared[at] for at in own}
    ring = cycles({at: [place for place in needs[at].values() if place in own] for at in own})

    def package(at: str, entry: Entry) -> NpmPackage:
        directed = entries[entry.link] if entry.link is not None else entry
        drops = set()
        if entry.optional and (entry.os or entry.cpu or entry.libc):
            drops = {held.get(place, place) for place in optional_set(at, edges, into)} - {at}
        return NpmPackage(
            at=at,
            name=directed.name,
            version=directed.version,
            archive=seen[at].archive if at in own else None,
            link=entry.link,
            dependencies=needs.get(at, {}),
            undeclared=tuple(sorted(undeclared.get(at, ()))),
            bin=directed.bin,
            os=entry.os,
            cpu=entry.cpu,
            libc=entry.libc,
            dev=directed.dev,
            optional=directed.optional,
            dev_optional=directed.dev_optional,
            peer=directed.peer,
            scripts=seen[at].scripts if at in own else {},
            drops=tuple(sorted(drops & (own.keys() | links.keys()))),
            cycle=ring.get(at),
        )

    return NpmLock(
        name=lock.name,
        packages=tuple(package(at, entry) for at, entry in sorted({**own, **links}.items())),
        workspaces=lock.workspaces,
        scripts=tuple(sorted(scripts)),
    )


def lost_edges(lock: PackageLock) -> list[tuple[str, str, str]]:
    """Return what bundled packages would find and the package that bundles them finds elsewhere (``edges.folded``)."""
    return folded(edges_of(lock.entries), holders(lock.entries))[1]


def _undeclared(
    at: str, lock: PackageLock, held: Mapping[str, str], seen: Seen, known: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """Yield the names and places of what a package's sources import, npm's layout has, and nobody declares."""
    for directory, names in seen.imports.items():
        for name in names:
            place = find(lock.entries, f"{at}/{directory}" if directory else at, name)
            if place is not None and held.get(place, place) != at and name not in known:
                yield name, place
