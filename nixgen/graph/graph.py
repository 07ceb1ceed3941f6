"""The graph of an environment: its packages, and an edge for each that another one, or the project, asks for."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

#: How many packages ``Graph.chains`` looks at before it gives up: chains may double with each package.
_MOST_STEPS = 50_000


class Link(Protocol):
    """What an edge is to a graph: it names the package that is asked for."""

    @property
    def name(self) -> str:
        """The key of that package in the graph."""
        ...

    @property
    def is_aside(self) -> bool:
        """Whether the project asks for it, and those who use the project as a package do not get it."""
        ...


E = TypeVar("E", bound=Link)


@dataclass(frozen=True, kw_only=True)
class Graph(Generic[E]):
    """Who asks for whom, whatever kind of packages they are.

    Attributes:
        versions: the version of each package of the environment, by its name; where several may have a name, by what
            tells them apart.
        roots: what the project asks for; of an environment whose inputs do not tell, what nobody else there asks for.
        edges: what each package asks for, by its name, in the order of the names.
        unknown: packages that are built and are not built yet, so that nobody knows what they ask for.
        own: the project itself, where it is one of the packages.
    """

    versions: Mapping[str, str]
    roots: tuple[E, ...]
    edges: Mapping[str, tuple[E, ...]]
    unknown: tuple[str, ...] = ()
    own: str | None = None
    _asked_by: dict[str, list[tuple[str, E]]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def direct(self) -> frozenset[str]:
        """The packages that the project asks for itself."""
        return frozenset(edge.name for edge in self.roots)

    def asked_by(self, name: str) -> Sequence[tuple[str, E]]:
        """Return who asks for a package, with the edge, sorted by name."""
        if not self._asked_by:
            for asker, edges in sorted(self.edges.items()):
                for edge in edges:
                    self._asked_by.setdefault(edge.name, []).append((asker, edge))
        return self._asked_by.get(name, [])

    def chains(self, name: str, most: int = 1000) -> tuple[list[tuple[tuple[str, E], ...]], bool]:
        """Return the ways from the project to a package, and whether those are all.

        Args:
            name: the package.
            most: how many are enough.

        Returns:
            chains, the shortest first, none of which meets a package twice: each of pairs, who asks ("" for the
            project) and the edge.
        """
        roots: dict[str, list[E]] = {}
        for edge in self.roots:
            roots.setdefault(edge.name, []).append(edge)
        found: list[tuple[tuple[str, E], ...]] = []
        waiting: deque[tuple[tuple[str, E], ...]] = deque([()])
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
