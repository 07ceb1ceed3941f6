"""Run commands in turns, so that what the machine does meanwhile meets all of them alike.

    python alternate.py RUNS PROGRAM PYTHON...

prints, as JSON, what one ``PYTHON -c PROGRAM`` of each interpreter takes: the median. A program of its own, for it has
to run where a private store is mounted.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)

from benchmarks.clock import Sample


def in_turns(runs: int, commands: Sequence[Sequence[str]], env: Mapping[str, str]) -> list[list[Sample]]:
    """Run some commands several times, one after another, after one run of each that does not count.

    Raises:
        subprocess.CalledProcessError: one fails.
    """
    found: list[list[Sample]] = [[] for _ in commands]
    for number in range(runs + 1):
        for command, samples in zip(commands, found, strict=True):
            start = time.perf_counter()
            process = subprocess.Popen(command, env=dict(env), stdout=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - start
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise subprocess.CalledProcessError(process.returncode, list(command))
            if number > 0:
                samples.append(Sample(seconds=seconds, cpu=usage.ru_utime + usage.ru_stime))
    return found


def median(samples: Sequence[Sample]) -> Sample:
    """Return the medians of seconds and of processors' seconds."""
    return Sample(
        seconds=statistics.median(sample.seconds for sample in samples),
        cpu=statistics.median(sample.cpu for sample in samples),
    )


def _main() -> None:
    runs, program, *pythons = sys.argv[1:]
    found = in_turns(int(runs), [[python, "-I", "-c", program] for python in pythons], os.environ)
    json.dump([vars(median(samples)) for samples in found], sys.stdout)


if __name__ == "__main__":
    _main()
