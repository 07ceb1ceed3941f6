"""Show who requires whom in the environment, as a tree.

At the top stands what the project asks for, or the project itself where it is a package; below
each package what it asks for there: with the markers of the target, and the extras that are asked
for. (*) marks what was shown above with all below it.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen tree --depth 1", "what the project asks for, and what that asks for"),
    ("nixgen tree flask", "one package and what it asks for"),
    ("nixgen tree --invert markupsafe", "who asks for it, up to the project"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.add_argument("package", nargs="*", metavar="PACKAGE", help="start from these packages")
    parser.add_argument("-d", "--depth", type=_depth, metavar="N", help="show N levels below the first (default: all)")
    parser.add_argument("--invert", action="store_true", help="show below a package who asks for it")
    parser.add_argument("--json", action="store_true", help="print the whole graph as JSON (docs/commands.md)")
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Print the tree; return the exit code.

    Raises:
        NixgenError: as ``nixgen.cli.graph.load``; or the environment does not have a package.
    """
    import json

    from nixgen.cli.graph import known, load, row_text
    from nixgen.environments.graph import described
    from nixgen.graph.rows import tree_rows
    from nixgen.targets import default_system

    choice, graph = load(options)
    names = known(choice, options.package)
    if options.json:
        print(json.dumps({"python": choice.python, "system": default_system(), **described(graph)}, indent=1))
        return 0
    again = False
    for row in tree_rows(graph, names, depth=options.depth, invert=options.invert):
        print(row_text(graph, row))
        again = again or row.again
    if again:
        print("(*) shown above with all below it")
    return 0


def _depth(text: str) -> int:
    try:
        depth = int(text)
    except ValueError:
        depth = -1
    if depth < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of levels: give 0, 1, 2, …")
    return depth
