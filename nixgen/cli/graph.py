"""What the verbs say alike that show who requires whom."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.environments.choice import Choice
    from nixgen.graph import Edge, Graph
    from nixgen.graph.rows import Row


def load(options: argparse.Namespace) -> tuple[Choice, Graph]:
    """Return the environment that a command line asks for, and who requires whom there.

    Raises:
        NixgenError: as ``Choice.of`` and ``graph_of``.
    """
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.choice import Choice
    from nixgen.environments.graph import graph_of

    choice = Choice.of(request(options))
    return choice, graph_of(choice, Console(quiet=options.quiet))


def known(choice: Choice, names: Iterable[str]) -> list[str]:
    """Return the normalized names of packages that an environment has to have.

    Raises:
        InputError: it lacks one; says the nearest, or who would bring it.
    """
    import difflib

    from packaging.utils import canonicalize_name

    from nixgen.errors import InputError

    held = {package.name for package in choice.packages}
    everywhere = {package.name for locked in choice.lock.targets for package in locked.packages}
    found: list[str] = []
    for given in names:
        name = canonicalize_name(given)
        if name not in held:
            near = difflib.get_close_matches(name, sorted(held), n=1)
            raise InputError(
                f"the environment has no package named {given}" + (f": did you mean {near[0]}?" if near else ""),
                where="nixgen.lock" + (", which has it for another choice or target" if name in everywhere else ""),
                todo="see what it has: `nixgen list`, with --all-extras and --all-groups for everything",
            )
        found.append(name)
    return found


def row_text(graph: Graph, row: Row) -> str:
    """Return a row of a tree as it is printed."""
    bars = _bars()
    drawn = "".join(bars[2] if last else bars[3] for last in row.lasts[:-1])
    if row.lasts:
        drawn += bars[0] if row.lasts[-1] else bars[1]
    return f"{drawn}{row.name} {graph.versions[row.name]}{asked_for(row.edge)}" + (" (*)" if row.again else "")


def asked_for(edge: Edge | None) -> str:
    """Return what an edge says beside the names: extras that are asked for, and under which condition."""
    if edge is None:
        return ""
    said = f" [{', '.join(edge.extras)}]" if edge.extras else ""
    said += f" (extra: {edge.extra})" if edge.extra else ""
    return said + (f" (group: {edge.group})" if edge.group else "")


def arrow() -> str:
    """Return what stands between who asks and who is asked for."""
    return " → " if _draws() else " -> "


def _bars() -> tuple[str, str, str, str]:
    return ("└── ", "├── ", "    ", "│   ") if _draws() else ("`-- ", "|-- ", "    ", "|   ")


def _draws() -> bool:
    """Tell whether what is printed to can show more than ASCII."""
    return (sys.stdout.encoding or "ascii").lower().replace("-", "") in ("utf8", "utf16", "utf32")
