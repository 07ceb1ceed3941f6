"""The graph that requirements of wheels make: an edge for each that holds in an environment."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.markers import Environment
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixgen.graph.direct import Asked
from nixgen.graph.graph import Graph


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

    @property
    def is_aside(self) -> bool:
        """Whether a dependency group has it, which is not of the project as a package (PEP 735)."""
        return self.group is not None


def requirement_graph(
    versions: Mapping[str, str],
    requires: Mapping[str, Iterable[str]],
    asked: Iterable[Asked] | None,
    environment: Environment,
    *,
    own: str | None = None,
) -> Graph[Edge]:
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
