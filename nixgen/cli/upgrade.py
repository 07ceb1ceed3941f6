"""Lock anew with newer versions: of all packages, or of those that are named.

What was locked is what a build takes until then; `nixgen sync` takes the new versions into .venv.
A uv.lock is upgraded with it, and packages of npm by npm, as far as package.json allows; where
another tool's lock decides, that tool upgrades: the error says how.
"""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = (
    ("nixgen upgrade", "everything, as far as the requirements allow"),
    ("nixgen upgrade flask werkzeug", "these, and what they need newer"),
    ("nixgen upgrade --dry-run", "only say what would change"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.lock import add_resolution

    parser.add_argument("names", nargs="*", metavar="NAME", help="a package (default: all)")
    parser.add_argument("--dry-run", action="store_true", help="write nothing; say what would change")
    add_resolution(parser, upgrade=False)


def run(options: argparse.Namespace) -> int:
    """Lock a project with newer versions; return the exit code.

    Raises:
        NixgenError: with what stands in the way; nothing is written then.
    """
    from nixgen.cli.console import Console
    from nixgen.cli.lock import resolver_options, say_locked
    from nixgen.locking.again import upgrade
    from nixgen.locking.project import Request

    console = Console(quiet=options.quiet)
    request = Request(base=Path(options.directory), resolver=resolver_options(options))
    made = upgrade(request, options.names, console, write=not options.dry_run)
    say_locked(made, console, options)
    return 0
