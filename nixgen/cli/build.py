"""Fetch what the store lacks and build the environment of the lock, as ./result.

The result is the one that `nix-build nix` gives with the same interpreter, to the same
store path. Wheels are only fetched for files that the store does not have yet, and of a
wheel only those files where that is cheaper; a second run does nothing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = (
    ("nixgen build", "the environment, as ./result"),
    ("nixgen build --extra web --group dev", "with an extra and a group"),
    ("nixgen build --locked --no-out-link", "in CI"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    add_choice(parser)
    parser.add_argument(
        "-o", "--out-link", metavar="PATH", help="the link to make (default: result in the project's directory)"
    )
    parser.add_argument(
        "--mounted",
        action="store_true",
        help="build its image, which `nixgen venv --mounted` mounts",
    )
    parser.add_argument("--no-out-link", action="store_true", help="make no link")


def run(options: argparse.Namespace) -> int:
    """Build an environment and print its store path; return the exit code.

    Raises:
        NixgenError: with what stands in the way; the previous result stays.
    """
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.build import build
    from nixgen.environments.kinds import Kinds

    link = Path(options.out_link or Path(options.directory, "result"))
    wanted, console = request(options)._replace(mounted=options.mounted), Console(quiet=options.quiet)
    kinds = Kinds.of(wanted.base)
    if kinds.python:
        print(build(wanted, None if options.no_out_link else link, console))
        # Once is enough to say that inputs have changed.
        wanted = wanted._replace(check="frozen")
    if kinds.npm:
        from nixgen.environments.npm import build_npm

        link = link.with_name(f"{link.name}-npm") if kinds.python else link
        print(build_npm(wanted, None if options.no_out_link else link, console))
    return 0
