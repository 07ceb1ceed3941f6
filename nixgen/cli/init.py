"""Write a flake.nix, so that `nix build` builds what `nix-build nix` does.

Its only input is nixpkgs, for the interpreter and Node.js, and it has none where the lock names the
interpreters (nixgen lock --standalone). In a Git checkout a flake sees tracked files only: on a
terminal, it asks whether to `git add` flake.nix, nixgen.lock and nix/.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

EXAMPLES = (
    ("nixgen init", "then nix build"),
    ("nixgen init --add", "and git add what the flake needs"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "--add",
        action=argparse.BooleanOptionalAction,
        help="git add what the flake needs (default: ask on a terminal, else say so)",
    )


def run(options: argparse.Namespace) -> int:
    """Write flake.nix where there is none; return the exit code.

    Raises:
        InputError: there is one, or the lock cannot be read.
        MachineError: Git does not take what is to be added.
    """
    from nixgen.cli.console import Console
    from nixgen.emit.files import write_text
    from nixgen.emit.project import render
    from nixgen.emit.tracked import add, untracked
    from nixgen.errors import InputError
    from nixgen.lock import Lock
    from nixgen.names import LOCK_NAME

    directory = Path(options.directory)
    path = directory / "flake.nix"
    if path.exists():
        raise InputError(
            "there is a flake.nix already",
            where=str(path),
            todo="add the environments to its outputs yourself: see docs/nix-api.md, packagesFor",
        )
    if not directory.is_dir():
        raise InputError("there is no such directory", where=str(directory), todo="make it first")
    lock = directory / LOCK_NAME
    locked = Lock.from_file(lock) if lock.exists() else None
    python = locked is None or locked.npm is None or bool(locked.targets)
    npm = locked is not None and locked.npm is not None
    standalone = locked is not None and bool(locked.targets) and all(target.archive for target in locked.targets)
    languages = " and ".join([*(["Python"] if python else []), *(["Node.js"] if npm else [])])
    description = f"The {languages} environment of {directory.resolve().name}"
    write_text(path, render("flake.nix", description=description, standalone=standalone, python=python, npm=npm))
    console = Console(quiet=options.quiet)
    console.say(f"wrote {path}")
    unknown = untracked(directory)
    if unknown and (options.add or (options.add is None and _wants(unknown))):
        add(directory, unknown)
        console.say(f"added {', '.join(unknown)} to git")
        unknown = []
    if not lock.exists():
        console.say("next: nixgen lock")
    elif unknown:
        console.say(f"next: git add {' '.join(unknown)}, then nix build")
    else:
        console.say("next: nix build")
    return 0


def _wants(names: Sequence[str]) -> bool:
    """Ask whether to add some files to Git, where somebody is there to answer."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    print(f"a flake sees tracked files only: git add {' '.join(names)}? [Y/n] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in ("", "y", "yes")
