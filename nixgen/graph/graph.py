"""The graph of an environment: its packages, and an edge for each requirement that holds there."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from packaging.markers import Environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixgen.graph.direct import Asked

#: How many packages ``Graph.chains`` looks at before it gives up: chains may double with each package.
_MOST_STEPS = 50_000


@dataclass(frozen=True, kw_only=True)
class Edge:
    """A package that another one, or the project, asks for.

    Attributes:
        name: the package that is asked for, normalized.
        extras: the extras of it that are asked for, normalized and sorted.
        specifier: the versions that would do, ``>=3.1,<4``; "" for any.
        extra: the extra of who asks that has the requirement; None for one without condition.
        group: the dependency group of the project that has it.
    """

    name: str
    extras: tuple[str, ...] = ()
    specifier: str = ""
    extra: str | None = None
    group: str | None = None


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Who asks for whom.

    Attributes:
        versions: the version of each package of the environment, by its name.
        roots: what the project asks for; of an environment whose inputs do not tell, what nobody else there asks for.
        edges: what each package asks for, by its name, in the order of the names.
        unknown: packages that are built and are not built yet, so that nobody knows what they ask for.
        own: the project itself, where it is one of the packages.
    """

    versions: Mapping[str, str]
    roots: tuple[Edge, ...]
    edges: Mapping[str, tuple[Edge, ...]]
    unknown: tuple[str, ...] = ()
    own: str | None = None
    _asked_by: dict[str, list[tuple[str, Edge]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def direct(self) -> frozenset[str]:
        """The packages that the project asks for itself."""
        return frozenset(edge.name for edge in self.roots)

    def asked_by(self, name: str) -> Sequence[tuple[str, Edge]]:
        """Return who asks for a package, with the edge, sorted by name."""
        if not self._asked_by:
            for asker, edges in sorted(self.edges.items()):
                for edge in edges:
                    self._asked_by.setdefault(edge.name, []).append((asker, edge))
        return self._asked_by.get(name, [])

    def chains(self, name: str, most: int = 1000) -> tuple[list[tuple[tuple[str, Edge], ...]], bool]:
        """Return the ways from the project to a package, and whether those are all.

        Args:
            name: the package.
            most: how many are enough.

        Returns:
            chains, the shortest first, none of which meets a package twice: each of pairs, who asks ("" for the
            project) and the edge.
        """
        roots: dict[str, list[Edge]] = {}
        for edge in self.roots:
            roots.setdefault(edge.name, []).append(edge)
        found: list[tuple[tuple[str, Edge], ...]] = []
        waiting: deque[tuple[tuple[str, Edge], ...]] = deque([()])
        steps = 0
        while waiting:
            chain = waiting.popleft()
            steps += 1
            first = chain[0][0] if chain else name
            found += [(("", edge), *chain) for edge in roots.get(first, ())]
            if len(found) >= most or steps > _MOST_STEPS:
                return found[:most], len(found) <= most and not waiting and not self.asked_by(first)
            seen = {first, name, *(asker for asker, _ in chain)}
            waiting += [((asker, edge), *chain) for asker, edge in self.asked_by(first) if asker not in seen]
        return found, True


def requirement_graph(
    versions: Mapping[str, str],
    requires: Mapping[str, Iterable[str]],
    asked: Iterable[Asked] | None,
    environment: Environment,
    *,
    own: str | None = None,
) -> Graph:
    """Return the graph of an environment.

    An extra counts where somebody asks for it, as markers have it (PEP 508); requirements of a package on itself ask
    for its extras and are no edges. What the environment does not hold has no edge.

    Args:
        versions: the version of each of its packages, by its name.
        requires: what each asks for, ``Requires-Dist``, by its name; it may lack some.
        asked: what the project asks for; None where that is not known.
        environment: the target's marker environment.
        own: the project itself, where it is one of the packages.
    """
    parsed = {name: _parsed(lines) for name, lines in requires.items()}
    told = [] if asked is None else [*asked]
    roots = [
        edge
        for one in told
        if _holds(one.requirement, environment, "")
        and (edge := _edge(one.requirement, extra=one.extra, group=one.group)).name in versions
    ]
    walk = _Walk(versions, parsed, environment)
    for edge in roots:
        walk.ask(edge.name, edge.extras)
    if own is not None and own in versions:
        walk.ask(own, sorted({edge.extra for edge in roots if edge.extra}))
        if asked is None:
            roots.append(Edge(name=own))
    walk.finish()
    # Without roots, or with packages that nothing of them reaches: those that nobody asks for, then circles.
    while left := sorted(versions.keys() - walk.edges.keys()):
        asked_for = {
            canonicalize_name(one.name)
            for name in left
            for one in parsed.get(name, ())
            if canonicalize_name(one.name) != name and _holds(one, environment, "")
        }
        free = [name for name in left if name not in asked_for] or left[:1]
        for name in free:
            if not told:
                roots.append(Edge(name=name))
            walk.ask(name, ())
        walk.finish()
        if told:
            reached = {edge.name for edges in walk.edges.values() for edge in edges}
            roots += [Edge(name=name) for name in free if name not in reached and name != own]
    return Graph(
        versions=dict(versions),
        roots=tuple(sorted(roots, key=lambda edge: (edge.group or "", edge.extra or "", edge.name))),
        edges=walk.edges,
        unknown=tuple(sorted(versions.keys() - requires.keys())),
        own=own if own in versions else None,
    )


class _Walk:
    """Goes from package to package, again where an extra comes in."""

    def __init__(
        self,
        versions: Mapping[str, str],
        requires: Mapping[str, Sequence[Requirement]],
        environment: Environment,
    ) -> None:
        self._versions, self._requires, self._environment = versions, requires, environment
        self._extras: dict[str, set[str]] = {}
        self._waiting: deque[str] = deque()
        self.edges: dict[str, tuple[Edge, ...]] = {}

    def ask(self, name: str, extras: Iterable[str]) -> None:
        """Take that somebody asks for a package with some extras."""
        known = self._extras.get(name)
        if known is None or not known.issuperset(extras):
            self._extras.setdefault(name, set()).update(extras)
            self._waiting.append(name)

    def finish(self) -> None:
        """Go on until nothing new is asked for."""
        while self._waiting:
            name = self._waiting.popleft()
            found: dict[Edge, None] = {}
            for edge in self._edges_of(name):
                if edge.name == name:
                    self.ask(name, edge.extras)
                elif edge.name in self._versions:
                    found[edge] = None
                    self.ask(edge.name, edge.extras)
            self.edges[name] = tuple(sorted(found, key=lambda edge: (edge.name, edge.extra or "", edge.specifier)))

    def _edges_of(self, name: str) -> Iterator[Edge]:
        for requirement in self._requires.get(name, ()):
            if _holds(requirement, self._environment, ""):
                yield _edge(requirement)
                continue
            for extra in sorted(self._extras[name]):
                if _holds(requirement, self._environment, extra):
                    yield _edge(requirement, extra=extra)
                    break


def _parsed(lines: Iterable[str]) -> tuple[Requirement, ...]:
    found = []
    for line in lines:
        try:
            found.append(Requirement(line))
        except InvalidRequirement:
            continue
    return tuple(found)


def _edge(requirement: Requirement, extra: str | None = None, group: str | None = None) -> Edge:
    return Edge(
        name=canonicalize_name(requirement.name),
        extras=tuple(sorted(map(canonicalize_name, requirement.extras))),
        specifier=str(requirement.specifier) or (f"@ {requirement.url}" if requirement.url else ""),
        extra=extra,
        group=group,
    )


def _holds(requirement: Requirement, environment: Environment, extra: str) -> bool:
    from packaging.markers import UndefinedComparison, UndefinedEnvironmentName

    if requirement.marker is None:
        return True
    try:
        return requirement.marker.evaluate({**environment, "extra": extra})  # type: ignore[dict-item]
    except (UndefinedComparison, UndefinedEnvironmentName):
        return False
