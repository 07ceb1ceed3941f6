"""Which package finds which: as Node.js looks for it, in ``node_modules`` from its own directory upwards.

A lock of npm has no edges. They follow from what each package asks for and where the packages lie, and are the same as
those of npm's own arborist (``tests/npm/test_arborist.py``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from nixgen.npm.package_lock import MODULES, Entry, own_name


@dataclass(frozen=True, kw_only=True)
class Edge:
    """That a package finds another: its place, and whether it would do without."""

    to: str
    optional: bool


#: The edges of each place, by the name that is asked for.
Edges = Mapping[str, Mapping[str, Edge]]


def find(places: Collection[str], at: str, name: str) -> str | None:
    """Return the place where a package is found from another; None where Node.js finds none.

    Args:
        places: all places that there are.
        at: where it is looked for from.
        name: what is asked for.
    """
    for directory in _upwards(at):
        place = f"{directory}/{MODULES}/{name}" if directory else f"{MODULES}/{name}"
        if place in places:
            return place
    return None


def _upwards(at: str) -> Iterator[str]:
    """Yield a directory and those above it, up to the project's; of one beside the project, up to where they part."""
    while at and at.rpartition("/")[2] != "..":
        if at.rpartition("/")[2] != MODULES:
            yield at
        at = at.rpartition("/")[0]
    if not at:
        yield at


def edges_of(entries: Mapping[str, Entry]) -> dict[str, dict[str, Edge]]:
    """Return the edges between places; what is asked for and is nowhere has none."""
    found: dict[str, dict[str, Edge]] = {}
    for at, entry in entries.items():
        places = {name: find(entries, at, name) for name in entry.wants}
        found[at] = {
            name: Edge(to=place, optional=entry.wants[name])
            for name, place in places.items()
            if place is not None and place != at
        }
    return found


def holders(entries: Mapping[str, Entry]) -> dict[str, str]:
    """Return for each place whose files lie in the archive of another, the place of that other.

    What the project bundles itself lies in an archive of its own: it is bundled only once the project is packed.
    """
    found = {}
    for at, entry in entries.items():
        above = at
        while entry.bundled and above in entries and entries[above].bundled:
            above = _above(above)
        if entry.bundled and above in entries and entries[above].is_installed:
            found[at] = above
    return found


def _above(at: str) -> str:
    """Return the place that a place lies in."""
    return at.rpartition(f"{MODULES}/")[0].removesuffix("/")


def folded(edges: Mapping[str, Mapping[str, str]], held: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """Return what each package finds outside of its archive, with what it holds itself counted to it.

    The key says where the package is to lie, below the ``node_modules`` that has the archive: its name alone, beside
    the archive; or inside, where something else is called so beside (``a/node_modules/a``, an older one of the same).

    Args:
        edges: the places that each place finds, by name.
        held: what ``holders`` gives.
    """
    found: dict[str, dict[str, str]] = {}
    for at in sorted(edges, key=lambda place: (place in held, place)):
        holder = held.get(at, at)
        known = found.setdefault(holder, {})
        for name, place in edges[at].items():
            if held.get(place, place) == holder:
                continue
            beside = name != own_name(holder) and known.get(name, place) == place
            known[name if beside else f"{own_name(holder)}{at[len(holder) :]}/{MODULES}/{name}"] = place
    return found


def optional_set(places: Collection[str], edges: Edges, into: Mapping[str, Collection[str]]) -> set[str]:
    """Return the places that go where some optional ones do not fit a system, themselves too: npm's own rule.

    Those that need it and are optional themselves, and what nobody else then needs (arborist, ``optional-set.js``).

    Args:
        places: the optional ones.
        edges: between all places.
        into: the places that have an edge to each.
    """
    core, waiting = {*places}, [*places]
    while waiting:
        place = waiting.pop()
        for source in into.get(place, ()):
            needs = any(edge.to == place and not edge.optional for edge in edges[source].values())
            if needs and source not in core:
                core.add(source)
                waiting.append(source)
    gathered, waiting = set(core), list(core)
    while waiting:
        for edge in edges.get(waiting.pop(), {}).values():
            if edge.to not in gathered:
                gathered.add(edge.to)
                waiting.append(edge.to)
    waiting = [*gathered]
    while waiting:
        place = waiting.pop()
        if place in gathered and place not in core and any(source not in gathered for source in into.get(place, ())):
            gathered.discard(place)
            waiting += [edge.to for edge in edges.get(place, {}).values()]
    return gathered


def sources_of(edges: Edges) -> dict[str, set[str]]:
    """Return the places that have an edge to each place."""
    found: dict[str, set[str]] = {}
    for at, own in edges.items():
        for edge in own.values():
            found.setdefault(edge.to, set()).add(at)
    return found


def cycles(graph: Mapping[str, Collection[str]]) -> dict[str, str]:
    """Return the smallest place of its cycle for each place that is in one: strongly connected components (Tarjan).

    Args:
        graph: the places that each place needs.
    """
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    path: list[str] = []
    on_path: set[str] = set()
    found: dict[str, str] = {}
    work: list[tuple[str, Iterator[str]]] = []

    def enter(place: str) -> None:
        number[place] = lowest[place] = len(number)
        path.append(place)
        on_path.add(place)
        work.append((place, iter(graph.get(place, ()))))

    def leave(place: str) -> None:
        if work:
            above = work[-1][0]
            lowest[above] = min(lowest[above], lowest[place])
        if lowest[place] == number[place]:
            component = [path.pop()]
            while component[-1] != place:
                component.append(path.pop())
            on_path.difference_update(component)
            if len(component) > 1:
                found.update(dict.fromkeys(component, min(component)))

    for root in graph:
        if root not in number:
            enter(root)
        while work:  # a package may need another of another, a thousand deep: no calls that call themselves
            place, targets = work[-1]
            target = next(targets, None)
            if target is None:
                work.pop()
                leave(place)
            elif target not in number:
                enter(target)
            elif target in on_path:
                lowest[place] = min(lowest[place], number[target])
    return found
