"""Make or renew the project's own virtual environment, on top of the lock's environment in the store.

DIR is a standard virtual environment to install into. What is installed there stays and wins over
the packages of the lock. It is an overlay, a handful of files whatever its size; or a farm, one
link for each file, which uv needs: that is chosen where the project has uv.lock or [tool.uv]; or it
is mounted, without a link, which takes root and Linux. [tool.nixgen.venv] form chooses too, and
"nixgen": {"venv": {"form": "mounted"}} in a package.json for its node_modules.
The project itself is editable in it: a change of its code shows at once.
Of npm's packages, the project's node_modules is made: a directory of links to the store, which npm
may install into; each workspace has its own.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.cli.console import Console
    from nixgen.environments.kinds import Kinds
    from nixgen.environments.request import Request
    from nixgen.venv.node_modules import Settled

EXAMPLES = (
    ("nixgen venv", "make or renew .venv"),
    ("nixgen venv --farm", "one link for each file, as uv needs it"),
    ("nixgen venv --rollback", "back to the environment of before"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.add_argument("dir", nargs="?", metavar="DIR", help="the virtual environment (default: .venv in the project)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument(
        "--overlay", action="store_const", dest="form", const="overlay", help="reach packages by a .pth file"
    )
    form.add_argument(
        "--farm",
        action="store_const",
        dest="form",
        const="farm",
        help="one link for each file; packages that were removed from DIR are put back",
    )
    form.add_argument(
        "--mounted",
        action="store_const",
        dest="form",
        const="mounted",
        help="real files, shown by the kernel; what changes lies in a layer of DIR's own",
    )
    form.add_argument("--rollback", action="store_true", help="go back to the environment of before, without a build")
    form.add_argument("--reset", action="store_true", help="of a mounted DIR: drop what was changed in it")
    parser.add_argument("--dry-run", action="store_true", help="build, and say what would be done to DIR")
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Build the lock's environment and make DIR on top of it; return the exit code.

    Raises:
        NixgenError: with what stands in the way of building it; DIR stays as it was.
    """
    directory = Path(options.directory, ".venv") if options.dir is None else Path(options.here, options.dir)
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.kinds import Kinds

    if options.rollback:
        return _roll_back(options, directory, Console(quiet=options.quiet))
    from nixgen.venv.history import remembering

    console, wanted = Console(quiet=options.quiet), request(options)
    kinds = Kinds.of(wanted.base)
    with remembering(kinds, wanted.base, directory):
        return _make_all(options, directory, wanted, kinds, console)


def _make_all(options: argparse.Namespace, directory: Path, wanted: Request, kinds: Kinds, console: Console) -> int:
    """Make the virtual environment, and ``node_modules``."""
    from nixgen.venv.form import modules_are_mounted
    from nixgen.venv.node_modules import check_modules, mount_modules, stand_modules

    code = 0
    if kinds.npm:
        check_modules(wanted.base)
    if kinds.python:
        code = _make(options, directory, console)
        # Once is enough to say that inputs have changed.
        wanted = wanted._replace(check="frozen")
    if code == 0 and kinds.npm:
        is_mounted = modules_are_mounted(wanted.base, options.form == "mounted" or options.reset, console)
        if is_mounted and not options.dry_run:
            code, image = mount_modules(wanted, console, reset=options.reset)
            if code == 0:
                console.say(f"node_modules shows {image}")
        elif not is_mounted:
            say_modules(stand_modules(wanted, console, change=not options.dry_run), console, dry_run=options.dry_run)
    return code


def _roll_back(options: argparse.Namespace, directory: Path, console: Console) -> int:
    """Go back to the environments of before, without a build: of two, those that the last change was of."""
    from nixgen.environments.kinds import Kinds
    from nixgen.venv.history import NPM, PYTHON, last_changed
    from nixgen.venv.node_modules import rollback_modules
    from nixgen.venv.program import environment_below, is_mounted
    from nixgen.venv.program import run as run_program

    words, base = [*_dry(options), "--rollback"], Path(options.directory)
    kinds, code = Kinds.of(base), 0
    changed = last_changed(kinds, base, directory)
    of_links = not is_mounted(base / "node_modules")
    if kinds.npm and of_links and NPM in changed:
        rollback_modules(base, change=False)  # refused before the other one is back
    if kinds.python and PYTHON in changed:
        code = run_program(directory, words, environment=environment_below(directory))
    elif kinds.python:
        console.note(f"{shown(options, directory)} stays: the last change was of node_modules alone")
    if code or not kinds.npm:
        return code
    if NPM not in changed:
        console.note(f"node_modules stays: the last change was of {shown(options, directory)} alone")
        return 0
    if not of_links:
        return run_program(base / "node_modules", words, environment=None)
    say_modules(rollback_modules(base, change=not options.dry_run), console, dry_run=options.dry_run)
    return 0


def _make(options: argparse.Namespace, directory: Path, console: Console) -> int:
    """Make the virtual environment on top of the one of Python's packages."""
    from nixgen.cli.choosing import request
    from nixgen.venv.editable import install
    from nixgen.venv.form import form_here
    from nixgen.venv.standing import stand

    arguments = _dry(options)
    form = "mounted" if options.reset else form_here(Path(options.directory), directory, options.form, console)
    if form is not None:
        arguments.append("--reset" if options.reset else f"--{form}")
    wanted = request(options)._replace(editable=True, mounted=form == "mounted")
    code, environment = stand(directory, arguments, wanted, console)
    if code == 0 and not options.dry_run:
        install(directory, wanted, console)
        console.say(f"{shown(options, directory)} stands on {environment}")
    return code


def _dry(options: argparse.Namespace) -> list[str]:
    return ["--dry-run"] if options.dry_run else []


def say_modules(settled: Settled, console: Console, *, dry_run: bool) -> None:
    """Say where a project's node_modules leads, and what of it is the user's own."""
    if dry_run:
        for fault in settled.faults:
            console.say(f"would heal: {fault}")
        return
    console.say(f"node_modules leads to {settled.environment}")
    for path in settled.kept:
        console.note(f"{path} was installed here, and wins over the lock's")


def shown(options: argparse.Namespace, directory: Path) -> str:
    """Return what a virtual environment is called: as the user names it, or from the project's directory."""
    if options.dir is not None:
        return str(options.dir)
    return ".venv" if options.directory == options.here else str(directory)
