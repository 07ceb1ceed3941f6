"""Start a shell in the environment of the lock, which is built first if it is not there.

bash, zsh and fish read your own settings and then activate the environment: its programs are first
on PATH, VIRTUAL_ENV is set, the prompt shows it, and uv uses the environment and leaves it as it
is. Other shells get the same variables. The project itself is editable: its code is run as it is
now. Of npm's packages, the programs in node_modules/.bin are on PATH. `exit` ends the shell, and
all is as it was. With a command after --, the shell is that command: nixgen shell -- make test
"""

from __future__ import annotations

import argparse
import os
import shutil
from pathlib import Path

#: The settings that shells read: the user's, then the environment's.
_SETTINGS = Path(__file__).parent / "shells"

#: What keeps uv from changing an environment of the store when it runs something in it, and from bringing a Python.
_UV = {"UV_NO_SYNC": "1", "UV_PYTHON_DOWNLOADS": "never", "UV_PYTHON_PREFERENCE": "only-system"}


EXAMPLES = (
    ("nixgen shell", ""),
    ("nixgen shell --shell fish --extra web", ""),
    ("nixgen shell -- make test", ""),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import MOUNTED, add_choice

    add_choice(parser)
    parser.add_argument("--mounted", action="store_true", help=MOUNTED)
    parser.add_argument("--shell", metavar="SHELL", help="the shell to start (default: $SHELL)")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- COMMAND", help="a command to run instead")


def run(options: argparse.Namespace) -> int:
    """Replace this process with a shell, or a command, in the environment.

    Raises:
        NixgenError: with what stands in the way of building it.
        UsageError: there is no such shell or command.
    """
    from nixgen.cli.activation import activated, execute
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.kinds import Kinds
    from nixgen.errors import UsageError
    from nixgen.venv.alone import modules_alone, shown_alone
    from nixgen.venv.live import is_live, live_environment, npm_programs

    wanted = options.shell or os.environ.get("SHELL") or "/bin/sh"
    shell = shutil.which(wanted)
    if shell is None:
        raise UsageError(f"there is no shell {wanted}", where="PATH", todo="name another: nixgen shell --shell bash")
    asked, console = request(options), Console(quiet=options.quiet)
    kinds = Kinds.of(asked.base)
    before: list[str] = []
    more: list[Path] = []
    if kinds.npm:
        before = modules_alone(asked, console) if options.mounted else []
        more = npm_programs(asked, kinds, console)
    link: Path | None = None
    variables = {**os.environ}
    if kinds.python:
        link = live_environment(asked, Path(options.directory, "result"), console)
        before += shown_alone(asked._replace(editable=is_live(asked)), console) if options.mounted else []
        variables |= {**_UV, "UV_PROJECT_ENVIRONMENT": str(link)}
    variables["NIXGEN_SHELL"] = str(link or asked.base.absolute() / "result")
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if command:
        execute(link, command, variables, before, more)
    # What these read at their start activates the environment: settings of the user's come before, and not after.
    kind = Path(shell).name.partition("-")[0] if link is not None else ""
    if more:
        variables = activated(None, variables, more)
    if kind == "bash":
        words = [shell, "--rcfile", str(_SETTINGS / "bashrc"), "-i"]
    elif kind == "zsh":
        words = [shell, "-i"]
        if "ZDOTDIR" in variables:
            variables["NIXGEN_ZDOTDIR"] = variables["ZDOTDIR"]
        variables["ZDOTDIR"] = str(_SETTINGS / "zsh")
    elif kind == "fish":
        words = [shell, "--interactive", "--init-command", 'source "$NIXGEN_SHELL/bin/activate.fish"']
    else:
        words = [shell, "-i"]
        variables = activated(link, variables)
    words = [*before, *words]
    os.execve(words[0], words, variables)
