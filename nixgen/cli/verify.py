"""Compare what the store holds of the environment with the lock, and restore what is damaged.

Every file of every wheel is read and compared with the hash that the lock binds: its content,
its mode, and whether Nix's database has it. The trees and the environment that are built of them,
with bytecode, copies and links, are compared with what Nix recorded when it built them. Of packages
of npm the archives that the store has are compared with the lock's SHA-512, and what Nix unpacked
of them with what it recorded; --repair takes archives from a cache, and lets Nix build the rest.

  nixgen verify                   name everything that is wrong; change nothing
  nixgen verify --repair          restore it: files from their wheels, trees from their builder
  nixgen verify --all             everything that nixgen has in the store, of every project

--repair replaces each path at once, after its hash was compared, so that other environments may
run meanwhile. It needs the right to write to the store: that of root, where there is a daemon.
Ends with code 5 where something is wrong and stays so.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.verification import Report


EXAMPLES = (
    ("nixgen verify", "everything"),
    ("nixgen verify --repair", "and restore what is damaged"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    what = parser.add_mutually_exclusive_group()
    what.add_argument("--repair", action="store_true", help="restore what is damaged")
    what.add_argument(
        "--all", action="store_true", help="everything that nixgen has in the store, whatever the lock holds"
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument(
        "-o", "--out-link", metavar="PATH", help="a link to what is built (default: result in the project's directory)"
    )
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Verify, repair where that is asked for, and print what was found; return the exit code.

    Raises:
        VerificationError: something is wrong.
        NixgenError: with what stands in the way of looking.
    """
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console, count, size
    from nixgen.environments.choice import Choice
    from nixgen.environments.kinds import Kinds
    from nixgen.errors import VerificationError
    from nixgen.store import Store
    from nixgen.verification import Report, repair, verify, verify_all

    console = Console(quiet=options.quiet)
    if options.all:
        report = verify_all(Store(dict(options.option)), console)
    else:
        wanted = request(options)
        link = Path(options.out_link) if options.out_link else wanted.base / "result"
        kinds, report = Kinds.of(wanted.base), Report()
        if kinds.python:
            choice = Choice.of(wanted)
            report = verify(choice, console, link=link)
            if options.repair and report.findings:
                report = repair(choice, report, console, link=link)
        if kinds.npm:
            from nixgen.npm.verification import repair_npm, verify_npm

            beside = link.with_name(f"{link.name}-npm") if kinds.python else link
            found = verify_npm(wanted, console, link=beside)
            if options.repair and found.findings:
                found = repair_npm(wanted, found, console, link=beside)
            report = _together(report, found)
    if options.json:
        print(json.dumps(_described(report), indent=1))
    else:
        for finding in report.repaired:
            console.say(f"repaired {finding}")
        for finding in report.findings:
            print(finding)
    for problem in report.problems:
        console.warning(problem)
    if report.findings:
        wrong = len({finding.path for finding in report.findings})
        raise VerificationError(
            f"{count(wrong, 'store path')} {'is' if wrong == 1 else 'are'} not what was built of the lock",
            where=report.environment or "the Nix store",
            todo=_todo(options),
        )
    if report.absent:
        console.note(f"{count(report.absent, 'leaf')} of {report.leaves:,} are not in the store, and nothing is built")
    compared = f"{count(report.leaves - report.absent, 'leaf')} and {count(report.paths, 'other path')}"
    console.say(f"all is well: {compared}, {size(report.read)} compared")
    return 0


def _together(report: Report, npm: Report) -> Report:
    """Return what was found of Python's packages and of npm's as one report; the environment is the first one built."""
    from dataclasses import replace

    return replace(
        report,
        environment=report.environment or npm.environment,
        paths=report.paths + npm.paths,
        read=report.read + npm.read,
        findings=[*report.findings, *npm.findings],
        repaired=[*report.repaired, *npm.repaired],
        problems=[*report.problems, *npm.problems],
    )


def _todo(options: argparse.Namespace) -> str:
    import os

    if options.all:
        return "run `nixgen verify --repair` in the projects that have these packages"
    if options.repair:
        return "see the warnings above; what was not repaired is as it was"
    if os.geteuid() != 0:
        return "run `nixgen verify --repair`, as root (sudo) where the store is not your own"
    return "run `nixgen verify --repair`"


def _described(report: Report) -> dict[str, object]:
    """Return what JSON says of a report (docs/how-it-works.md)."""
    return {
        "environment": report.environment,
        "leaves": report.leaves,
        "paths": report.paths,
        "bytes": report.read,
        "absent": report.absent,
        "findings": [asdict(finding) for finding in report.findings],
        "repaired": [asdict(finding) for finding in report.repaired],
        "problems": report.problems,
    }
