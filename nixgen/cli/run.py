"""Run a command in the environment of the lock, which is built first if it is not there.

The command finds the environment's programs first on PATH, and VIRTUAL_ENV set.
Everything after -- is the command: nixgen run -- python -m flask --version
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    add_choice(parser)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command and its arguments")


def run(options: argparse.Namespace) -> int:
    """Replace this process with a command in the environment.

    Raises:
        NixgenError: with what stands in the way of building it.
        UsageError: there is no command, or nothing of that name.
    """
    from nixgen.cli.activation import execute
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.build import build
    from nixgen.errors import UsageError

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise UsageError("there is no command to run", todo="give one: nixgen run -- python")
    # The link of the project: `nixgen run` and `nixgen build` keep one environment from garbage collection.
    link = Path(options.directory, "result")
    build(request(options), link, Console(quiet=options.quiet))
    execute(link.absolute(), command, os.environ)
