"""Readings as a Markdown page: a table, and what machine it was."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

import uv

from benchmarks import stores
from benchmarks.clock import Sample
from benchmarks.measures import Bench, Reading

_INTRODUCTION = """\
# Benchmarks

Made by `python -m benchmarks --write`; not edited by hand. Each value is the median, with the smallest and the largest
in parentheses; a ratio is to the peer in the same round. CPU is what all processes together used. Every run starts
from an empty private store or cache on one file system, and every environment is seen to import its packages.
"""

_HEAD = ("measure", "what", "value", "CPU", "peer", "its value", "its CPU", "ratio", "goal", "met")


def page(bench: Bench, readings: Sequence[Reading], *, runs: int, load: float, serving: float) -> str:
    """Return the page.

    Args:
        bench: what was measured on.
        readings: of all rounds.
        runs: how many rounds there were.
        load: the machine's load when they began.
        serving: seconds in which the server alone delivers all wheels to one client.
    """
    return "\n".join([_INTRODUCTION, *_conditions(bench, runs, load, serving), "", table(readings)])


def table(readings: Iterable[Reading]) -> str:
    """Return the table: one row for each thing measured and each of its peers."""
    rows: dict[tuple[str, str, str], list[Reading]] = {}
    for reading in readings:
        rows.setdefault((reading.measure, reading.subject, reading.peer), []).append(reading)
    lines = [_HEAD, tuple("---" for _ in _HEAD), *map(_row, rows.values())]
    return "".join("| " + " | ".join(line) + " |\n" for line in lines)


def _row(readings: Sequence[Reading]) -> tuple[str, ...]:
    first = readings[0]
    values = [reading.value for reading in readings]
    peers = [reading.peer_value for reading in readings if reading.peer_value is not None]
    ratios = [_number(mine) / _number(other) for mine, other in zip(values, peers, strict=False) if _number(other)]
    ratio = statistics.median(ratios) if ratios else None
    goal = first.goal
    return (
        first.measure,
        first.subject,
        _spread(values),
        _cpu(values),
        first.peer,
        _spread(peers),
        _cpu(peers),
        "" if ratio is None else f"{ratio:.3g}" + _range([f"{min(ratios):.3g}", f"{max(ratios):.3g}"]),
        "" if goal is None else f"≤ {goal:g}",
        "" if goal is None or ratio is None else "yes" if ratio <= goal else "**no**",
    )


def _spread(values: Sequence[Sample | int]) -> str:
    if not values:
        return ""
    numbers = [_number(value) for value in values]
    show = _seconds if isinstance(values[0], Sample) else _bytes
    return show(statistics.median(numbers)) + _range([show(min(numbers)), show(max(numbers))])


def _cpu(values: Sequence[Sample | int]) -> str:
    used = [value.cpu for value in values if isinstance(value, Sample)]
    return _seconds(statistics.median(used)) if used else ""


def _range(ends: Sequence[str]) -> str:
    return "" if ends[0] == ends[1] else f" ({ends[0]} to {ends[1]})"


def _number(value: Sample | int) -> float:
    return value.seconds if isinstance(value, Sample) else float(value)


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 0.1 or value <= 0 else f"{value * 1000:.1f} ms"


def _bytes(value: float) -> str:
    return f"{value / 1e6:.2f} MB" if value >= 1e5 else f"{value / 1e3:.0f} kB"


def _conditions(bench: Bench, runs: int, load: float, serving: float) -> list[str]:
    wheels = sorted(bench.directory.glob("*.whl"))
    size = sum(wheel.stat().st_size for wheel in wheels)
    inside = bool(stores.mount_prefix(bench.nix))
    return [
        f"* {datetime.date.today().isoformat()}, {runs} {'round' if runs == 1 else 'rounds'}, "
        f"load at the start {load:.2f}",
        f"* set `{bench.wheels.name}`: {len(wheels)} wheels, {_bytes(size)}; "
        f"the loopback server alone delivers them in {serving:.2f} s",
        f"* {os.cpu_count()} cores ({_processor()}), {_memory():.0f} GiB, {_file_system(bench.scratch)}, "
        f"{platform.system()} {platform.release()}",
        f"* {_says(str(bench.nix / 'nix-build'), '--version')}, {_says(uv.find_uv_bin(), '--version')}, "
        f"environments on {_says(bench.python, '--version')}",
        "* private stores "
        + ("mounted as `/nix`" if inside else "at longer paths than `/nix/store`: links cost a block more each"),
    ]


def _says(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _file_system(path: Path) -> str:
    """Return the type of the file system that a path lies on, as Linux shows it."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown file system"
    holding = [(fields[1], fields[2]) for fields in mounts if path.resolve().is_relative_to(fields[1])]
    return max(holding, key=lambda mount: len(mount[0]))[1] if holding else "unknown file system"
