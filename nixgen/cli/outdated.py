"""List the packages that have newer versions: what the requirements allow, and the latest.

"allowed" is what `nixgen upgrade` would take, "latest" the newest that has a wheel for this Python
and system, whatever is required. Of packages of npm, npm says both. Nothing is written.
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
    from nixgen.environments.kinds import Kinds
    from nixgen.locking.outdated import outdated

    console, wanted = Console(quiet=options.quiet), request(options)
    kinds = Kinds.of(wanted.base)
    report: dict[str, object] = {}
    rows: list[tuple[str, ...]] = []
    said: list[str] = []
    if kinds.python:
        choice = Choice.of(wanted)
        found = outdated(choice, resolver_options(options), console)
        report = {"checked": len(choice.packages), "packages": [asdict(one) for one in found]}
        rows += [(one.name, one.current, one.allowed or "?", one.latest or "?", "") for one in found]
        said.append(f"{len(found)} of {count(len(choice.packages), 'package')} have newer versions")
    if kinds.npm:
        from nixgen.npm.outdated import outdated_npm
        from nixgen.npm.selection import Selection

        selection = Selection.of(wanted)
        newer = outdated_npm(selection, wanted.base, console)
        checked = len({(one.name, one.version) for one in selection.packages if one.archive is not None})
        report["npm"] = {"checked": checked, "packages": [asdict(one) for one in newer]}
        rows += [(one.name, one.current, one.allowed or "?", one.latest or "?", "npm") for one in newer]
        said.append(f"{len(newer)} of {count(checked, 'package')} of npm have newer versions")
    if options.json:
        print(json.dumps(report, indent=1))
        return 0
    if rows:
        print_table([("package", "current", "allowed", "latest", ""), *rows])
    for line in said:
        console.say(line)
    return 0
