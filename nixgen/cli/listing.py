"""List the packages of the environment: name, version, size, from where, and whether it was asked for.

"direct" is what the project's own files ask for; what only other packages ask for has nothing there.
The size is that of the files that the wheel installs; of a package of npm, that of its archive. Where
one of npm lies elsewhere than at the top of node_modules, its places are said. Nothing has to be built.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.environments.graph import Listed
    from nixgen.npm.graph import Listed as Modules

#: What stands for a kind of source in the table.
_KINDS = {"archive": "source archive"}


EXAMPLES = (
    ("nixgen list", ""),
    ("nixgen list --all-extras --all-groups", ""),
    ("nixgen list --json | jq '.packages[] | select(.direct) | .name'", ""),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.add_argument("--json", action="store_true", help="print JSON (docs/commands.md says what it holds)")
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Print the table; return the exit code.

    Raises:
        NixgenError: there is no lock, it does not hold what is chosen, or the index of a wheel cannot be read again.
    """
    import json
    from dataclasses import asdict

    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console, count, print_table, size
    from nixgen.environments.kinds import Kinds
    from nixgen.targets import default_system

    console, wanted = Console(quiet=options.quiet), request(options)
    kinds = Kinds.of(wanted.base)
    found: dict[str, object] = {"system": default_system()}
    rows: list[tuple[str, ...]] = []
    said: list[str] = []
    if kinds.python:
        from nixgen.environments.choice import Choice
        from nixgen.environments.graph import listed

        choice = Choice.of(wanted)
        packages = listed(choice, console)
        found = {"python": choice.python, **found, "packages": [asdict(one) for one in packages]}
        rows += [_row(package) for package in packages]
        every, direct = sum(package.size or 0 for package in packages), sum(package.direct for package in packages)
        said.append(f"{count(len(packages), 'package')}, {direct} direct, {size(every)}")
    if kinds.npm:
        from nixgen.npm.graph import listed as listed_npm
        from nixgen.npm.graph import npm_graph
        from nixgen.npm.selection import Selection

        selection = Selection.of(wanted)
        modules = listed_npm(selection.packages, npm_graph(selection.packages, selection.manifests))
        found["npm"] = [asdict(one) for one in modules]
        rows += [_npm_row(package) for package in modules]
        every, direct = sum(package.archive or 0 for package in modules), sum(package.direct for package in modules)
        said.append(f"{count(len(modules), 'package')} of npm, {direct} direct, {size(every)} packed")
    if options.json:
        print(json.dumps(found, indent=1))
        return 0
    print_table(rows, right=(3,))
    for line in said:
        console.say(line)
    return 0


def _npm_row(package: Modules) -> tuple[str, ...]:
    """Return the row of a package of npm: with its places, where they are not what its name says."""
    from nixgen.cli.console import size

    is_directory = package.kind == "directory"
    unknown = "" if is_directory else "?"
    source = [] if package.kind == "registry" else [package.place]
    places = () if is_directory or package.places == (f"node_modules/{package.name}",) else package.places
    return (
        package.name,
        package.version,
        "direct" if package.direct else "",
        unknown if package.archive is None else size(package.archive),
        " ".join(["npm", *source, *([", ".join(places)] if places else [])]),
    )


def _row(package: Listed) -> tuple[str, ...]:
    from nixgen.cli.console import size, without_secrets

    place = package.place if package.kind in ("url", "path", "git", "directory") else ""
    return (
        package.name,
        package.version,
        "direct" if package.direct else "",
        "?" if package.size is None else size(package.size),
        " ".join(filter(None, [_KINDS.get(package.kind, package.kind), without_secrets(place)])),
    )
