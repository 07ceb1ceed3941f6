"""Write a flake.nix, so that `nix build` builds what `nix-build nix` does.

Its only input is nixpkgs, for the interpreter, and it has none where the lock names the
interpreters (nixgen lock --standalone). In a Git checkout, `git add` flake.nix,
nixgen.lock and nix/ first: a flake sees tracked files only.
"""

from __future__ import annotations

import argparse
from pathlib import Path

EXAMPLES = (("nixgen init", ""),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""


def run(options: argparse.Namespace) -> int:
    """Write flake.nix where there is none; return the exit code.

    Raises:
        InputError: there is one, or the lock cannot be read.
    """
    from nixgen.cli.console import Console
    from nixgen.emit.files import write_text
    from nixgen.emit.project import render
    from nixgen.errors import InputError
    from nixgen.lock import LOCK_NAME, Lock

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
    standalone = lock.exists() and all(locked.archive for locked in Lock.from_file(lock).targets)
    description = f"The Python environment of {directory.resolve().name}"
    write_text(path, render("flake.nix", description=description, standalone=standalone))
    console = Console(quiet=options.quiet)
    console.say(f"wrote {path}")
    if not lock.exists():
        console.say("next: nixgen lock")
    else:
        console.say("next: git add flake.nix nixgen.lock nix, then nix build")
    return 0
