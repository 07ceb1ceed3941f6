"""The page, in Markdown: how it was measured, the goals, a table for each set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.measures import MEASURES
from benchmarks.sets import SETS
from benchmarks.written import GOALS, HEAD, Written
from corpus import tables

#: Written by hand: what each optimisation bought.
OPTIMISATIONS = Path(__file__).with_name("optimisations.md")

_INTRODUCTION = """\
# Benchmarks

Made by `python -m benchmarks --write` from the newest results of each measure, which may be of several days; not edited
by hand. A measure that has no new result keeps the rows that it had.

## How it was measured

* A value is the median of its rounds, with the smallest and the largest in parentheses. A ratio is to the peer in the
  same round; a goal is met, or **missed**, by the median.
* Wheels are fetched once and served on loopback, to nixgen and to its peers alike. All of them read the same
  `pylock.toml`, and make environments of the same Python.
* Archives of npm are, too: npm resolves as of one day, and all read that `package-lock.json`, or what pnpm and bun make
  of it for themselves. No install script runs anywhere.
* "Cold" starts from an empty private store, or from an empty cache; "warm" from one that holds every wheel or archive.
  A round makes all of its files on one file system. What earlier runs have written goes to disk before a clock starts.
* Every environment is seen to hold its packages and to import them, a large one in the first round.
* CPU is what all processes together used, the peer's after the stroke. Sizes are allocated blocks.
* Where a row has fewer rounds than the others, they were enough: sizes do not change, and some peers are slow.
"""


def page(every: Iterable[Written], chart: str | None = None) -> str:
    """Return the page.

    Args:
        every: what is to be on it.
        chart: the chart's file name; None shows none.
    """
    ordered = sorted(every, key=_place)
    parts = [_INTRODUCTION, "## Goals\n", goals(ordered)]
    if chart is not None:
        parts += ["## Chart\n", f"![Seconds of nixgen and its peers, as in the tables below]({chart})\n"]
    for name in dict.fromkeys(item.set for item in ordered):
        some = [item for item in ordered if item.set == name]
        parts += [f"## Set `{name}`\n", _conditions(some), table(some)]
    return "\n".join([*parts, OPTIMISATIONS.read_text(encoding="utf-8")])


def goals(every: Sequence[Written]) -> str:
    """Return the table of goals: one row for each goal and what was measured of it."""
    lines: list[tuple[str, ...]] = [GOALS]
    for name, measure in MEASURES.items():
        judged = [cells for item in every if item.measure == name for cells in item.goals]
        lines += judged
        if measure.goal and not judged:
            lines.append((name, measure.goal, "", ", ".join(measure.sets), "", "not measured yet", ""))
    return tables.table(lines)


def table(some: Sequence[Written]) -> str:
    """Return the table of a set: one row for each thing measured and each of its peers."""
    return tables.table([HEAD, *(cells for item in some for cells in item.lines)])


def _conditions(some: Sequence[Written]) -> str:
    """Return what a set was measured under: once where it is the same for all."""
    shared = dict(some[0].conditions)
    for item in some:
        shared = {word: text for word, text in shared.items() if item.conditions.get(word) == text}
    lines = [f"* {word}: {text}" for word, text in shared.items()]
    runs: dict[tuple[str, ...], list[str]] = {}
    for item in some:
        rest = [f"{word} {text}" for word, text in item.conditions.items() if word not in shared]
        runs.setdefault((f"Nix {item.nix}" if item.nix else "no Nix", *rest), []).append(item.measure)
    lines += [f"* {', '.join(names)}: {', '.join(texts)}" for texts, names in runs.items()]
    return "\n".join(lines) + "\n"


def _place(item: Written) -> tuple[int, int, str]:
    return _index(SETS, item.set), _index(MEASURES, item.measure), item.nix


def _index(names: Mapping[str, object], name: str) -> int:
    return list(names).index(name) if name in names else len(names)
