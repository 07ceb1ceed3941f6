"""Try hostile wheels on nixgen, beside pip and uv, then lying servers, kills, full disks, crowds and hostile users.

One seed is one wheel, and one case of each part: --seed S --wheels N tries the wheels S to S+N-1 and nothing else,
--parts kills --seed S --cases 1 one case. What past runs found is tried first, always. The exit code is 1 where
something was found; each finding is printed with its seed.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import queue
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from campaign import disks, kills, servers, together, users
from campaign.case import Tried, try_part
from campaign.generator import Hostile, make
from campaign.report import finding_lines, page
from campaign.trial import Bench, Trial
from corpus.processes import Processes

ROOT = Path(__file__).resolve().parent.parent

#: Wheels that something was found with, by seed and kinds: a seed alone means another wheel once there are more kinds.
PAST = Path(__file__).resolve().parent / "findings.json"

#: What the other parts found once, and was mended.
MENDED = Path(__file__).resolve().parent / "mended.json"

#: The part that is tried last, in the time that the others leave.
WHEELS = "wheels"

#: The others, by name.
PARTS = {part.name: part for part in (servers.PART, kills.PART, disks.PART, together.PART, users.PART)}


def main(arguments: Sequence[str] | None = None) -> int:
    """Try what is asked for and print the page; see ``python -m campaign --help``."""
    options = _options(arguments)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what an interrupt cleans up, a termination does too
    tried: list[Tried] = []
    trials: list[Trial] = []
    deadline = time.monotonic() + options.minutes * 60
    began = deadline
    try:
        for name in options.parts:
            if name != WHEELS:
                tried.append(
                    try_part(
                        PARTS[name],
                        options.scratch.resolve(),
                        Processes(),
                        seed=options.seed,
                        cases=options.cases,
                        seconds=options.minutes * 60 * _share(name, options.parts),
                        workers=options.workers,
                        first=[] if options.cases else [found["seed"] for found in mended() if found["part"] == name],
                    )
                )
        began = time.monotonic()
        if WHEELS in options.parts:
            wheels = itertools.chain(past(), map(make, range(options.seed, options.seed + options.wheels)))
            trials = run(wheels, options.scratch, workers=options.workers, seconds=deadline - began)
    except KeyboardInterrupt:
        print("campaign: interrupted", file=sys.stderr)
        return 130
    text = page(
        trials,
        tried,
        date=datetime.datetime.now(datetime.UTC).date().isoformat(),
        seed=options.seed,
        seconds=time.monotonic() - began,
        workers=options.workers,
        mended=[f"{found['part']}, seed {found['seed']}: {found['found']}" for found in mended()],
        share=3600 * _share(WHEELS, [WHEELS, *PARTS]),
    )
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    return 1 if any(trial.findings for trial in trials) or any(part.findings() for part in tried) else 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="script/campaign", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    every = [WHEELS, *PARTS]
    parser.add_argument(
        "--parts",
        type=lambda text: text.split(","),
        metavar="NAME,…",
        help=f"of {', '.join(every)} (default: all; with --wheels, wheels alone)",
    )
    parser.add_argument("--wheels", type=int, metavar="N", help="how many (default: 1000)")
    parser.add_argument("--cases", type=int, metavar="N", help="how many of each other part (default: as time allows)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="of the first (default: 0)")
    parser.add_argument("--minutes", type=float, default=60, metavar="M", help="begin nothing later (default: 60)")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="at once (default: 2)")
    parser.add_argument(
        "--scratch",
        type=Path,
        default=ROOT / ".cache" / "campaign",
        metavar="DIR",
        help="where all is tried, and what was found stays (default: .cache/campaign)",
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there too (docs/campaign.md)")
    options = parser.parse_args(arguments)
    options.parts = options.parts or ([WHEELS] if options.wheels is not None else every)
    if unknown := set(options.parts) - set(every):
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    options.wheels = 1000 if options.wheels is None else options.wheels
    return options


def _share(name: str, chosen: Sequence[str]) -> float:
    """Return the share of the time that a part has: of all, wheels have seven twelfths, each other one."""
    weights = {part: 7 if part == WHEELS else 1 for part in chosen}
    return weights[name] / sum(weights.values())


def mended() -> list[dict[str, Any]]:
    """Return what past runs found in other parts than the wheels, by part and seed: tried first in each full run."""
    found: list[dict[str, Any]] = json.loads(MENDED.read_text(encoding="utf-8"))
    return found


def past() -> Iterator[Hostile]:
    """Make the wheels that past runs found something with."""
    for finding in json.loads(PAST.read_text(encoding="utf-8")):
        yield make(finding["seed"], finding["kinds"])


def run(wheels: Iterator[Hostile], scratch: Path, *, workers: int, seconds: float) -> list[Trial]:
    """Try wheels, several at once, until there are no more or the time is up.

    Args:
        wheels: in the order in which they are begun.
        scratch: holds a directory for each worker.
        workers: how many wheels at once.
        seconds: after which none is begun.

    Returns:
        the trials in the order of the wheels.
    """
    processes = Processes()
    deadline = time.monotonic() + seconds
    benches: queue.SimpleQueue[Bench] = queue.SimpleQueue()
    every = [Bench(scratch / f"worker-{number}", processes) for number in range(workers)]
    for bench in every:
        benches.put(bench)
    turn = threading.Lock()
    numbered = enumerate(wheels)

    def work() -> list[tuple[int, Trial]]:
        bench = benches.get()
        done = []
        while time.monotonic() < deadline:
            with turn:
                following = next(numbered, None)
            if following is None:
                break
            number, wheel = following
            trial = bench.run(wheel)
            done.append((number, trial))
            for line in finding_lines(trial):
                print(f"FOUND {line}", file=sys.stderr, flush=True)
        return done

    with ThreadPoolExecutor(workers) as pool:
        shares = [pool.submit(work) for _ in range(workers)]
        try:
            results = [result for share in shares for result in share.result()]
        except BaseException:
            processes.stop()
            raise
    for bench in every:
        bench.remove()
    return [trial for _, trial in sorted(results, key=lambda result: result[0])]


if __name__ == "__main__":
    sys.exit(main())
