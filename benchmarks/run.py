"""Run measures on a set, round after round, and keep what they give."""

from __future__ import annotations

import compileall
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import cast

from benchmarks.conditions import ROOT, conditions, nix_version
from benchmarks.measures import MEASURES
from benchmarks.npm_rounds import NpmRound
from benchmarks.npm_sets import NpmSet
from benchmarks.page import table
from benchmarks.readings import Reading, Result
from benchmarks.rounds import Bench, Round
from benchmarks.server import LoopbackIndex
from benchmarks.sets import WheelSet
from benchmarks.written import of_result


def run(
    wheels: WheelSet | NpmSet,
    names: Sequence[str],
    *,
    runs: int,
    nix: Path,
    cache: Path,
    results: Path,
    scratch: Path | None = None,
    mount: bool = True,
) -> list[str]:
    """Run some measures on a set, keep the results after each round, and print a table in the end.

    A measure that fails ends for this set, the others go on.

    Args:
        wheels: the set.
        names: of the measures, in the order of ``MEASURES``.
        runs: how many rounds, where a measure does not want fewer.
        nix: the directory of ``nix-build`` and its like.
        cache: where wheels are kept.
        results: where results are kept.
        scratch: where stores, caches and environments are made; the cache by default.
        mount: whether a round gets a file system of its own where that is possible.

    Returns:
        The set and name of each measure that failed.
    """
    load = os.getloadavg()[0]
    # As installers do; a variable may keep Python from it (PYTHONDONTWRITEBYTECODE).
    compileall.compile_dir(ROOT / "nixgen", quiet=2)
    directory = wheels.fetch(cache / "wheels")
    version = "{}.{}".format(*sys.version_info)
    made = Path(tempfile.mkdtemp(prefix="run-", dir=scratch or cache))
    found: dict[str, list[Reading]] = {name: [] for name in names}
    failed: list[str] = []
    kept: list[Result] = []
    try:
        with wheels.serve(directory) as index:
            serving = index.seconds_to_serve()
            bench = Bench(
                wheels=cast(WheelSet, wheels),  # an NpmRound takes both for what they are
                directory=directory,
                index=cast(LoopbackIndex, index),
                nix=nix,
                python=_library_python(nix, version),
                version=version,
                scratch=made,
                mount=mount,
            )
            for number in range(runs):
                wanted = [name for name in names if name not in failed and number < (MEASURES[name].rounds or runs)]
                if not wanted:
                    break
                round = (NpmRound if isinstance(wheels, NpmSet) else Round)(bench, number)
                try:
                    failed += _round(round, wanted, runs, found)
                    said = conditions(round, load=load, serving=serving)
                    kept = _keep(results, wheels.name, nix_version(nix), said, found)
                finally:
                    round.remove()
    finally:
        shutil.rmtree(made)
    print(table([of_result(result) for result in kept]), flush=True)
    return [f"{name} on {wheels.name}" for name in failed]


def _round(round: Round, names: Sequence[str], runs: int, found: dict[str, list[Reading]]) -> list[str]:
    """Run measures once, add what they give, and return the names of those that failed."""
    failed = []
    for name in names:
        start = time.monotonic()
        try:
            found[name] += list(MEASURES[name].run(round))
        except Exception:
            traceback.print_exc()
            failed.append(name)
        took = time.monotonic() - start
        where = f"{round.bench.wheels.name}, round {round.number + 1} of {runs}"
        print(f"{where}: {name} ({took:.0f} s){' FAILED' if name in failed else ''}", file=sys.stderr, flush=True)
    return failed


def _keep(results: Path, name: str, nix: str, said: dict[str, str], found: dict[str, list[Reading]]) -> list[Result]:
    """Keep what was found so far, and return it."""
    kept = [
        Result(set=name, measure=measure, nix=nix if MEASURES[measure].nix else "", conditions=said, readings=readings)
        for measure, readings in found.items()
        if readings
    ]
    for result in kept:
        result.keep(results)
    return kept


def _library_python(nix: Path, version: str) -> str:
    """Return the interpreter that the Nix library takes by itself: peers get the same."""
    expression = "{ library, version }: ((import (/. + library)).interpreter { python = null; inherit version; }).path"
    command = [str(nix / "nix-instantiate"), "--eval", "--json", "--expr", expression]
    command += ["--argstr", "library", str(ROOT / "nix"), "--argstr", "version", version]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    path: str = json.loads(done.stdout)
    return path
