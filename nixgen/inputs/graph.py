"""Which versions of a lock are reached from what a project asks for, where the lock does not say so itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from packaging.markers import Marker
from packaging.version import Version

#: Where a user's choice leads: "" for always, else a selector (``extra:web``, ``group:dev``).
Part = str


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A requirement, for one target.

    Attributes:
        name: what is required, normalized.
        extras: the extras of it.
        allows: tells whether a version will do.
        holds: tells whether it counts where an extra of who requires it is chosen; "" for none.
    """

    name: str
    extras: frozenset[str] = frozenset()
    allows: Callable[[str], bool] = lambda version: True
    holds: Callable[[str], bool] = lambda extra: True


@dataclass(frozen=True, kw_only=True)
class Node:
    """A version that is locked.

    Attributes:
        name: normalized.
        version: as the lock spells it.
        edges: what it requires.
    """

    name: str
    version: str
    edges: Sequence[Edge] = ()


def reached(roots: Mapping[Part, Sequence[Edge]], nodes: Iterable[Node]) -> dict[tuple[str, str], set[Part]]:
    """Return from which parts of a project each version is reached; what is not reached is not there.

    Of several versions of one name that are locked, the newest is taken that all who reach it allow, as the tools do
    that write such locks: they are alternatives for different systems or Pythons, never side by side.

    Args:
        roots: what each part asks for.
        nodes: what is locked, for one target.
    """
    by_name: dict[str, list[Node]] = {}
    for node in nodes:
        by_name.setdefault(node.name, []).append(node)
    for several in by_name.values():
        several.sort(key=lambda node: Version(node.version), reverse=True)
    asked: dict[str, set[Edge]] = {}
    while True:
        taken = {name: _best(several, asked.get(name, ())) for name, several in by_name.items()}
        found, met = _walk(roots, taken)
        more = {name: asked.get(name, set()) | edges for name, edges in met.items() if len(by_name.get(name, ())) > 1}
        if more.items() <= asked.items():
            return found
        asked |= more


def markers(parts: Collection[Part]) -> Marker | None:
    """Return the marker, as in a PEP 751 lock, of what is wanted by some parts; None for always."""
    if "" in parts:
        return None
    sets = {"extra": "extras", "group": "dependency_groups"}
    split = (part.partition(":") for part in sorted(parts))
    return Marker(" or ".join(f'"{name}" in {sets[kind]}' for kind, _, name in split))


def _best(several: Sequence[Node], asked: Collection[Edge]) -> Node:
    """Return, of versions that are listed newest first, the first that as many requirements allow as can be."""
    return max(several, key=lambda node: sum(edge.allows(node.version) for edge in asked))


def _walk(
    roots: Mapping[Part, Sequence[Edge]], taken: Mapping[str, Node]
) -> tuple[dict[tuple[str, str], set[Part]], dict[str, set[Edge]]]:
    """Return from which parts each version is reached, and the requirements on each name that were met."""
    found: dict[tuple[str, str], set[Part]] = {}
    met: dict[str, set[Edge]] = {}
    for part, wanted in roots.items():
        waiting = [edge for edge in wanted if edge.holds("")]
        seen: set[tuple[str, str]] = set()
        while waiting:
            edge = waiting.pop()
            met.setdefault(edge.name, set()).add(edge)
            node = taken.get(edge.name)
            if node is None:
                continue  # a requirement of another system or Python
            found.setdefault((node.name, node.version), set()).add(part)
            for chosen in ("", *sorted(edge.extras)):
                if (node.name, chosen) not in seen:
                    seen.add((node.name, chosen))
                    waiting += [one for one in node.edges if one.holds(chosen)]
    return found, met
