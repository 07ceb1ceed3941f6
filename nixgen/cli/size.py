"""Say what an environment costs and what it shares, the largest package first.

Each content counts once, as the store keeps it once. "own" are the bytes that no other package
has, and no other environment here. LOCK is the path of a lock, a directory with one, or a revision
of git; several are compared with each other. Packages of npm are an environment beside Python's.
--html writes a page with a treemap of every file, which needs nothing but a browser.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.comparison.sizes import EnvironmentSize, Measured

EXAMPLES = (
    ("nixgen size", "the project's environment"),
    ("nixgen size . ../other", "two environments, and what they share"),
    ("nixgen size --html size.html HEAD .", "before and after, side by side"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.add_argument("locks", nargs="*", metavar="LOCK", help="locks (default: the project's)")
    parser.add_argument("--json", action="store_true", help="print JSON (docs/commands.md says what it holds)")
    parser.add_argument("--html", metavar="FILE", help="write a page with a treemap of every file")
    parser.add_argument("-n", "--largest", type=int, default=20, metavar="N", help="show N packages (default: 20)")
    parser.add_argument(
        "-o", "--out-link", metavar="PATH", help="an environment that is built (default: result beside each lock)"
    )
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Print what environments cost; return the exit code.

    Raises:
        NixgenError: a lock is not there, or does not have what is chosen; or the index of a wheel cannot be read again.
    """
    import json
    from dataclasses import asdict
    from pathlib import Path

    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.comparison.environments import sizes_of
    from nixgen.pages import write_page

    console = Console(quiet=options.quiet)
    link = Path(options.out_link) if options.out_link else None
    sizes, data = sizes_of(request(options), options.locks, Path(options.here), console, link=link)
    if options.html:
        write_page(Path(options.html), "size", data)
        console.say(f"wrote {options.html}")
    if options.json:
        print(json.dumps({"environments": [asdict(one) for one in sizes]}, indent=1))
    elif not options.html:
        for number, one in enumerate(sizes):
            _print(one, options.largest, blank=number > 0)
    return 0


def _print(one: EnvironmentSize, largest: int, *, blank: bool) -> None:
    from nixgen.cli.console import count, print_table, size

    if blank:
        print()
    print(f"{one.name}: {'npm' if one.kind == 'npm' else f'Python {one.python}'} on {one.system}")
    rows = [
        (
            f"  {package.name} {package.version}",
            size(package.bytes),
            f"{size(package.own)} own",
            count(package.files, "file"),
        )
        for package in one.packages[: max(0, largest)]
    ]
    print_table(rows, right=(1, 2, 3))
    if left := one.packages[max(0, largest) :]:
        print(f"  and {count(len(left), 'smaller package')}: {size(sum(package.bytes for package in left))}")
    saved = f", {size(one.listed - one.bytes)} less than as copies" if one.listed > one.bytes else ""
    print(f"{count(one.files, 'content')}, {size(one.bytes)}{saved}")
    print(f"in the store already: {size(one.stored_bytes)}; still to come: {size(one.bytes - one.stored_bytes)}")
    for other, shared in one.shared.items():
        print(f"shared with {other}: {size(shared)} ({shared / max(1, one.bytes):.1%})")
    if one.environment is not None and one.trees is not None:
        print(f"the environment itself: {_measured(one.environment)}")
        kind = "package" if one.kind == "npm" else "tree"
        print(f"its {count(one.tree_count, kind)}, which environments share: {_measured(one.trees)}")


def _measured(found: Measured) -> str:
    from nixgen.cli.console import count, size

    return (
        f"{size(found.disk)} on disk, {count(found.links, 'link')}, {count(found.files, 'file')} of {size(found.bytes)}"
    )
