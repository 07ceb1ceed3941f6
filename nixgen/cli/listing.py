"""List the packages of the environment: name, version, size, from where, and whether it was asked for.

"direct" is what the project's own files ask for; what only other packages ask for has nothing there.
The size is that of the files that the wheel installs. Nothing has to be built.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.environments.graph import Listed

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
    from nixgen.environments.choice import Choice
    from nixgen.environments.graph import listed
    from nixgen.targets import default_system

    choice = Choice.of(request(options))
    packages = listed(choice, Console(quiet=options.quiet))
    if options.json:
        found = {"python": choice.python, "system": default_system(), "packages": [asdict(one) for one in packages]}
        print(json.dumps(found, indent=1))
        return 0
    print_table([_row(package) for package in packages], right=(3,))
    every = sum(package.size or 0 for package in packages)
    direct = sum(package.direct for package in packages)
    Console(quiet=options.quiet).say(f"{count(len(packages), 'package')}, {direct} direct, {size(every)}")
    return 0


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
