"""Show who requires whom in the environment, as a tree.

At the top stands what the project asks for, or the project itself where it is a package; below
each package what it asks for there: with the markers of the target, and the extras that are asked
for. (*) marks what was shown above with all below it. Packages of npm follow, by the edges of the
lock; where one does not lie at the top of node_modules, its place is said.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.cli.graph import Loaded

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

    from nixgen.cli.graph import OF_NPM, asked_for, known, load, needed_for, place_text, row_text
    from nixgen.graph.rows import tree_rows

    loaded = load(options)
    named = known(loaded, options.package)
    if options.json:
        print(json.dumps(_described(loaded), indent=1))
        return 0
    again = printed = False
    if loaded.python is not None and (named.python or not options.package):
        graph = loaded.python[1]
        for row in tree_rows(graph, named.python, depth=options.depth, invert=options.invert):
            print(row_text(row, f"{row.name} {graph.versions[row.name]}{asked_for(row.edge)}"))
            again, printed = again or row.again, True
    if loaded.npm is not None and (named.npm or not options.package):
        selection, needs = loaded.npm
        packages = {package.at: package for package in selection.packages}
        if printed:
            print(f"\n{OF_NPM}")
        for one in tree_rows(needs, named.npm, depth=options.depth, invert=options.invert):
            print(row_text(one, place_text(packages[one.name]) + needed_for(one.edge)))
            again = again or one.again
    if again:
        print("(*) shown above with all below it")
    return 0


def _described(loaded: Loaded) -> dict[str, object]:
    """Return what JSON says (docs/commands.md)."""
    from nixgen.environments.graph import described
    from nixgen.npm import graph as npm
    from nixgen.targets import default_system

    found: dict[str, object] = {"system": default_system()}
    if loaded.python is not None:
        choice, graph = loaded.python
        found = {"python": choice.python, **found, **described(graph)}
    if loaded.npm is not None:
        selection, needs = loaded.npm
        found["npm"] = npm.described(needs, selection.packages)
    return found


def _depth(text: str) -> int:
    try:
        depth = int(text)
    except ValueError:
        depth = -1
    if depth < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of levels: give 0, 1, 2, …")
    return depth
