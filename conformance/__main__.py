"""Hold nixgen against the tools whose locks it reads: what it takes of a lock beside what the tool would install.

Every tool locks every set of conformance/sets.toml, and its lock is compared for three Pythons on three systems. Locks
and results are kept below .cache/conformance: a rerun goes on where another stopped. The exit code is 1 where nixgen
and a tool differ.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from conformance import locks, result
from conformance.compare import compare
from conformance.files import Choices
from conformance.report import page, said
from conformance.sets import RequirementSet, SetsError, read
from conformance.targets import targets
from conformance.tools import INSTALLED, ROOT, TOOLS, Tool, Workshop
from corpus.processes import Processes


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare and print the page; see ``script/conformance --help``."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what an interrupt cleans up, a termination does too
    try:
        listed = read(options.sets)
        sets = _chosen(listed, options.names, short=options.short)
    except (SetsError, OSError) as error:
        print(f"conformance: {error}", file=sys.stderr)
        return 2
    tools = [TOOLS[name] for name in options.tool or TOOLS]
    if not options.report:
        subprocess.run(
            [ROOT / "script" / "python-tools", INSTALLED, *(name for name in TOOLS if name != "uv")], check=True
        )
        try:
            _run(sets, tools, options)
        except KeyboardInterrupt:
            print("conformance: interrupted; the next run goes on", file=sys.stderr)
            return 130
    results = [
        one
        for wanted in sets
        for tool in tools
        if (one := result.read(options.scratch / "results", wanted.name, tool.name)) is not None
    ]
    before = options.write.read_text(encoding="utf-8") if options.write and options.write.exists() else ""
    text = page(results, listed, before)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    return 1 if any(one.differs for one in results) else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="SET", help="a set of the list; all by default")
    parser.add_argument("--tool", action="append", choices=TOOLS, help="a tool, repeatable; all by default")
    parser.add_argument("--short", action="store_true", help="only what the list calls short")
    parser.add_argument("--jobs", type=int, default=2, metavar="N", help="locks at once (default: 2)")
    parser.add_argument(
        "--limit", type=float, default=15, metavar="M", help="minutes that a tool may take to lock (default: 15)"
    )
    parser.add_argument("--lock-only", action="store_true", help="have the tools lock, and compare nothing")
    parser.add_argument("--again", action="store_true", help="try again what a tool could not lock before")
    parser.add_argument("--resume", action="store_true", help="leave alone what has a result without differences")
    parser.add_argument("--report", action="store_true", help="run nothing: the page of what has a result")
    parser.add_argument(
        "--sets",
        type=Path,
        default=Path(__file__).parent / "sets.toml",
        metavar="FILE",
        help="the list (default: conformance/sets.toml)",
    )
    parser.add_argument(
        "--scratch",
        type=Path,
        default=ROOT / ".cache" / "conformance",
        metavar="DIR",
        help="where locks and results are kept (default: .cache/conformance)",
    )
    parser.add_argument(
        "--write",
        type=Path,
        metavar="FILE",
        help="write the page there too (docs/conformance.md); what it says of locks that were not run stays",
    )
    options = parser.parse_args(arguments)
    options.scratch = options.scratch.resolve()
    return options


def _chosen(listed: Sequence[RequirementSet], names: Sequence[str], *, short: bool) -> list[RequirementSet]:
    known = {wanted.name: wanted for wanted in listed}
    if unknown := [name for name in names if name not in known]:
        raise SetsError(f"not in the list: {', '.join(unknown)}")
    return [known[name] for name in names or known if known[name].short or not short]


def _run(sets: Sequence[RequirementSet], tools: Sequence[Tool], options: argparse.Namespace) -> None:
    """Lock and compare, several at once, and keep each result."""
    kept = options.scratch / "results"
    processes = Processes()
    workshop = Workshop(options.scratch / "homes", processes)

    def is_done(wanted: RequirementSet, tool: Tool) -> bool:
        known = result.read(kept, wanted.name, tool.name) if options.resume else None
        return known is not None and not known.differs

    with tempfile.TemporaryDirectory() as empty, ThreadPoolExecutor(max(1, options.jobs)) as pool:
        choices = Choices(options.scratch / "files", Path(empty), workshop)

        def one(wanted: RequirementSet, tool: Tool) -> str:
            made = locks.make(
                wanted, tool, workshop, options.scratch / "sets", seconds=options.limit * 60, again=options.again
            )
            if options.lock_only:
                state = made.failure.strip().rpartition("\n")[2] or f"locked in {made.seconds:.0f} s"
                return f"{wanted.name}, {tool.name}: {state}"
            found = compare(wanted.name, made, targets(), workshop, choices)
            found.write(kept)
            return said(found)

        running = [pool.submit(one, wanted, tool) for wanted in sets for tool in tools if not is_done(wanted, tool)]
        try:
            for number, future in enumerate(as_completed(running), start=1):
                print(f"[{number}/{len(running)}] {future.result()}", file=sys.stderr, flush=True)
        except BaseException:
            processes.stop()
            pool.shutdown(cancel_futures=True)
            raise


if __name__ == "__main__":
    sys.exit(main())
