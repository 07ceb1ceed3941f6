"""Make links to the store of an environment's files, whichever tool made it: pip, uv, poetry.

A file becomes a link where RECORD promises a hash that its content has, the store has that
leaf, and no rule of placement wants a real file. Everything else stays as it is. --add puts
what is missing into the store first. --undo makes files of the links again. The rules are asked
by DIR/bin/python, which is run for that. As root, on a directory of another user, all of this is
done with that user's rights, but for what concerns the store.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.adopt.adoption import Report
    from nixgen.adopt.survey import Leaves, Rules
    from nixgen.model import Overrides


EXAMPLES = (
    ("nixgen adopt .venv --dry-run", "what it would save"),
    ("nixgen adopt .venv", ""),
    ("nixgen adopt .venv --undo", ""),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("environment", metavar="DIR", help="the virtual environment, below -C where it is relative")
    parser.add_argument("--add", action="store_true", help="add what the store lacks; everybody can read it there")
    parser.add_argument("--undo", action="store_true", help="make files of the links again; needs no Nix")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be done")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--option", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"), help="a setting for Nix"
    )


def run(options: argparse.Namespace) -> int:
    """Adopt an environment, or undo it, and say what came of it; return the exit code.

    Raises:
        InputError: there is no environment, or nothing is installed in it.
        MachineError: it cannot be written.
        UsageError: --add and --undo together.
        NixError: the store cannot be asked or written.
    """
    # All that _run imports too: who takes an owner's rights may not be able to read it any more.
    from nixgen.adopt import adoption, environment  # noqa: F401
    from nixgen.adopt.rights import as_owner
    from nixgen.cli import console  # noqa: F401
    from nixgen.errors import UsageError
    from nixgen.settings import Settings
    from nixgen.store import Store
    from nixgen.venv.program import rights

    if options.undo and options.add:
        raise UsageError("--undo adds nothing to the store", todo="leave out --add")
    base = Path.cwd() / options.directory
    directory = Path.cwd() / options.here / options.environment
    store = Store(dict(options.option))
    placement = {} if options.undo else Settings.read(base / "pyproject.toml").placement
    reached = rights().reach(str(directory))
    if reached.descriptor is not None:
        os.close(reached.descriptor)
    if reached.uid != os.geteuid():
        return as_owner(reached.uid, store, partial(_run, options, directory, placement))
    return _run(options, directory, placement, store, None)


def _run(
    options: argparse.Namespace,
    directory: Path,
    placement: Mapping[str, Overrides],
    store: Leaves,
    rules: Rules | None,
) -> int:
    from nixgen.adopt.adoption import adopt, undo
    from nixgen.adopt.environment import Environment
    from nixgen.cli.console import count, size

    environment = Environment.find(directory)
    would = "would have " if options.dry_run else ""
    if options.undo:
        restored = undo(environment, dry_run=options.dry_run)
        if options.json:
            print(json.dumps({"restored": asdict(restored)}, indent=1))
        elif not options.quiet:
            print(f"{would}restored {count(restored.files, 'file')} ({size(restored.size)})")
        return 0
    report = adopt(environment, store, placement, add=options.add, dry_run=options.dry_run, rules=rules)
    if options.json:
        print(json.dumps({**asdict(report), "files": report.files, "saved": report.saved}, indent=1))
    elif not options.quiet:
        _print(report, would)
    return 0


def _print(report: Report, would: str) -> None:
    from nixgen.cli.console import count, size

    gained = f"{size(report.saved)} saved" if report.saved >= 0 else f"{size(-report.saved)} more in use"
    print(f"{would}linked {report.linked.files:,} of {count(report.files, 'file')}, {gained}")
    if report.before:
        print(f"{report.before:,} were links already")
    if report.added.files:
        print(f"{would}added {count(report.added.files, 'file')} ({size(report.added.size)}) to the store")
    if report.shared.files:
        shared = f"{count(report.shared.files, 'file')} ({size(report.shared.size)})"
        print(f"{shared} had other hard links, such as uv's cache: linking frees nothing while these are there")
    for reason, sums in report.stays.items():
        print(f"stay, {reason}: {count(sums.files, 'file')} ({size(sums.size)})")
    if report.broken:
        print(
            f"broken: {count(len(report.broken), 'link')} to what is gone from the store, such as {report.broken[0]}: "
            "install their packages again"
        )
