"""Write a flake.nix, so that `nix build` builds what `nix-build nix` does.

Its only input is nixpkgs, for the interpreter. In a Git checkout, `git add` flake.nix,
nixgen.lock and nix/ first: a flake sees tracked files only.
"""

from __future__ import annotations

import argparse
from pathlib import Path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""


def run(options: argparse.Namespace) -> int:
    """Write flake.nix where there is none; return the exit code.

    Raises:
        InputError: there is one.
    """
    from nixgen.cli.console import Console
    from nixgen.emit.files import write_text
    from nixgen.emit.project import render
    from nixgen.errors import InputError

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
    write_text(path, render("flake.nix", description=f"The Python environment of {directory.resolve().name}"))
    console = Console(quiet=options.quiet)
    console.say(f"wrote {path}")
    if not (directory / "nixgen.lock").exists():
        console.say("next: nixgen lock")
    else:
        console.say("next: git add flake.nix nixgen.lock nix, then nix build")
    return 0
