"""What the page says of one lock of one tool, whether of a result or read off a page that was written before."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from conformance.result import Result
from conformance.tools import TOOLS
from corpus.tables import cells

#: The columns of the table.
HEAD = ("set", *TOOLS)

#: The title of a list that says something before its lines.
ALIKE = "Two wheels that fit equally well"

_NUMBERS = re.compile(r"(?P<versions>\d+): (?P<equal>\d+) of (?P<targets>\d+) equal")
_WHICH = re.compile(rf"\* (?P<set>[\w-]+), (?P<tool>{'|'.join(map(re.escape, TOOLS))})(?=[ ,:])")
_PROGRAMS = re.compile(r"^\* .*?; (?P<programs>.+), pip newest$", re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Written:
    """One lock of one tool, in the words of the page.

    Attributes:
        set, tool: which.
        cell: what the table says of it.
        lines: what the page lists of it, by the title of the part.
    """

    set: str
    tool: str
    cell: str
    lines: Mapping[str, Sequence[str]]

    @property
    def key(self) -> tuple[str, str]:
        """Which it is."""
        return self.set, self.tool

    @property
    def numbers(self) -> tuple[int, int, int] | None:
        """How many versions the lock has, and how many targets are equal, of how many; None where none was compared."""
        match = _NUMBERS.match(self.cell)
        return (int(match["versions"]), int(match["equal"]), int(match["targets"])) if match else None


def of_result(one: Result) -> Written:
    """Return what the page says of a result."""
    listed = {title: list(lines(one)) for title, lines in LISTS.items()}
    return Written(
        set=one.set,
        tool=one.tool,
        cell=_cell(one),
        lines={title: lines for title, lines in listed.items() if lines},
    )


def of_page(text: str) -> list[Written]:
    """Return what a page says of every lock, in its order."""
    lines: dict[tuple[str, str], dict[str, list[str]]] = {}
    for part in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        title, *listed = part.splitlines()
        for line in listed:
            if match := _WHICH.match(line):
                lines.setdefault((match["set"], match["tool"]), {}).setdefault(title, []).append(line)
    return [
        Written(set=name, tool=tool, cell=cell, lines=lines.get((name, tool), {}))
        for name, *row in cells(text, HEAD)
        for tool, cell in zip(TOOLS, row, strict=True)
        if cell
    ]


def versions_of(text: str) -> dict[str, set[str]]:
    """Return the versions of the tools whose locks a page is about, by tool."""
    found: dict[str, set[str]] = {}
    match = _PROGRAMS.search(text)
    for said in match["programs"].split(", ") if match else ():
        name, _, versions = said.partition(" ")
        for version in versions.split(" and "):
            old = f"{name}-{'.'.join(version.split('.')[:2])}"
            found.setdefault(old if old in TOOLS else name, set()).add(version)
    return found


def by_line(one: Result) -> dict[str, list[str]]:
    """Return each difference with the targets that have it."""
    found: dict[str, list[str]] = {}
    for side in one.sides:
        for line in side.differences:
            found.setdefault(line, []).append(side.target)
    return {line: ["all targets"] if len(keys) == len(one.sides) else keys for line, keys in found.items()}


def equal(one: Result) -> str:
    """Return how many targets are equal."""
    return f"{sum(not side.differences for side in one.sides)} of {len(one.sides)} equal"


def last(text: str) -> str:
    """Return the last line that says something, without paths of this machine."""
    lines = [line.strip() for line in text.splitlines() if re.search(r"\w", line)] or [""]
    return re.sub(r"(?<![\w:/])/(?:[\w.@+-]+/)+", "…/", lines[-1])[:300].replace("|", "\\|")


def _cell(one: Result) -> str:
    if one.unlocked:
        return "not locked"
    if one.silent:
        return "not said"
    refused = len({name for side in one.sides for name in side.refused})
    return f"{one.packages}: {equal(one)}" + (f", {refused} without a wheel" if refused else "")


def _differences(one: Result) -> Iterator[str]:
    if one.silent:
        yield f"* {one.set}, {one.tool} does not say what it would install: {last(one.silent)}"
    for line in one.with_itself:
        yield f"* {one.set}, {one.tool}, its dry run and its library: {line}"
    for line, targets in by_line(one).items():
        yield f"* {one.set}, {one.tool} ({', '.join(targets)}): {last(line)}"


def _unlocked(one: Result) -> Iterator[str]:
    if one.unlocked:
        yield f"* {one.set}, {one.tool}: {last(one.unlocked)}"


def _alike(one: Result) -> Iterator[str]:
    for pair in sorted({pair for side in one.sides for pair in side.alike}):
        yield f"* {one.set}, {one.tool}: {pair}"


def _added(one: Result) -> Iterator[str]:
    for side in one.sides:
        if side.added:
            yield f"* {one.set}, {one.tool} ({side.target}): {', '.join(side.added)}"


def _refused(one: Result) -> Iterator[str]:
    targets: dict[str, list[str]] = {}
    for side in one.sides:
        for name in side.refused:
            targets.setdefault(name, []).append(side.target)
    for name, keys in targets.items():
        yield f"* {one.set}, {one.tool}: {name} ({'all' if len(keys) == len(one.sides) else ', '.join(keys)})"


#: What the page lists below the table, in its order: titles, and the lines of a result.
LISTS: Mapping[str, Callable[[Result], Iterator[str]]] = {
    "Differences": _differences,
    "What a tool could not lock": _unlocked,
    ALIKE: _alike,
    "What a requirements.txt lacks for another target": _added,
    "No wheel, say both": _refused,
}
