"""Say what many locks hold and share: packages, versions, files, bytes; which have a version; what an upgrade costs.

Packages of npm stand beside Python's, of what this system needs; --has asks for both, --upgrade for Python's.

LOCK is a lock, or a directory that is searched for nixgen.lock, its links not followed. Each content
counts once, as a store keeps it, over all targets. --has and --upgrade answer their question alone.

What cannot be read is named on standard error, and the others count: the exit code is 3 then. With
--has it is 0 where a lock has what is asked for; where none has, 8, or 3 if something could not be read.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nixgen.access import Access
    from nixgen.cli.console import Console
    from nixgen.fleet import Fleet, Holder, Upgrade
    from nixgen.fleet.figures import Figures
    from nixgen.fleet.search import Problem

EXAMPLES = (
    ("nixgen fleet", "all projects below"),
    ("nixgen fleet --has 'urllib3<2.6' /srv", "who has an old one: exit code 0, and 8 where nobody has"),
    ("nixgen fleet --upgrade urllib3 /srv", "what the newest costs, over all of them"),
    ("nixgen fleet --html fleet.html a/nixgen.lock b c", "a page to look at"),
)

#: What ``--has`` ends with where no lock has it.
_NONE = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.lock import add_resolution

    parser.add_argument("locks", nargs="*", default=["."], metavar="LOCK", help="locks and directories (default: .)")
    asked = parser.add_mutually_exclusive_group()
    asked.add_argument(
        "--has",
        action="append",
        metavar="REQUIREMENT",
        help="name the locks that hold it: 'urllib3<2.6', 'lodash@<4.17.21'; repeatable, any counts",
    )
    asked.add_argument(
        "--upgrade", metavar="NAME[==VERSION]", help="what the newest version, or this one, fetches and adds"
    )
    parser.add_argument("--json", action="store_true", help="print JSON (docs/commands.md says what it holds)")
    parser.add_argument("--html", metavar="FILE", help="write a page with a treemap of packages and versions")
    parser.add_argument(
        "-n", "--largest", type=int, default=20, metavar="N", help="show N packages and locks (default: 20)"
    )
    parser.add_argument(
        "--mirror", action="append", default=[], metavar="URL", help="fetch wheels from here; repeatable"
    )
    add_resolution(parser, upgrade=False)


def run(options: argparse.Namespace) -> int:
    """Print what the fleet holds; return the exit code.

    Raises:
        NixgenError: there is no lock; what is asked for makes no sense, or no index has it; the page cannot be written.
    """
    import json
    import os
    from dataclasses import asdict
    from pathlib import Path

    from nixgen.cli.console import Console
    from nixgen.errors import InputError, UsageError
    from nixgen.fleet import figures_of, holders, read_fleet
    from nixgen.fleet.contents import read_contents
    from nixgen.fleet.holders import parse_question
    from nixgen.fleet.upgrade import parse_upgrade

    console, here = Console(quiet=options.quiet), Path(options.here)
    questions = [parse_question(text) for text in options.has or ()]
    wanted = parse_upgrade(options.upgrade) if options.upgrade is not None else None
    if options.html and (options.has or wanted):
        raise UsageError("--html shows the whole fleet", todo="leave out --has and --upgrade, or --html")
    fleet = read_fleet(options.locks, here, os.environ.get("NIX_STORE_DIR", "/nix/store"))
    _name(fleet.problems)
    described: dict[str, object] = {"problems": [asdict(one) for one in fleet.problems]}
    if questions:
        found = holders(fleet, questions)
        if options.json:
            print(
                json.dumps(
                    {"locks": len(fleet.locks), "holders": [asdict(one) for one in found], **described}, indent=1
                )
            )
        else:
            _print_holders(found, fleet, console)
        return 0 if found else 3 if fleet.problems else _NONE
    if not fleet.locks:
        raise InputError("no lock could be read", where=", ".join(options.locks), todo="see above what each has")
    contents = read_contents(fleet, access=lambda: _access(options), observer=console)
    _name(contents.problems)
    problems = [*fleet.problems, *contents.problems]
    described["problems"] = [asdict(one) for one in problems]
    if wanted is not None:
        from nixgen.cli.lock import resolver_options
        from nixgen.fleet import upgrade

        cost = upgrade(
            fleet,
            contents,
            wanted,
            resolver_options(options),
            base=Path(options.directory),
            access=lambda: _access(options),
            observer=console,
        )
        _name(cost.problems)
        if options.json:
            print(json.dumps({"upgrade": asdict(cost), **described}, indent=1))
        else:
            _print_upgrade(cost, fleet)
        return 3 if problems or cost.problems else 0
    figures = figures_of(fleet, contents)
    if options.html:
        from nixgen.fleet.page import page_data
        from nixgen.pages import write_page

        write_page(Path(options.html), "fleet", page_data(figures, ", ".join(options.locks)))
        console.say(f"wrote {options.html}")
    if options.json:
        print(json.dumps({**asdict(figures), **described}, indent=1))
    elif not options.html:
        _print(figures, max(0, options.largest))
    return 3 if problems else 0


def _access(options: argparse.Namespace) -> Access:
    """Return how servers are reached, with the logins of the indexes that are named."""
    from pathlib import Path

    from nixgen.access import Access
    from nixgen.cli.lock import resolver_options

    return Access.of_project(
        Path(options.directory), indexes=resolver_options(options).indexes(), mirrors=options.mirror
    )


def _name(problems: Iterable[Problem]) -> None:
    """Name what could not be read, with what to do; the exit code says it too, so it is no mere note."""
    import sys

    from nixgen.cli.console import without_secrets

    for one in problems:
        print(without_secrets(f"nixgen: {one.what}\n  where: {one.path}\n  what to do: {one.todo}"), file=sys.stderr)


def _print(figures: Figures, largest: int) -> None:
    from nixgen.cli.console import count, print_table, size
    from nixgen.fleet.page import called

    rows = [
        (
            f"  {called(package)}",
            count(len(package.versions), "version"),
            count(package.locks, "lock"),
            size(package.bytes),
            _which(package.versions[0].version, package.versions[-1].version),
        )
        for package in figures.packages[:largest]
    ]
    if rows:
        print_table(rows, right=(1, 2, 3))
    if left := figures.packages[largest:]:
        print(f"  and {count(len(left), 'smaller package')}: {size(sum(one.bytes for one in left))}")
    print(
        f"{count(len(figures.locks), 'lock')}, {count(len(figures.packages), 'package')} in "
        f"{count(figures.versions, 'version')}, {_archives(figures)} of {size(figures.fetch)}"
    )
    share = f" ({figures.bytes / figures.copied:.1%})" if figures.copied else ""
    print(f"{count(figures.files, 'content')}, {size(figures.bytes)}; as copies {size(figures.copied)}{share}")
    print(f"  in one lock alone: {figures.unique_files:,}, {size(figures.unique_bytes)}")
    print(f"  in several locks:  {figures.shared_files:,}, {size(figures.shared_bytes)}")
    alone = sorted(figures.locks, key=lambda one: (-one.own_bytes, one.path))[:largest]
    alone = [one for one in alone if one.own_bytes]
    if alone:
        print("locks with the most that no other has:")
        print_table([(f"  {one.path}", size(one.own_bytes), f"of {size(one.bytes)}") for one in alone], right=(1,))
    if unknown := sorted({name for lock in figures.locks for name in lock.unknown}):
        print(f"not counted, for their files are not known: {', '.join(unknown)}")


def _archives(figures: Figures) -> str:
    from nixgen.cli.console import count

    wheels = [count(figures.wheels, "wheel")] if figures.wheels or not figures.archives else []
    return " and ".join([*wheels, *([f"{count(figures.archives, 'archive')} of npm"] if figures.archives else [])])


def _which(oldest: str, newest: str) -> str:
    return newest if oldest == newest else f"{oldest} to {newest}"


def _print_holders(found: Sequence[Holder], fleet: Fleet, console: Console) -> None:
    from nixgen.cli.console import count, print_table
    from nixgen.fleet.page import called

    if found:
        print_table([(one.path, called(one), ", ".join(one.versions), _where(one)) for one in found])
    console.say(f"{len({one.path for one in found}):,} of {count(len(fleet.locks), 'lock')}")


def _where(holder: Holder) -> str:
    if holder.kind == "npm":
        return "" if holder.places else "(for other systems)"
    return "" if holder.targets else "(for builds only)"


def _print_upgrade(cost: Upgrade, fleet: Fleet) -> None:
    from nixgen.cli.console import count, size

    print(
        f"{cost.name} {', '.join(cost.versions)}: {count(len(cost.locks), 'lock')} of {len(fleet.locks):,} would change"
    )
    for version, number in cost.replaced.items():
        print(f"  {version}  {count(number, 'lock')}")
    if cost.newer:
        print(f"  as new already, or without a wheel of it: {count(cost.newer, 'lock')}")
    print(f"to fetch: {count(cost.wheels, 'wheel')}, {size(cost.fetch)}")
    new, every = size(cost.new_bytes), size(cost.bytes)
    print(f"new in the store: {count(cost.new_files, 'content')} of {cost.files:,}, {new} of {every}")
    print(f"not needed any more: {count(cost.gone_files, 'content')}, {size(cost.gone_bytes)}")
