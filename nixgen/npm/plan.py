"""From what package-lock.json says, and what the archives say, to the section of the lock. Pure."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from nixgen.npm.edges import cycles, edges_of, find, folded, holders, optional_set, sources_of
from nixgen.npm.model import NpmArchive, NpmLock, NpmPackage
from nixgen.npm.package_lock import Entry, PackageLock

#: What a package loads by a name that no source of it says before ``require``: the template engines that Express knows
#: by their ``__express`` (Express, "Using template engines"), and the command line that webpack's program looks for
#: (``bin/webpack.js``). npm's layout has them beside it.
_GIVEN = {
    "express": ("ejs", "eta", "hbs", "jade", "pug", "squirrelly", "twig", "vash"),
    "webpack": ("webpack-cli",),
}


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
    own = installed(lock)
    links = {at: entry for at, entry in entries.items() if entry.link is not None and not at.startswith("../")}
    declared = {at: {name: edge.to for name, edge in found.items()} for at, found in edges.items()}
    imported = {at: dict(found) for holder in own for at, found in _imported(holder, lock, seen[holder], declared)}
    needs = folded({at: declared.get(at, {}) | imported.get(at, {}) for at in sorted({*declared, *imported})}, held)
    undeclared = {at: needs[at].keys() - found.keys() for at, found in folded(declared, held).items()}
    limited = {at for at, entry in entries.items() if entry.optional and (entry.os or entry.cpu or entry.libc)}
    alone = {at: optional_set([at], edges, into) for at in limited}
    ends = set[str]().union(*alone.values())
    together = optional_set(limited, edges, into) - ends
    ring = cycles({at: [place for place in needs[at].values() if place in own] for at in own})

    def package(at: str, entry: Entry) -> NpmPackage:
        directed = entries[entry.link] if entry.link is not None else entry
        drops = {held.get(place, place) for place in alone.get(at, ())} - {at}
        return NpmPackage(
            at=at,
            name=directed.name,
            version=directed.version,
            archive=seen[at].archive if at in own else None,
            link=entry.link,
            dependencies=needs[at] if at in own else {},
            undeclared=tuple(sorted(undeclared[at])) if at in own else (),
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
            serves=tuple(sorted({held.get(place, place) for place in _served(at, ends, into)}))
            if at in together
            else (),
            cycle=ring.get(at),
        )

    return NpmLock(
        name=lock.name,
        packages=tuple(package(at, entry) for at, entry in sorted({**own, **links}.items())),
        workspaces=lock.workspaces,
        scripts=tuple(sorted(scripts)),
    )


def _served(at: str, ends: Container[str], into: Mapping[str, Collection[str]]) -> set[str]:
    """Return which of some places lead to a place, none of them through another one."""
    found, seen, waiting = set(), {at}, [at]
    while waiting:
        for source in set(into.get(waiting.pop(), ())) - seen:
            seen.add(source)
            if source in ends:
                found.add(source)
            else:
                waiting.append(source)
    return found


def _imported(
    holder: str, lock: PackageLock, seen: Seen, declared: Mapping[str, Mapping[str, str]]
) -> Iterator[tuple[str, Iterator[tuple[str, str]]]]:
    """Yield for each package of an archive what its sources import, npm's layout has, and it does not declare."""
    given = {"": _GIVEN.get(lock.entries[holder].name, ())}
    for directory in {**given, **seen.imports}:
        names = dict.fromkeys((*seen.imports.get(directory, ()), *given.get(directory, ())))
        at = f"{holder}/{directory}" if directory else holder
        places = ((name, find(lock.entries, at, name)) for name in names if name not in declared.get(at, ()))
        yield at, ((name, place) for name, place in places if place is not None and place != at)
