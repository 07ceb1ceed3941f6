"""Say why a package is in the environment: every chain from the project to it, the shortest first.

A package of npm is named by its name, or by its place where it is at several: node_modules/a/node_modules/b.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.graph import Edge, Graph
    from nixgen.npm.graph import NpmEdge
    from nixgen.npm.selection import Selection

EXAMPLES = (
    ("nixgen why markupsafe", ""),
    ("nixgen why --all-extras --all-groups markupsafe", ""),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.add_argument("name", metavar="NAME", help="the package, or the place of one of npm's")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/commands.md says what it holds)")
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Print the chains; return the exit code.

    Raises:
        NixgenError: as ``nixgen.cli.graph.load``; or the environment does not have the package.
    """
    import json

    from nixgen.cli.graph import OF_NPM, known, load

    loaded = load(options)
    named = known(loaded, [options.name])
    if options.json:
        found: dict[str, object] = {}
        if loaded.python is not None and named.python:
            found = _described(loaded.python[1], named.python[0])
        if loaded.npm is not None:
            found["npm"] = [_described_place(*loaded.npm, at) for at in named.npm]
        print(json.dumps(found, indent=1))
        return 0
    if loaded.python is not None and named.python:
        _print(loaded.python[1], named.python[0])
        if named.npm:
            print(f"\n{OF_NPM}")
    if loaded.npm is not None:
        for at in named.npm:
            _print_place(*loaded.npm, at)
    return 0


def _described(graph: Graph[Edge], name: str) -> dict[str, object]:
    chains, whole = graph.chains(name)
    return {
        "name": name,
        "version": graph.versions[name],
        "direct": name in graph.direct,
        "chains": [
            [
                {"name": edge.name, **{key: value for key, value in vars(edge).items() if value and key != "name"}}
                for _, edge in chain
            ]
            for chain in chains
        ],
        "complete": whole,
    }


def _described_place(selection: Selection, graph: Graph[NpmEdge], at: str) -> dict[str, object]:
    from nixgen.npm.graph import edge_described

    chains, whole = graph.chains(at)
    return {
        "at": at,
        "name": next(package.name for package in selection.packages if package.at == at),
        "version": graph.versions[at],
        "direct": at in graph.direct,
        "chains": [[edge_described(edge) for _, edge in chain] for chain in chains],
        "complete": whole,
    }


def _print(graph: Graph[Edge], name: str) -> None:
    from nixgen.cli.graph import asked_for

    print(f"{name} {graph.versions[name]}" + (" is the project itself" if name == graph.own else ""))
    chains, whole = graph.chains(name)
    _print_chains(
        [
            [f"{edge.name}{asked_for(edge)}" + (f" ({edge.specifier})" if edge.specifier else "") for _, edge in chain]
            for chain in chains
        ],
        name if not whole else None,
    )


def _print_place(selection: Selection, graph: Graph[NpmEdge], at: str) -> None:
    from nixgen.cli.graph import needed_for, place_text

    packages = {package.at: package for package in selection.packages}
    print(place_text(packages[at]))
    chains, whole = graph.chains(at)
    _print_chains(
        [
            [
                place_text(packages[edge.name]) + needed_for(edge) + (f" ({edge.wanted})" if edge.wanted else "")
                for _, edge in chain
            ]
            for chain in chains
        ],
        at if not whole else None,
    )


def _print_chains(chains: list[list[str]], more: str | None) -> None:
    """Print some chains; ``more`` is the package of which there are others."""
    from nixgen.cli.console import count
    from nixgen.cli.graph import arrow

    for steps in chains:
        print("  " + arrow().join(["the project", *steps]))
    if more is not None:
        print(f"these are {count(len(chains), 'chain')}, and there are more: `nixgen tree --invert {more}` folds them")
