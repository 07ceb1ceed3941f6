"""Measure nixgen against its peers, on wheels that are fetched or made once and then served on loopback.

Without a NAME every measure runs that makes sense for the set; a named one runs on the sets that it makes sense for. A
figure counts only on a machine that does nothing else. Results are kept below .cache/benchmarks/results, the newest of
each set, measure and version of Nix: sets and measures can be run one after another, and --write puts all of them on
the page.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.chart import PEERS, chart
from benchmarks.measures import MEASURES
from benchmarks.page import page
from benchmarks.readings import kept
from benchmarks.rows import rows
from benchmarks.run import run
from benchmarks.sets import SETS
from benchmarks.written import of_page, of_result
from corpus.tables import newest

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run measures, print what they gave, and keep it; see ``python -m benchmarks --help``.

    Raises:
        SystemExit: the arguments make no sense (2), or a measure failed (1).
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, epilog=_described())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help="a measure (default: every one)")
    parser.add_argument(
        "--set",
        action="append",
        choices=[*SETS, "all"],
        metavar="SET",
        help=f"the wheels, repeatable: {', '.join(SETS)}, or all (default: data)",
    )
    parser.add_argument("--runs", type=int, default=5, metavar="N", help="rounds (default: 5); 0 measures nothing")
    parser.add_argument(
        "--nix",
        type=Path,
        metavar="BIN_DIR",
        help="where nix-build is (default: the one on PATH; script/nix-versions gets others)",
    )
    parser.add_argument(
        "--scratch",
        type=Path,
        metavar="DIR",
        help="where stores, caches and environments are made; a round on tf takes 10 GB (default: .cache/benchmarks)",
    )
    parser.add_argument("--write", action="store_true", help="put all kept results into docs/benchmarks.md and .svg")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in MEASURES]
    if unknown or options.runs < 0:
        parser.error(f"no such measure: {', '.join(unknown)}" if unknown else "--runs wants a number of rounds")
    # However it is stopped, what is mounted and made goes; a shell's background is deaf to interrupts by itself.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    chosen = options.set or ["data"]
    results = ROOT / ".cache" / "benchmarks" / "results"
    failed = []
    for name in SETS if "all" in chosen else dict.fromkeys(chosen):
        fitting = [measure for measure in MEASURES if name in MEASURES[measure].sets]
        names = [measure for measure in fitting if measure in options.names or not options.names]
        if names and options.runs > 0:
            failed += run(
                SETS[name],
                names,
                runs=options.runs,
                nix=(options.nix or _nix_on_path()).resolve(),
                cache=ROOT / ".cache" / "benchmarks",
                results=results,
                scratch=options.scratch,
            )
    if options.write:
        write(results, ROOT / "docs")
    if failed:
        sys.exit(f"benchmarks: failed: {', '.join(failed)}")


def write(results: Path, directory: Path) -> None:
    """Write ``benchmarks.md`` and ``benchmarks.svg`` into a directory, from all results that are kept in another.

    What the page of before says of other measures stays; so does the chart, unless all its peers are measured anew.
    """
    found = kept(results)
    file = directory / "benchmarks.md"
    before = of_page(file.read_text(encoding="utf-8")) if file.exists() else []
    every = newest(map(of_result, found), before)
    drawn = {(item.set, item.measure) for item in every if item.measure in PEERS}
    if drawn <= {(result.set, result.measure) for result in found}:
        (directory / "benchmarks.svg").write_text(chart(rows(found)), encoding="utf-8")
    file.write_text(page(every, "benchmarks.svg"), encoding="utf-8")


def _stop(number: int, frame: object) -> None:
    sys.exit(128 + number)


def _nix_on_path() -> Path:
    found = shutil.which("nix-build")
    if found is None:
        sys.exit("benchmarks: nix-build is not on PATH; install Nix (script/bootstrap), or say where it is with --nix")
    return Path(found).parent


def _described() -> str:
    lines = []
    for name, measure in MEASURES.items():
        most = f"; {measure.rounds} rounds at most" if measure.rounds else ""
        lines.append(f"  {name:12} {measure.description} ({', '.join(measure.sets)}{most})")
    return "\n".join(["measures:", *lines])


if __name__ == "__main__":
    main()
