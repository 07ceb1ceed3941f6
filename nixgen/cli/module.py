"""Write nix/module.nix: the environment of the lock as a module of nixmodules.

A platform of repls takes such modules. The file is a function { pkgs, lib, ... }: that moduleit
accepts; it is yours to edit, and is written only where there is none. Names come from
pyproject.toml, package.json, or from the directory. The module is one of Python, of Node.js, or of
both, as the lock has their packages.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nixgen.environments.kinds import Kinds
    from nixgen.lock import Lock

#: Files that are run where nobody names one, in the order in which they are looked for: of Python, of Node.js.
ENTRYPOINTS = ("main.py", "app.py", "run.py")
NODE_ENTRYPOINTS = ("index.js", "main.js", "app.js", "server.js")

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
        f"that exist, or all; of Node.js {', '.join(NODE_ENTRYPOINTS)})",
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
    from nixgen.environments.kinds import Kinds
    from nixgen.errors import InputError, UsageError
    from nixgen.lock import Lock
    from nixgen.names import LIBRARY_DIRECTORY, LOCK_NAME, NIX_DIRECTORY

    base = Path(options.directory)
    path = base / NIX_DIRECTORY / "module.nix"
    if path.exists():
        raise InputError("there is a module already", where=str(path), todo="edit it, or remove it and try again")
    lock = Lock.from_file(base / LOCK_NAME)
    if not (path.parent / LIBRARY_DIRECTORY).is_dir():
        raise InputError(
            "there is no Nix library", where=str(path.parent / LIBRARY_DIRECTORY), todo="run `nixgen lock`"
        )
    kinds = Kinds.of(base)
    if kinds.python:
        _check(lock, options)
    elif asked := [name for name in ("python", "extra", "group") if getattr(options, name)]:
        raise UsageError(
            f"the lock has packages of npm alone, and --{asked[0]} is for those of Python",
            where=str(base / LOCK_NAME),
            todo=f"leave --{asked[0]} out",
        )
    if not _VENV.fullmatch(options.venv):
        raise UsageError(
            f"the environment cannot lie in {options.venv}",
            where="--venv",
            todo="name a directory below the repl's home, such as .pythonlibs",
        )
    project, described = _project(base, kinds)
    languages = " and ".join([*(["Python"] if kinds.python else []), *(["Node.js"] if kinds.npm else [])])
    usual = [
        *(_usual(base, ENTRYPOINTS) if kinds.python else ()),
        *(_usual(base, NODE_ENTRYPOINTS) if kinds.npm else ()),
    ]
    write_text(
        path,
        render(
            "module.nix",
            id=_id(options.id or project, languages),
            name=options.name or project,
            description=options.description or described or f"{languages} with the packages of {project}",
            languages=languages if kinds.python and kinds.npm else f"{languages} environment",
            python=kinds.python,
            npm=kinds.npm,
            version=options.python,
            venv=options.venv,
            entrypoints=options.entrypoint or usual,
            extras=options.extra,
            groups=options.group,
        ),
    )
    console = Console(quiet=options.quiet)
    console.say(f"wrote {path}")
    console.say(f"next: {'nixgen fetch, then ' if kinds.python else ''}moduleit nix/module.nix")
    return 0


def _check(lock: Lock, options: argparse.Namespace) -> None:
    """See that a lock holds what is asked for of Python's packages.

    Raises:
        InputError: it does not.
    """
    from nixgen.plan import choose
    from nixgen.targets.machine import default_system

    every = [locked.target for locked in lock.targets]
    targets = [target for target in every if options.python in (None, target.python)]
    choose(
        lock,
        system=(targets or every)[0].system if every else default_system(),
        python=options.python,
        extras=options.extra,
        groups=options.group,
    )


def _usual(base: Path, names: Sequence[str]) -> Sequence[str]:
    """Return those files that a project has; all where it has none."""
    return [name for name in names if (base / name).exists()] or names


def _project(base: Path, kinds: Kinds) -> tuple[str, str]:
    """Return the name and the description of a project; the directory's name where no file of its says one."""
    from nixgen.inputs.discover import read_toml
    from nixgen.npm.manifest import read_manifest

    path = base / "pyproject.toml"
    said = read_toml(path).get("project", {}) if path.exists() else {}
    found: Mapping[str, Any] = said if isinstance(said, dict) else {}
    if not found.get("name") and kinds.npm and (base / "package.json").exists():
        found = read_manifest(base / "package.json")
    return str(found.get("name") or base.resolve().name), str(found.get("description") or "")


def _id(name: str, languages: str) -> str:
    """Return a name with the letters that an id has: it is part of a store path's name."""
    return re.sub(r"[^A-Za-z0-9+._]+", "-", name).strip("+.-").lower() or languages.split()[0].lower()
