"""Write nix/module.nix: the environment of the lock as a module of nixmodules.

A platform of repls takes such modules. The file is a function { pkgs, lib, ... }: that moduleit
accepts; it is yours to edit, and is written only where there is none. Names come from
pyproject.toml, or from the directory.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

#: Files that are run where nobody names one, in the order in which they are looked for.
ENTRYPOINTS = ("main.py", "app.py", "run.py")

#: What nix/module.nix takes for a directory in a repl.
_VENV = re.compile(r"[.]?[A-Za-z0-9_-]+(([./]|/[.])[A-Za-z0-9_-]+)*")


EXAMPLES = (("nixgen module", ""),)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("--id", metavar="ID", help="what names the module (default: the project's name)")
    parser.add_argument("--name", metavar="NAME", help="what people see (default: the project's name)")
    parser.add_argument(
        "--description", metavar="TEXT", help="a line about it (default: that of pyproject.toml, or one of nixgen's)"
    )
    parser.add_argument(
        "--venv", default=".pythonlibs", metavar="DIR", help="the environment's place in a repl (default: %(default)s)"
    )
    parser.add_argument(
        "--entrypoint",
        action="append",
        default=[],
        metavar="FILE",
        help=f"a file to run where nobody names one; repeatable (default: those of {', '.join(ENTRYPOINTS)} "
        "that exist, or all)",
    )
    parser.add_argument("--python", metavar="VERSION", help="a version that the lock holds (default: its first)")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME", help="with this extra; repeatable")
    parser.add_argument(
        "--group",
        action="append",
        metavar="NAME",
        help="with this group, and not with the default groups; repeatable",
    )


def run(options: argparse.Namespace) -> int:
    """Write nix/module.nix; return the exit code.

    Raises:
        InputError: there is one, there is no lock, or the lock does not hold what is asked for.
        UsageError: an option cannot be part of a module.
    """
    from nixgen.cli.console import Console
    from nixgen.emit.files import write_text
    from nixgen.emit.project import render
    from nixgen.errors import InputError, UsageError
    from nixgen.lock import Lock
    from nixgen.names import LIBRARY_DIRECTORY, LOCK_NAME, NIX_DIRECTORY
    from nixgen.plan import choose
    from nixgen.targets.machine import default_system

    base = Path(options.directory)
    path = base / NIX_DIRECTORY / "module.nix"
    if path.exists():
        raise InputError("there is a module already", where=str(path), todo="edit it, or remove it and try again")
    lock = Lock.from_file(base / LOCK_NAME)
    if not (path.parent / LIBRARY_DIRECTORY).is_dir():
        raise InputError(
            "there is no Nix library", where=str(path.parent / LIBRARY_DIRECTORY), todo="run `nixgen lock`"
        )
    every = [locked.target for locked in lock.targets]
    targets = [target for target in every if options.python in (None, target.python)]
    choose(
        lock,
        system=(targets or every)[0].system if every else default_system(),
        python=options.python,
        extras=options.extra,
        groups=options.group,
    )
    if not _VENV.fullmatch(options.venv):
        raise UsageError(
            f"the environment cannot lie in {options.venv}",
            where="--venv",
            todo="name a directory below the repl's home, such as .pythonlibs",
        )
    project, described = _project(base)
    write_text(
        path,
        render(
            "module.nix",
            id=_id(options.id or project),
            name=options.name or project,
            description=options.description or described or f"Python with the packages of {project}",
            version=options.python,
            venv=options.venv,
            entrypoints=options.entrypoint or [name for name in ENTRYPOINTS if (base / name).exists()] or ENTRYPOINTS,
            extras=options.extra,
            groups=options.group,
        ),
    )
    console = Console(quiet=options.quiet)
    console.say(f"wrote {path}")
    console.say("next: nixgen fetch, then moduleit nix/module.nix")
    return 0


def _project(base: Path) -> tuple[str, str]:
    """Return the name and the description of a project; the directory's name where pyproject.toml has none."""
    from nixgen.inputs.discover import read_toml

    path = base / "pyproject.toml"
    said = read_toml(path).get("project", {}) if path.exists() else {}
    said = said if isinstance(said, dict) else {}
    return str(said.get("name") or base.resolve().name), str(said.get("description") or "")


def _id(name: str) -> str:
    """Return a name with the letters that an id has: it is part of a store path's name."""
    return re.sub(r"[^A-Za-z0-9+._]+", "-", name).strip("+.-").lower() or "python"
