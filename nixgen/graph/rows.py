"""A graph as the rows of a tree, from who asks to who is asked for or the other way round."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic

from nixgen.graph.graph import E, Graph


@dataclass(frozen=True, kw_only=True)
class Row(Generic[E]):
    """A row of a tree.

    Attributes:
        name: the package.
        edge: what it is asked for with, or asks for with, as seen from the row above; None for a package by itself.
        lasts: for each level from the top on, whether what stands there is the last of its kind; empty at the top.
        again: whether what follows below it has been shown before.
    """

    name: str
    edge: E | None = None
    lasts: tuple[bool, ...] = ()
    again: bool = False


def tree_rows(
    graph: Graph[E], names: Sequence[str] = (), *, depth: int | None = None, invert: bool = False
) -> Iterator[Row[E]]:
    """Yield the rows of a tree. What was shown with all below it is not gone into again, so that circles end.

    Args:
        graph: the packages.
        names: those to start from; none for what the project asks for, or, inverted, what asks for nothing.
        depth: how many levels to show below the first; None for all.
        invert: whether below a package stands who asks for it.
    """

    def below(name: str) -> Sequence[tuple[str, E]]:
        if invert:
            return graph.asked_by(name)
        return [(edge.name, edge) for edge in graph.edges.get(name, ())]

    shown: dict[str, int] = {}
    for name, edge in _tops(graph, names, invert):
        yield from _rows(name, edge, (), below, depth, shown)
    if not names:  # circles that nothing leads into
        for name in sorted(graph.versions.keys() - shown.keys()) if depth is None else ():
            if name not in shown:
                yield from _rows(name, None, (), below, depth, shown)


def _tops(graph: Graph[E], names: Sequence[str], invert: bool) -> Iterable[tuple[str, E | None]]:
    if names:
        return [(name, None) for name in names]
    if invert:
        return [(name, None) for name in sorted(graph.versions) if not graph.edges.get(name)]
    if graph.own is None:
        return [(edge.name, edge) for edge in graph.roots]
    return [(graph.own, None), *((edge.name, edge) for edge in graph.roots if edge.is_aside)]


def _rows(
    name: str,
    edge: E | None,
    lasts: tuple[bool, ...],
    below: Callable[[str], Sequence[tuple[str, E]]],
    depth: int | None,
    shown: dict[str, int],
) -> Iterator[Row[E]]:
    """Yield a package and what is below it; its own stack, since a chain may be longer than Python's."""
    waiting = [(name, edge, lasts)]
    while waiting:
        name, edge, lasts = waiting.pop()
        level, inner = len(lasts), below(name)
        again = bool(inner) and (depth is None or level < depth) and shown.get(name, level + 1) <= level
        yield Row(name=name, edge=edge, lasts=lasts, again=again)
        if again:
            continue
        shown[name] = level if depth is not None else 0
        if depth is None or level < depth:
            last = len(inner) - 1
            rows = [(child, by, (*lasts, number == last)) for number, (child, by) in enumerate(inner)]
            waiting.extend(reversed(rows))
