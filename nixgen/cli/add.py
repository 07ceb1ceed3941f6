"""Add requirements to the project, lock, and renew .venv where there is one.

pyproject.toml is edited as uv does it, requirements.in or requirements.txt line by line; comments
stay. In a directory without a project, a pyproject.toml is made. With --npm, and in a project with
nothing but a package.json, packages of npm are meant: npm edits, and node_modules is renewed where
nixgen has made it. What fails (an unknown package, a conflict) leaves all files as they were. What
Poetry, PDM and Pipenv keep, they have to edit themselves.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.cli.console import Console
    from nixgen.npm.edit import NpmEditor
    from nixgen.venv.change import Changed

EXAMPLES = (
    ("nixgen add flask 'requests>=2.31'", ""),
    ("nixgen add --dev pytest", "to the group dev"),
    ("nixgen add --optional web 'uvicorn[standard]'", "to an extra"),
    ("nixgen add --dry-run numpy", "only say what would change"),
    ("nixgen add --npm --dev typescript@5", "a package of npm, beside those of Python"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "requirements",
        nargs="+",
        metavar="REQUIREMENT",
        help="a package, with versions, extras and markers as in pip, or with a version as in npm",
    )
    add_table(parser)


def add_table(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say of which requirements of a project one is."""
    from nixgen.cli.lock import add_resolution

    table = parser.add_mutually_exclusive_group()
    table.add_argument("--dev", action="store_const", dest="group", const="dev", help="of the dependency group dev")
    table.add_argument("--group", metavar="NAME", help="of this dependency group")
    table.add_argument("--optional", dest="extra", metavar="EXTRA", help="of this extra")
    parser.add_argument(
        "--package", dest="member", metavar="NAME", help="of this member of the workspace (default: the root)"
    )
    parser.add_argument(
        "--npm", action="store_true", help="a package of npm (default where there is only package.json)"
    )
    parser.add_argument("--dry-run", action="store_true", help="change nothing; say what would change")
    add_resolution(parser)


def run(options: argparse.Namespace) -> int:
    """Add requirements; return the exit code.

    Raises:
        NixgenError: with what stands in the way; all is as it was then.
    """
    return run_change(options, add=options.requirements)


def run_change(options: argparse.Namespace, *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> int:
    """Add or remove requirements, and say what came of it; return the exit code."""
    from nixgen.cli.console import Console
    from nixgen.cli.lock import resolver_options, say_locked
    from nixgen.environments.request import Request
    from nixgen.inputs.edit import Editor, Table
    from nixgen.locking.kinds import is_of_npm_alone
    from nixgen.locking.project import Request as LockRequest
    from nixgen.venv.change import change, change_npm

    console, base = Console(quiet=options.quiet), Path(options.directory)
    apply: Callable[..., Changed]
    if options.npm or is_of_npm_alone(base):
        of_npm = _npm_editor(options, base, add)
        path, new, apply = of_npm.path, of_npm.is_new and "package.json", functools.partial(change_npm, of_npm)
    else:
        table = Table(group=options.group, extra=options.extra)
        editor = Editor.of(base, table, member=options.member, adds=add or None)
        path, new, apply = editor.path, editor.is_new and "project", functools.partial(change, editor)
    if new:
        console.say(f"no {new} here yet: {'would make' if options.dry_run else 'making'} {path}")
    done = apply(
        Request(base=base),
        LockRequest(base=base, resolver=resolver_options(options)),
        add=add,
        remove=remove,
        locked=lambda made: say_locked(made, console, options),
        dry_run=options.dry_run,
        observer=console,
    )
    _say_changed(done, path, remove, options, console)
    return 0 if done.synced is None else done.synced.code


def _npm_editor(options: argparse.Namespace, base: Path, add: Sequence[str]) -> NpmEditor:
    from nixgen.errors import UsageError
    from nixgen.npm.edit import NpmEditor

    if options.extra is not None or options.group not in (None, "dev"):
        raise UsageError(
            "a package.json has no groups but that for development, and no extras",
            where=str(base / "package.json"),
            todo="leave out --group and --optional, or give --dev",
        )
    return NpmEditor.of(base, member=options.member, dev=options.group == "dev", adds=add or None)


def _say_changed(
    done: Changed, path: Path, removed: Sequence[str], options: argparse.Namespace, console: Console
) -> None:
    for text in done.requirements:
        console.say(f"{path}: {'would add' if options.dry_run else 'added'} {text}")
    for name in removed:
        console.say(f"{path}: {'would remove' if options.dry_run else 'removed'} {name}")
    if done.synced is None and not options.dry_run:
        console.say("next: nixgen sync")
    elif done.synced is not None and done.synced.code == 0:
        if done.synced.environment is not None:
            console.say(f"{Path(options.directory) / '.venv'} stands on {done.synced.environment}")
        elif done.synced.modules is not None:
            from nixgen.cli.venv import say_modules

            say_modules(done.synced.modules, console, dry_run=False)
