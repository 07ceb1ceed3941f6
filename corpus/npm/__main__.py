"""Compare nixgen with npm, package by package and project by project, from the same locks.

Without a NAME all of the list runs, one after another; packages of a heading stand in one project together. Results are
kept as JSON; --resume goes on where a run stopped. The exit code is 1 where something works with npm and not with
nixgen, and the list has no reason for it.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from corpus.entries import ListError
from corpus.environments import Store
from corpus.npm import releases, result
from corpus.npm.entries import Entry, choose, read
from corpus.npm.report import page, unexplained
from corpus.npm.result import Result
from corpus.npm.runner import Runner, run_all
from corpus.npm.sides import FORMS, Workshop
from corpus.processes import Processes

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).parent / "packages.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run packages and projects and print the page; see ``python -m corpus.npm --help``."""
    parser = argparse.ArgumentParser(
        prog="python -m corpus.npm", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    scratch = ROOT / ".cache" / "corpus-npm"
    parser.add_argument("names", nargs="*", metavar="NAME", help="of the list; all by default")
    parser.add_argument(
        "--form",
        action="append",
        choices=FORMS,
        help="one of nixgen's forms, repeatable (default: both, without mounted for users who are not root)",
    )
    parser.add_argument(
        "--apart", action="store_true", help="a project for each package (default: one for those of a heading together)"
    )
    parser.add_argument("--resume", action="store_true", help="leave alone what has a result")
    parser.add_argument("--report", action="store_true", help="run nothing: the page of what has a result")
    parser.add_argument(
        "--releases",
        action="store_true",
        help="compare two releases each of some packages, of which the page says more",
    )
    parser.add_argument("--scratch", type=Path, default=scratch, metavar="DIR", help="where environments are made")
    parser.add_argument("--remove-store", action="store_true", help="remove the store in the end")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="write the page there (docs/compatibility-npm.md); what it says of others than were run stays",
    )
    options = parser.parse_args(arguments)
    try:
        listed = read(LIST)
        entries = choose(listed, options.names)
    except (ListError, OSError) as error:
        parser.error(str(error))
    out = options.scratch / "results"
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what an interrupt cleans up, a termination does too
    try:
        results = [] if options.report or options.releases else _run(entries, options, out)
        compared = releases.compare_all(options.scratch / "releases") if options.releases else []
    except KeyboardInterrupt:
        print("corpus: interrupted; --resume goes on", file=sys.stderr)
        return 130
    kept = [one for one in (result.read(out, entry.name) for entry in listed) if one is not None]
    before = options.write.read_text(encoding="utf-8") if options.write and options.write.exists() else ""
    text = page(kept, listed=listed, releases=compared, before=before)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    reasons = {entry.name: entry.differs for entry in listed}
    return 1 if any(unexplained(one, reasons[one.name]) for one in results) else 0


def _run(entries: Sequence[Entry], options: argparse.Namespace, out: Path) -> list[Result]:
    forms = options.form or [form for form in FORMS if form != "mounted" or os.geteuid() == 0]
    store = Store(options.scratch / "nix")
    cache = (options.scratch / "cache").resolve()
    cache.mkdir(parents=True, exist_ok=True)
    workshop = Workshop(processes=Processes(), store=store, cache=cache)
    runner = Runner(workshop=workshop, work=options.scratch / "work", out=out, forms=tuple(forms))
    try:
        return run_all(runner, entries, resume=options.resume, apart=options.apart)
    finally:
        if options.remove_store:
            store.remove()


if __name__ == "__main__":
    sys.exit(main())
