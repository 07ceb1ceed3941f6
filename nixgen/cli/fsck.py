"""Heal a virtual environment that `nixgen venv` made, silently where nothing is wrong with it.

What time breaks is put right: links and files of the environment itself that are gone, damaged or
left over, another interpreter, another place. What was installed into it is not touched. Where the
store has lost what it stands on, that is built again from the lock. The project's node_modules is
healed too, where no DIR is given. As root, in a directory of another user, it works with that user's
rights.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

EXAMPLES = (
    ("nixgen fsck", "heal .venv"),
    ("nixgen fsck --check", "say whether anything is wrong"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.add_argument(
        "dir",
        nargs="?",
        metavar="DIR",
        help="the virtual environment (default: the one of VIRTUAL_ENV, else .venv in the project)",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--check", action="store_true", help="change nothing; end with code 1 if anything is wrong")
    mode.add_argument("--dry-run", action="store_true", help="change nothing; say what would be healed")
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Heal a virtual environment, and the project's node_modules; return the exit code.

    Raises:
        NixgenError: with what stands in the way of building what is gone from the store.
    """
    from nixgen.venv import node_modules as modules
    from nixgen.venv.program import is_made

    directory = Path(options.directory, os.environ.get("VIRTUAL_ENV") or ".venv")
    if options.dir is not None:
        directory = Path(options.here, options.dir)
    of_npm = options.dir is None and modules.is_made(Path(options.directory))
    code = _heal(options, directory) if is_made(directory) or not of_npm else 0
    return max(code, _heal_modules(options)) if of_npm else code


def _heal_modules(options: argparse.Namespace) -> int:
    """Heal the project's node_modules; return the exit code."""
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.venv import node_modules as modules
    from nixgen.venv.program import is_mounted, mounting

    base, console = Path(options.directory), Console(quiet=options.quiet)
    if is_mounted(base / "node_modules"):
        verb = "check" if options.check else "dry-run" if options.dry_run else "heal"
        return mounting(verb, "--", base.absolute() / "node_modules").returncode
    environment, change = modules.modules_environment(base), not (options.check or options.dry_run)
    if environment is not None:
        settled = modules.settle(base, environment, change=change)
    elif change:  # the store has lost it
        settled = modules.stand_modules(request(options), console)
    else:
        print(f"{base / 'node_modules'}: the environment that it leads to is not in the store any more")
        return 1 if options.check else 0
    for fault in settled.faults:
        if change:
            console.say(f"healed: {fault}")
        else:
            print(f"would heal: {fault}" if options.dry_run else fault)
    return 1 if settled.faults and options.check else 0


def _heal(options: argparse.Namespace, directory: Path) -> int:
    """Heal a virtual environment; return the exit code."""
    from nixgen.venv.editable import heal, install
    from nixgen.venv.program import environment_below, is_made
    from nixgen.venv.program import run as run_program

    environment = environment_below(directory)
    mode = ["--check"] if options.check else ["--dry-run"] if options.dry_run else []
    if environment is None and not mode and is_made(directory):  # the store has lost it
        from nixgen.cli.choosing import request
        from nixgen.cli.console import Console
        from nixgen.names import LOCK_NAME
        from nixgen.venv.standing import stand

        if Path(options.directory, LOCK_NAME).is_file():
            wanted = request(options)._replace(editable=True)
            console = Console(quiet=options.quiet)
            code = stand(directory, [], wanted, console)[0]
            if code == 0:
                install(directory, wanted, console)
            return code
    code = run_program(directory, ["--heal", *mode], environment=environment)
    if code == 0 and not mode:
        heal(directory)
    return code
