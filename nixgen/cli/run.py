"""Run a command in the environment of the lock, which is built first if it is not there.

The command finds the environment's programs first on PATH, and VIRTUAL_ENV set; of npm's packages,
those in node_modules/.bin. The project itself
is editable: its code is run as it is now.
Everything after -- is the command: nixgen run -- python -m flask --version
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.errors import VerificationError


EXAMPLES = (
    ("nixgen run -- python -m flask --version", ""),
    ("nixgen run --group dev -- pytest -q", ""),
    ("nixgen run -- tsc --noEmit", "a program of npm's packages"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import MOUNTED, add_choice

    add_choice(parser)
    parser.add_argument("--mounted", action="store_true", help=MOUNTED)
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="the command and its arguments")


def run(options: argparse.Namespace) -> int:
    """Replace this process with a command in the environment.

    Raises:
        NixgenError: with what stands in the way of building it.
        UsageError: there is no command, or nothing of that name.
        VerificationError: the environment is damaged.
    """
    from nixgen.cli.activation import execute
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.kinds import Kinds
    from nixgen.errors import UsageError
    from nixgen.venv.live import is_live, live_environment, npm_programs

    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not command:
        raise UsageError("there is no command to run", todo="give one: nixgen run -- python")
    wanted, console = request(options), Console(quiet=options.quiet)
    kinds = Kinds.of(wanted.base)
    more: list[Path] = []
    before: list[str] = []
    if kinds.npm:
        if options.mounted:
            from nixgen.venv.alone import modules_alone

            before = modules_alone(wanted, console)
        more = npm_programs(wanted, kinds, console)
    if not kinds.python:
        execute(None, command, os.environ, before, more)
    # The link of the project: `nixgen run` and `nixgen build` keep one environment from garbage collection.
    link = Path(options.directory, "result")
    link = live_environment(wanted, link, console)
    _see_that_it_is_there(link, command[0])
    if options.mounted:
        from nixgen.venv.alone import shown_alone

        before += shown_alone(wanted._replace(editable=is_live(wanted)), console)
    try:
        execute(link, command, os.environ, before, more)
    except OSError as error:
        if not os.path.lexists(link / "bin" / command[0]):
            raise  # a program of the machine's
        raise _damaged(f"{command[0]} cannot be run: {error.strerror}", link / "bin" / command[0]) from error


def _see_that_it_is_there(link: Path, command: str) -> None:
    """See that an environment has what no command of it can do without; all of it would take too long.

    Raises:
        VerificationError: it has not, and the store has lost something.
    """
    if not (link / "bin").is_dir() or not (link / "pyvenv.cfg").is_file():
        raise _damaged("the environment is not what was built", link)
    for path in (link / "bin" / "python", link / "bin" / command):
        if path.is_symlink() and not path.exists():
            raise _damaged(f"the link to {path.name} leads nowhere: {os.path.realpath(path)} is not there", path)
    if not (link / "bin" / "python").is_file():
        raise _damaged("the environment has lost its interpreter", link / "bin" / "python")
    # What is imported first: links to directories of trees, and to leaves; 0.3 ms for 100 of them.
    for site in link.glob("lib/python*/site-packages"):
        with os.scandir(site) as entries:
            for entry in entries:
                if not os.path.exists(entry.path):  # noqa: PTH110 - a hundred of them at each start
                    raise _damaged(f"the link to {entry.name} leads nowhere", Path(entry.path))


def _damaged(what: str, where: Path) -> VerificationError:
    from nixgen.errors import VerificationError

    return VerificationError(
        what, where=str(where), todo="see what is damaged: `nixgen verify`, and restore it with --repair"
    )
