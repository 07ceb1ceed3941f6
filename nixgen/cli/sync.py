"""Bring the project up to date: lock it if its inputs have changed, build, and renew .venv.

The one command of a day. Versions that are locked and still fit are kept; --locked refuses a lock
that is out of date, and --frozen takes it as it is, as with uv. DIR has the form that it has
already, or that [tool.nixgen.venv] form says: see `nixgen venv --help`. Where all is as it should
be, nothing is done.
"""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = (
    ("nixgen sync", "after a change of pyproject.toml, or in a fresh checkout"),
    ("nixgen sync --upgrade-package flask", "and take the newest flask"),
    ("nixgen sync --locked --all-extras", "in CI: stop where the lock is out of date"),
    ("nixgen sync --dry-run", "only say what would be done"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice
    from nixgen.cli.lock import add_resolution

    parser.add_argument("dir", nargs="?", metavar="DIR", help="the virtual environment (default: .venv in the project)")
    parser.add_argument("--dry-run", action="store_true", help="change nothing; say what would be done")
    add_choice(parser)
    add_resolution(parser)


def run(options: argparse.Namespace) -> int:
    """Lock, build and renew the virtual environment, each where it has to be; return the exit code.

    Raises:
        NixgenError: with what stands in the way.
    """
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.cli.lock import resolver_options, say_locked
    from nixgen.cli.venv import say_modules, shown
    from nixgen.locking.project import Request
    from nixgen.locking.targets import Wish
    from nixgen.names import LOCK_NAME
    from nixgen.venv.form import form_here
    from nixgen.venv.sync import sync, would_sync

    console, base = Console(quiet=options.quiet), Path(options.directory)
    directory = base / ".venv" if options.dir is None else Path(options.here, options.dir)
    name = shown(options, directory)
    first = options.python is not None and "/" not in options.python and not (base / LOCK_NAME).exists()
    wanted = Request(
        base=base,
        targets=Wish(pythons=(options.python,)) if first else Wish(),
        resolver=resolver_options(options),
        mirrors=tuple(options.mirror),
    )
    done = (would_sync if options.dry_run else sync)(
        directory,
        request(options),
        wanted,
        form=form_here(base, directory, None, console),
        locked=lambda made: say_locked(made, console, options),
        observer=console,
    )
    if done.code:
        return done.code
    of_python = done.environment is not None or done.before is not None or done.modules is None
    if options.dry_run and not done.is_same:
        if of_python:
            console.say(f"would {'make' if done.before is None else 'renew'} {name}")
        if done.modules is not None:
            say_modules(done.modules, console, dry_run=True)
        return 0
    if of_python:
        console.say(f"{'nothing to do: ' if done.is_same else ''}{name} stands on {done.environment}")
    if done.modules is not None and (not done.is_same or not of_python):
        if done.is_same:
            console.say(f"nothing to do: node_modules leads to {done.modules.environment}")
        else:
            say_modules(done.modules, console, dry_run=False)
    return 0
