"""Measure nixgen against its peers, on wheels that are fetched once and then served on loopback.

Without a NAME every measure runs. A figure counts only on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.measures import MEASURES, Bench, Reading, Round
from benchmarks.report import page
from benchmarks.server import LoopbackIndex
from benchmarks.sets import SETS, WheelSet

ROOT = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> None:
    """Run measures and print the page; see ``python -m benchmarks --help``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__, epilog=_described())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("names", nargs="*", metavar="NAME", help="a measure; all by default")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="rounds (default: 3)")
    parser.add_argument("--set", choices=SETS, default="data", help="the wheels (default: data)")
    parser.add_argument("--nix", type=Path, metavar="BIN_DIR", help="where nix-build is (default: the one on PATH)")
    parser.add_argument(
        "--scratch",
        type=Path,
        metavar="DIR",
        help="where stores, caches and environments are made, 4 GB a round (default: .cache/benchmarks)",
    )
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md too")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in MEASURES]
    if unknown or options.runs < 1:
        parser.error(f"no such measure: {', '.join(unknown)}" if unknown else "--runs wants 1 at least")
    nix = options.nix or _nix_on_path()
    text = run(
        SETS[options.set],
        options.names or list(MEASURES),
        runs=options.runs,
        nix=nix.resolve(),
        scratch=options.scratch,
    )
    print(text)
    if options.write:
        (ROOT / "docs" / "benchmarks.md").write_text(text)


def run(
    wheels: WheelSet,
    names: Sequence[str],
    *,
    runs: int,
    nix: Path,
    cache: Path | None = None,
    scratch: Path | None = None,
) -> str:
    """Run some measures and return the page.

    Args:
        wheels: the set.
        names: of the measures.
        runs: how many rounds.
        nix: the directory of ``nix-build`` and its like.
        cache: where wheels are kept; the checkout's by default.
        scratch: where stores, caches and environments are made; the cache by default.
    """
    cache = cache or ROOT / ".cache" / "benchmarks"
    load = os.getloadavg()[0]
    directory = wheels.fetch(cache / "wheels")
    version = "{}.{}".format(*sys.version_info)
    made = Path(tempfile.mkdtemp(prefix="run-", dir=scratch or cache))
    rounds: list[Round] = []
    readings: list[Reading] = []
    try:
        with LoopbackIndex(directory) as index:
            serving = index.seconds_to_serve()
            bench = Bench(
                wheels=wheels,
                directory=directory,
                index=index,
                nix=nix,
                python=_library_python(nix, version),
                version=version,
                scratch=made,
            )
            for number in range(runs):
                rounds.append(Round(bench, number))
                for name in names:
                    start = time.monotonic()
                    readings += MEASURES[name](rounds[-1])
                    print(f"round {number + 1}: {name} ({time.monotonic() - start:.0f} s)", file=sys.stderr)
        return page(bench, readings, runs=runs, load=load, serving=serving)
    finally:
        for round in rounds:
            round.remove()
        shutil.rmtree(made)


def _library_python(nix: Path, version: str) -> str:
    """Return the interpreter that the Nix library takes by itself: peers get the same."""
    expression = "{ library, version }: ((import (/. + library)).interpreter { python = null; inherit version; }).path"
    command = [str(nix / "nix-instantiate"), "--eval", "--json", "--expr", expression]
    command += ["--argstr", "library", str(ROOT / "nix"), "--argstr", "version", version]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    path: str = json.loads(done.stdout)
    return path


def _nix_on_path() -> Path:
    found = shutil.which("nix-build")
    if found is None:
        sys.exit("benchmarks: nix-build is not on PATH; install Nix (script/bootstrap), or say where it is with --nix")
    return Path(found).parent


def _described() -> str:
    lines = [f"  {name:12} {(measure.__doc__ or '').splitlines()[0]}" for name, measure in MEASURES.items()]
    return "\n".join(["measures:", *lines])


if __name__ == "__main__":
    main()
