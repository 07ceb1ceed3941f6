"""What the verbs say alike that show who requires whom."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.environments.choice import Choice
    from nixgen.graph import Edge, Graph
    from nixgen.graph.graph import E
    from nixgen.graph.rows import Row
    from nixgen.npm.graph import NpmEdge
    from nixgen.npm.model import NpmPackage
    from nixgen.npm.selection import Selection

#: What stands above npm's packages where Python's stand before.
OF_NPM = "packages of npm:"


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """Who requires whom in an environment.

    Attributes:
        python: of Python's packages; None where the lock has none.
        npm: of npm's likewise.
    """

    python: tuple[Choice, Graph[Edge]] | None
    npm: tuple[Selection, Graph[NpmEdge]] | None


@dataclass(frozen=True, kw_only=True)
class Named:
    """What somebody names.

    Attributes:
        python: names of Python's packages, normalized.
        npm: places of npm's.
    """

    python: list[str]
    npm: list[str]


def load(options: argparse.Namespace) -> Loaded:
    """Return who requires whom in the environment that a command line asks for.

    Raises:
        NixgenError: as ``Choice.of``, ``graph_of`` and ``Selection.of``.
    """
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.kinds import Kinds

    wanted = request(options)
    kinds = Kinds.of(wanted.base)
    python: tuple[Choice, Graph[Edge]] | None = None
    npm: tuple[Selection, Graph[NpmEdge]] | None = None
    if kinds.python:
        from nixgen.environments.choice import Choice
        from nixgen.environments.graph import graph_of

        choice = Choice.of(wanted)
        python = choice, graph_of(choice, Console(quiet=options.quiet))
    if kinds.npm:
        from nixgen.npm.graph import npm_graph
        from nixgen.npm.selection import Selection

        selection = Selection.of(wanted)
        npm = selection, npm_graph(selection.packages, selection.manifests)
    return Loaded(python=python, npm=npm)


def known(loaded: Loaded, names: Iterable[str]) -> Named:
    """Return the packages that an environment has to have; one name may be of Python's and of npm's.

    Raises:
        InputError: it lacks one; says the nearest, or who would bring it.
    """
    import difflib

    from packaging.utils import canonicalize_name

    from nixgen.errors import InputError
    from nixgen.npm.graph import places_of

    held: set[str] = set()
    everywhere: set[str] = set()
    if loaded.python is not None:
        choice, _ = loaded.python
        held = {package.name for package in choice.packages}
        everywhere = {package.name for locked in choice.lock.targets for package in locked.packages}
    chosen = loaded.npm[0].packages if loaded.npm is not None else ()
    locked_npm = loaded.npm[0].lock.packages if loaded.npm is not None else ()
    found = Named(python=[], npm=[])
    for given in names:
        name, places = canonicalize_name(given), places_of(chosen, given)
        if name not in held and not places:
            near = difflib.get_close_matches(name, sorted(held | {package.name for package in chosen}), n=1)
            elsewhere = name in everywhere or bool(places_of(locked_npm, given))
            raise InputError(
                f"the environment has no package named {given}" + (f": did you mean {near[0]}?" if near else ""),
                where="nixgen.lock" + (", which has it for another choice or target" if elsewhere else ""),
                todo="see what it has: `nixgen list`, with --all-extras and --all-groups for everything",
            )
        if name in held:
            found.python.append(name)
        found.npm.extend(places)
    return found


def row_text(row: Row[E], text: str) -> str:
    """Return a row of a tree as it is printed.

    Args:
        row: the row.
        text: what it says.
    """
    bars = _bars()
    drawn = "".join(bars[2] if last else bars[3] for last in row.lasts[:-1])
    if row.lasts:
        drawn += bars[0] if row.lasts[-1] else bars[1]
    return f"{drawn}{text}" + (" (*)" if row.again else "")


def asked_for(edge: Edge | None) -> str:
    """Return what an edge says beside the names: extras that are asked for, and under which condition."""
    if edge is None:
        return ""
    said = f" [{', '.join(edge.extras)}]" if edge.extras else ""
    said += f" (extra: {edge.extra})" if edge.extra else ""
    return said + (f" (group: {edge.group})" if edge.group else "")


def place_text(package: NpmPackage) -> str:
    """Return a package of npm as it is named: with its place, where that is not what its name says."""
    said = f"{package.name} {package.version}".rstrip()
    if package.link is not None:
        return f"{said} ({package.link})"
    return said if package.at == f"node_modules/{package.name}" else f"{said} at {package.at}"


def needed_for(edge: NpmEdge | None) -> str:
    """Return what an edge between packages of npm says beside the places."""
    if edge is None:
        return ""
    kind = edge.table.removesuffix("Dependencies") or ("undeclared" if edge.undeclared else "")
    return f" ({kind})" if kind else ""


def arrow() -> str:
    """Return what stands between who asks and who is asked for."""
    return " → " if _draws() else " -> "


def _bars() -> tuple[str, str, str, str]:
    return ("└── ", "├── ", "    ", "│   ") if _draws() else ("`-- ", "|-- ", "    ", "|   ")


def _draws() -> bool:
    """Tell whether what is printed to can show more than ASCII."""
    return (sys.stdout.encoding or "ascii").lower().replace("-", "") in ("utf8", "utf16", "utf32")
