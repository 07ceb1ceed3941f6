"""Run the tests that packages ship in pip's environment and in nixgen's, of the same lock, and compare them one by one.

Without a NAME all of the list runs, one after another. Results are kept as JSON; --resume goes on where a run stopped.
The exit code is 1 where a test passes with pip and not with nixgen, or a suite could not be compared.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from corpus.entries import ListError
from corpus.environments import Store, Workshop
from corpus.processes import Processes
from corpus.suites import result
from corpus.suites.entries import Suite, choose, read
from corpus.suites.report import page
from corpus.suites.result import Result
from corpus.suites.runner import FORMS, Runner

ROOT = Path(__file__).resolve().parents[2]
LIST = Path(__file__).parent / "suites.toml"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run suites and write the page; see ``python -m corpus.suites --help``."""
    parser = argparse.ArgumentParser(
        prog="python -m corpus.suites", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    scratch = ROOT / ".cache" / "corpus-suites"
    parser.add_argument("names", nargs="*", metavar="NAME", help="a package of the list; all by default")
    parser.add_argument(
        "--form", action="append", choices=FORMS, help="of nixgen's environment, repeatable (default: mounted, as root)"
    )
    parser.add_argument("--timeout", type=float, default=3600, metavar="S", help="of one run of tests (default: 3600)")
    parser.add_argument("--resume", action="store_true", help="leave alone what has a result")
    parser.add_argument("--python", metavar="PYTHON", help="interpreter of both environments (default: nixgen's)")
    parser.add_argument("--scratch", type=Path, default=scratch, metavar="DIR", help="where environments are made")
    parser.add_argument("--remove-store", action="store_true", help="remove the store in the end")
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="write the page there after each suite; what it says of others than were run stays",
    )
    options = parser.parse_args(arguments)
    try:
        listed = read(LIST)
        suites = choose(listed, options.names)
    except (ListError, OSError) as error:
        parser.error(str(error))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what an interrupt cleans up, a termination does too
    store = Store(options.scratch / "nix")
    workshop = Workshop(processes=Processes(), store=store, python=options.python)
    runner = Runner(
        workshop=workshop, work=options.scratch / "work", out=options.scratch / "results", timeout=options.timeout
    )
    before = options.write.read_text(encoding="utf-8") if options.write and options.write.exists() else ""
    results: list[Result] = []
    text = page(results, listed=listed, before=before)
    try:
        for suite in suites:
            results += _results(runner, suite, options.form or ["mounted"], resume=options.resume)
            text = page(results, listed=listed, before=before)
            if options.write:
                options.write.write_text(text, encoding="utf-8")
    except KeyboardInterrupt:
        workshop.processes.stop()
        print("corpus: interrupted; --resume goes on", file=sys.stderr)
        return 130
    finally:
        if options.remove_store:
            store.remove()
    print(text)
    return 0 if all(one.sound for one in results) else 1


def _results(runner: Runner, suite: Suite, forms: Sequence[str], *, resume: bool) -> list[Result]:
    known = {form: result.read(runner.out, suite.name, form) for form in forms} if resume else {}
    found = [one for one in known.values() if one is not None]
    new = runner.run(suite, [form for form in forms if known.get(form) is None])
    for one in new:
        print(_said(one), file=sys.stderr, flush=True)
    return [*found, *new]


def _said(one: Result) -> str:
    """Return a line on how a suite ended."""
    pip, nixgen = one.seconds
    head = f"{one.name} {one.version}, {one.form} ({pip:.0f} s with pip, {nixgen:.0f} s): "
    judged = one.judged
    text = f"{judged.tests} tests, {len(judged.defects)} defects, {len(judged.flaky)} flaky"
    return head + text + (f"; {one.trouble}" if one.trouble else "")


if __name__ == "__main__":
    sys.exit(main())
