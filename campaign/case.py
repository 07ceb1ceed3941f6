"""Cases of the campaign's parts: what each of them tried, one seed after another, within its time."""

from __future__ import annotations

import itertools
import sys
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from corpus.processes import Processes


@dataclass(frozen=True, kw_only=True)
class Case:
    """How one case ended.

    Attributes:
        kinds: the rows of the part's table that it counts for.
        seed: makes it again.
        outcome: the column that it counts for.
        findings: what must not be.
        said: what the commands printed, where there are findings.
    """

    kinds: tuple[str, ...]
    seed: int
    outcome: str
    findings: tuple[str, ...] = ()
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of the things that the campaign tries.

    Attributes:
        name: on the command line.
        title: of its table.
        text: what is tried and what a finding is; Markdown.
        outcomes: the columns.
        open: makes ready in an empty directory and gives what tries the case of a seed.
        missing: why it cannot be tried on this machine; empty where it can.
        workers: cases at once, at most.
    """

    name: str
    title: str
    text: str
    outcomes: tuple[str, ...]
    open: Callable[[Path, Processes], AbstractContextManager[Callable[[int], Case]]]
    missing: Callable[[], str] = lambda: ""
    workers: int = 2


@dataclass(kw_only=True)
class Tried:
    """A part that was tried, or not.

    Attributes:
        part: which.
        skipped: why not; empty where it was.
        cases: in the order of their seeds.
        seconds: how long it took.
    """

    part: Part
    skipped: str = ""
    cases: list[Case] = field(default_factory=list)
    seconds: float = 0.0

    def findings(self) -> list[str]:
        """Return the findings, each with what reproduces it."""
        return [finding for case in self.cases for finding in lines(self.part, case)]


def lines(part: Part, case: Case) -> list[str]:
    """Return the findings of a case, each with what reproduces it."""
    return [f"{part.name}, seed {case.seed} ({', '.join(case.kinds)}): {finding}" for finding in case.findings]


def try_part(
    part: Part,
    scratch: Path,
    processes: Processes,
    *,
    seed: int,
    cases: int | None,
    seconds: float,
    workers: int,
    first: Sequence[int] = (),
) -> Tried:
    """Try cases of a part, several at once, until there are no more or the time is up.

    Args:
        part: what to try.
        scratch: holds a directory for each worker, and what was said where something was found.
        processes: runs the commands.
        seed: of the first case.
        cases: how many at most.
        seconds: after which none is begun.
        workers: how many at once, where the part allows it.
        first: seeds to begin with.
    """
    tried = Tried(part=part, skipped=part.missing())
    if tried.skipped:
        return tried
    began = time.monotonic()
    counted = iter(range(seed, seed + cases)) if cases is not None else itertools.count(seed)
    seeds = itertools.chain(first, (number for number in counted if number not in first))
    turn = threading.Lock()

    def work(number: int) -> None:
        with part.open(scratch / f"{part.name}-{number}", processes) as trial:
            while time.monotonic() - began < seconds:
                with turn:
                    following = next(seeds, None)
                if following is None:
                    return
                try:
                    case = trial(following)
                except Exception:  # of the campaign's own: an hour's other cases are not lost to it
                    case = Case(
                        kinds=("the campaign's own mistake",),
                        seed=following,
                        outcome=part.outcomes[-1],
                        findings=("the campaign itself failed",),
                        said=traceback.format_exc(),
                    )
                with turn:
                    tried.cases.append(case)
                for line in lines(part, case):
                    print(f"FOUND {line}", file=sys.stderr, flush=True)
                if case.findings:
                    kept = scratch / "kept"
                    kept.mkdir(parents=True, exist_ok=True)
                    (kept / f"{part.name}-{case.seed}.txt").write_text(case.said)

    count = min(part.workers, workers, cases or workers)
    with ThreadPoolExecutor(count) as pool:
        shares = [pool.submit(work, number) for number in range(count)]
        try:
            for share in shares:
                share.result()
        except BaseException:
            processes.stop()
            raise
    tried.cases.sort(key=lambda case: case.seed)
    tried.seconds = time.monotonic() - began
    return tried
