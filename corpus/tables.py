"""What pages that are written and read again have in common: tables, and the days of runs."""

from __future__ import annotations

import re
from collections.abc import Collection, Hashable, Iterable, Sequence
from typing import Protocol, TypeVar

_RUN = re.compile(r"^\* (?P<days>\S+(?: to \S+)?), Python ", re.MULTILINE)


class Keyed(Protocol):
    """What a page says of one thing."""

    @property
    def key(self) -> Hashable:
        """Which."""


Item = TypeVar("Item", bound=Keyed)


def table(lines: Sequence[Sequence[str]], *, right: Collection[int] = ()) -> str:
    """Return a table of Markdown.

    Args:
        lines: its rows; the first one is its head.
        right: the columns whose cells stand at the right.
    """
    head, *body = lines
    rule = ["---:" if number in right else "---" for number in range(len(head))]
    return "".join(_line(cells) for cells in (head, rule, *body))


def cells(text: str, head: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the rows of the table with this head on a page, none where there is no such table."""
    _, _, rest = text.partition(_line(head))
    _, *lines = rest.splitlines() or [""]
    end = next((number for number, line in enumerate(lines) if not line.startswith("| ")), len(lines))
    return [tuple(cell.strip() for cell in line[1:-1].split("|")) for line in lines[:end]]


def newest(results: Iterable[Item], before: Iterable[Item]) -> list[Item]:
    """Return the results, and of what was written before all that no result is of."""
    found = {item.key: item for item in before}
    return list((found | {item.key: item for item in results}).values())


def days(text: str) -> list[str]:
    """Return the days on which what a page says was found, the first and the last."""
    match = _RUN.search(text)
    return match["days"].split(" to ") if match else []


def span(found: Iterable[str]) -> str:
    """Return days as ``days`` reads them."""
    ordered = sorted(found)
    return " to ".join(dict.fromkeys([ordered[0], ordered[-1]])) if ordered else "never"


def _line(words: Sequence[str]) -> str:
    return "| " + " | ".join(words) + " |\n"
