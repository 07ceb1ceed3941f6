"""List the packages that have newer versions: what the requirements allow, and the latest.

"allowed" is what `nixgen upgrade` would take, "latest" the newest that has a wheel for this Python
and system, whatever is required. Nothing is written.
"""

from __future__ import annotations

import argparse

EXAMPLES = (
    ("nixgen outdated", "of the environment"),
    ("nixgen outdated --all-extras --all-groups", "of everything that is locked"),
    ("nixgen outdated --json", "for a program to read"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice
    from nixgen.cli.lock import add_resolution

    parser.add_argument("--json", action="store_true", help="print JSON (docs/commands.md says what it holds)")
    add_choice(parser)
    add_resolution(parser, upgrade=False)


def run(options: argparse.Namespace) -> int:
    """Print the table; return the exit code.

    Raises:
        NixgenError: there is no lock, or the index does not answer.
    """
    import json
    from dataclasses import asdict

    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console, count, print_table
    from nixgen.cli.lock import resolver_options
    from nixgen.environments.choice import Choice
    from nixgen.locking.outdated import outdated

    console = Console(quiet=options.quiet)
    choice = Choice.of(request(options))
    found = outdated(choice, resolver_options(options), console)
    if options.json:
        print(json.dumps({"checked": len(choice.packages), "packages": [asdict(one) for one in found]}, indent=1))
        return 0
    if found:
        rows = [(one.name, one.current, one.allowed or "?", one.latest or "?") for one in found]
        print_table([("package", "current", "allowed", "latest"), *rows])
    console.say(f"{len(found)} of {count(len(choice.packages), 'package')} have newer versions")
    return 0
