"""Say why a package is in the environment: every chain from the project to it, the shortest first."""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen why markupsafe", ""),
    ("nixgen why --all-extras --all-groups markupsafe", ""),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.add_argument("name", metavar="NAME", help="the package")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/commands.md says what it holds)")
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Print the chains; return the exit code.

    Raises:
        NixgenError: as ``nixgen.cli.graph.load``; or the environment does not have the package.
    """
    import json

    from nixgen.cli.console import count
    from nixgen.cli.graph import arrow, asked_for, known, load

    choice, graph = load(options)
    (name,) = known(choice, [options.name])
    chains, whole = graph.chains(name)
    if options.json:
        found = {
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
        print(json.dumps(found, indent=1))
        return 0
    print(f"{name} {graph.versions[name]}" + (" is the project itself" if name == graph.own else ""))
    for chain in chains:
        steps = [
            f"{edge.name}{asked_for(edge)}" + (f" ({edge.specifier})" if edge.specifier else "") for _, edge in chain
        ]
        print("  " + arrow().join(["the project", *steps]))
    if not whole:
        print(f"these are {count(len(chains), 'chain')}, and there are more: `nixgen tree --invert {name}` folds them")
    return 0
