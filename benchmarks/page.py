"""Results as a Markdown page: how it was measured, the goals, a table for each set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from benchmarks.measures import MEASURES
from benchmarks.readings import Result
from benchmarks.rows import Row, rows
from benchmarks.sets import SETS

#: Written by hand: what each optimisation bought.
OPTIMISATIONS = Path(__file__).with_name("optimisations.md")

_INTRODUCTION = """\
# Benchmarks

Made by `python -m benchmarks --write` from the newest results of each measure, which may be of several days; not edited
by hand.

## How it was measured

* A value is the median of its rounds, with the smallest and the largest in parentheses. A ratio is to the peer in the
  same round; a goal is met, or **missed**, by the median.
* Wheels are fetched once and served on loopback, to nixgen and to its peers alike. All of them read the same
  `pylock.toml`, and make environments of the same Python.
* "Cold" starts from an empty private store, or from an empty cache; "warm" from one that holds every wheel. A round
  makes all of its files on one file system. What earlier runs have written goes to disk before a clock starts.
* Every environment is seen to hold its packages and to import them, a large one in the first round.
* CPU is what all processes together used, the peer's after the stroke. Sizes are allocated blocks.
* Where a row has fewer rounds than the others, they were enough: sizes do not change, and some peers are slow.
"""

_HEAD = ("measure", "what", "Nix", "value", "peer", "its value", "CPU", "ratio", "goal", "met", "rounds")


def page(results: Iterable[Result], chart: str | None = None) -> str:
    """Return the page.

    Args:
        results: what is to be on it.
        chart: the chart's file name; None shows none.
    """
    ordered = sorted(results, key=_place)
    every = rows(ordered)
    parts = [_INTRODUCTION, "## Goals\n", goals(every)]
    if chart is not None:
        parts += ["## Chart\n", f"![Seconds of nixgen and its peers, as in the tables below]({chart})\n"]
    for name in dict.fromkeys(result.set for result in ordered):
        parts += [f"## Set `{name}`\n", _conditions([result for result in ordered if result.set == name])]
        parts.append(table([row for row in every if row.set == name]))
    return "\n".join([*parts, OPTIMISATIONS.read_text(encoding="utf-8")])


def goals(every: Sequence[Row]) -> str:
    """Return the table of goals: one row for each goal and what was measured of it."""
    lines: list[tuple[str, ...]] = [("measure", "goal", "what", "set", "Nix", "measured", "met")]
    for name, measure in MEASURES.items():
        judged = [row for row in every if row.measure == name and row.met is not None]
        lines += [(name, row.goal(), _what(row), row.set, row.nix, row.against_goal(), _verdict(row)) for row in judged]
        if measure.goal and not judged:
            lines.append((name, measure.goal, "", ", ".join(measure.sets), "", "not measured yet", ""))
    return _markdown(lines)


def table(some: Sequence[Row]) -> str:
    """Return the table of a set: one row for each thing measured and each of its peers."""
    lines: list[tuple[str, ...]] = [_HEAD]
    for row in some:
        first = row.first
        lines.append(
            (
                *(row.measure, first.subject, row.nix, row.value(), first.peer, row.peer_value()),
                *(row.cpu(), row.ratio(), row.goal(), _verdict(row), str(len(row.readings))),
            )
        )
    return _markdown(lines)


def _what(row: Row) -> str:
    return f"{row.first.subject}, to {row.first.peer}" if row.first.limit is None else row.first.subject


def _verdict(row: Row) -> str:
    return {True: "yes", False: "**missed**", None: ""}[row.met]


def _markdown(lines: Sequence[Sequence[str]]) -> str:
    head, *body = lines
    written = [head, ["---"] * len(head), *body]
    return "".join("| " + " | ".join(line) + " |\n" for line in written)


def _conditions(results: Sequence[Result]) -> str:
    """Return what the results of a set were made under: once where it is the same for all."""
    shared = dict(results[0].conditions)
    for result in results:
        shared = {word: text for word, text in shared.items() if result.conditions.get(word) == text}
    lines = [f"* {word}: {text}" for word, text in shared.items()]
    runs: dict[tuple[str, ...], list[str]] = {}
    for result in results:
        rest = [f"{word} {text}" for word, text in result.conditions.items() if word not in shared]
        runs.setdefault((f"Nix {result.nix}" if result.nix else "no Nix", *rest), []).append(result.measure)
    lines += [f"* {', '.join(names)}: {', '.join(texts)}" for texts, names in runs.items()]
    return "\n".join(lines) + "\n"


def _place(result: Result) -> tuple[int, int, str]:
    return _index(SETS, result.set), _index(MEASURES, result.measure), result.nix


def _index(names: Mapping[str, object], name: str) -> int:
    return list(names).index(name) if name in names else len(names)
