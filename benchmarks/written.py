"""What the page says of a measure on a set, whether of a result or read off a page that was written before."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.readings import Result
from benchmarks.rows import Row, rows
from corpus.tables import cells

#: Columns of a set's table, and of the goals'.
HEAD = ("measure", "what", "Nix", "value", "peer", "its value", "CPU", "ratio", "goal", "met", "rounds")
GOALS = ("measure", "goal", "what", "set", "Nix", "measured", "met")

#: The words of ``benchmarks/conditions.py``, as a page has them.
_WORDS = ("date", "commit", "load", "set", "server", "machine", "file system", "programs", "stores")
_NEXT_WORD = re.compile(rf", (?=(?:{'|'.join(_WORDS)}) )")

_SET = re.compile(r"^## Set `(.+)`$")

Cells = tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Written:
    """One measure on one set, by one version of Nix, in the words of the page.

    Attributes:
        set, measure, nix: what it is of.
        conditions: what the page says of the run, by a word for each.
        lines: its rows in the set's table, as ``HEAD``.
        goals: its rows in the table of goals, as ``GOALS``.
    """

    set: str
    measure: str
    nix: str
    conditions: Mapping[str, str]
    lines: Sequence[Cells]
    goals: Sequence[Cells]

    @property
    def key(self) -> tuple[str, str, str]:
        """Which measure it is."""
        return self.set, self.measure, self.nix


def of_result(result: Result) -> Written:
    """Return what the page says of a result."""
    every = rows([result])
    return Written(
        set=result.set,
        measure=result.measure,
        nix=result.nix,
        conditions=result.conditions,
        lines=[line(row) for row in every],
        goals=[goal(row) for row in every if row.met is not None],
    )


def line(row: Row) -> Cells:
    """Return a row of a set's table."""
    first = row.first
    return (
        *(row.measure, first.subject, row.nix, row.value(), first.peer, row.peer_value()),
        *(row.cpu(), row.ratio(), row.goal(), _verdict(row), str(len(row.readings))),
    )


def goal(row: Row) -> Cells:
    """Return a row of the table of goals."""
    what = f"{row.first.subject}, to {row.first.peer}" if row.first.limit is None else row.first.subject
    return (row.measure, row.goal(), what, row.set, row.nix, row.against_goal(), _verdict(row))


def _verdict(row: Row) -> str:
    return {True: "yes", False: "**missed**", None: ""}[row.met]


def of_page(text: str) -> list[Written]:
    """Return what a page says of every measure on every set, in its order."""
    found: dict[tuple[str, str, str], Written] = {}
    goals: dict[tuple[str, str, str], list[Cells]] = {}
    head, *parts = re.split(r"^(?=## Set `)", text, flags=re.MULTILINE)
    for row in cells(head, GOALS):
        goals.setdefault((row[3], row[0], row[4]), []).append(row)
    for part in parts:
        name = _SET.match(part.partition("\n")[0])
        assert name is not None
        listed: dict[tuple[str, str], list[Cells]] = {}
        for row in cells(part, HEAD):
            listed.setdefault((row[0], row[2]), []).append(row)
        told = _conditions(part)
        for (measure, nix), lines in listed.items():
            key = (name[1], measure, nix)
            found[key] = Written(
                set=name[1],
                measure=measure,
                nix=nix,
                conditions=told.get((measure, nix), {}),
                lines=lines,
                goals=goals.get(key, []),
            )
    return list(found.values())


def _conditions(part: str) -> dict[tuple[str, str], dict[str, str]]:
    """Return the conditions of each measure and Nix that the list above a set's table names."""
    shared: dict[str, str] = {}
    found: dict[tuple[str, str], dict[str, str]] = {}
    for said in (line.removeprefix("* ") for line in part.splitlines() if line.startswith("* ")):
        names, _, told = said.partition(": ")
        if names in _WORDS:
            shared[names] = told
            continue
        nix, *rest = _NEXT_WORD.split(told)
        own = {word: text.removeprefix(f"{word} ") for text in rest for word in _WORDS if text.startswith(f"{word} ")}
        for measure in names.split(", "):
            found[measure, "" if nix == "no Nix" else nix.removeprefix("Nix ")] = own
    return {key: {**shared, **own} for key, own in found.items()}
