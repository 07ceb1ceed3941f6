"""Ranges of versions as npm writes them: ``^1.2``, ``1.x || >=2.5.0``, ``1.2 - 2.3`` (node-semver, "Ranges").

Pre-releases count as the versions that they are (node-semver's ``includePrerelease``): who asks for what is older than
a release means what leads to it, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from nixgen.npm.versions import precedence

#: A version of which parts may be missing, or be said to be any.
_PARTIAL = r"[v=\s]*([0-9]+|[xX*])(?:\.([0-9]+|[xX*])(?:\.([0-9]+|[xX*])(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?)?)?"
_HYPHEN = re.compile(rf"\s*{_PARTIAL}\s+-\s+{_PARTIAL}\s*")
_COMPARATOR = re.compile(rf"\s*(\^|~>?|[<>]=?|=|)\s*{_PARTIAL}(?=\s|$)")
_ANY = frozenset("xX*")

#: What comes before all that leads to a release.
_FIRST = "0"


@dataclass(frozen=True)
class Range:
    """Versions: those that fit all bounds of one of several lists, each an operator and a version."""

    lists: tuple[tuple[tuple[str, str], ...], ...]

    @classmethod
    def parse(cls, text: str) -> Range:
        """Read a range.

        Raises:
            ValueError: it is none.
        """
        return cls(tuple(tuple(_bounds(part)) for part in text.split("||")))

    def holds(self, version: str) -> bool:
        """Tell whether a version is in it."""
        return any(all(_fits(version, *bound) for bound in bounds) for bounds in self.lists)


def _fits(version: str, operator: str, bound: str) -> bool:
    found, wanted = precedence(version), precedence(bound)
    match operator:
        case "<":
            return found < wanted
        case "<=":
            return found <= wanted
        case ">":
            return found > wanted
        case ">=":
            return found >= wanted
        case _:
            return found == wanted


def _bounds(text: str) -> Iterator[tuple[str, str]]:
    """Yield the bounds of what stands between two ``||``."""
    if hyphen := _HYPHEN.fullmatch(text):
        first, last = _parts(hyphen.groups()[:4]), _parts(hyphen.groups()[4:])
        if first[0]:
            yield ">=", _lowest(*first)
        if last[0]:
            yield ("<=", _text(*last)) if last[1] else ("<", _after(last[0]))
        return
    position = 0
    while text[position:].strip():
        found = _COMPARATOR.match(text, position)
        if found is None:
            raise ValueError(f"{text[position:].strip()!r} is no range of versions")
        yield from _comparator(found[1], *_parts(found.groups()[1:]))
        position = found.end()


def _comparator(operator: str, numbers: list[int], before: str) -> Iterator[tuple[str, str]]:
    whole = len(numbers) == 3
    match operator:
        case "<" | ">=":
            if numbers:
                yield operator, _text(numbers, before) if whole else _lowest(numbers, before)
            elif operator == "<":
                yield "<", _lowest([0], "")
        case ">" | "<=":
            if whole:
                yield operator, _text(numbers, before)
            elif numbers:
                yield ">=" if operator == ">" else "<", _after(numbers)
            elif operator == ">":
                yield "<", _lowest([0], "")
        case "" | "=":
            if whole:
                yield "=", _text(numbers, before)
            elif numbers:
                yield ">=", _lowest(numbers, before)
                yield "<", _after(numbers)
        case _ if numbers:
            yield ">=", _text(numbers, before) if whole else _lowest(numbers, before)
            yield "<", _after(numbers[: _kept(operator, numbers)])


def _kept(operator: str, numbers: list[int]) -> int:
    """Return how many numbers of a version stay: with ``~`` two, with ``^`` up to the first that is not 0."""
    if operator != "^":
        return 2
    return next((position + 1 for position, number in enumerate(numbers) if number), len(numbers))


def _parts(groups: tuple[str | None, ...]) -> tuple[list[int], str]:
    """Return the numbers of a version up to one that is any, and what leads to it: "" where it is a release."""
    said = [part for part in groups[:3] if part is not None]
    numbers = [int(part) for part in said if part not in _ANY]
    if any(part in _ANY for part in said[: len(numbers)]):
        raise ValueError(f"{'.'.join(said)!r} is no range of versions")
    return numbers, (groups[3] or "") if len(numbers) == 3 else ""


def _lowest(numbers: list[int], before: str) -> str:
    return _text([*numbers, 0, 0][:3], before or _FIRST)


def _after(numbers: list[int]) -> str:
    """Return the first version behind all that begin with some numbers."""
    return _lowest([*numbers[:-1], numbers[-1] + 1], "")


def _text(numbers: list[int], before: str) -> str:
    return ".".join(map(str, numbers)) + (f"-{before}" if before else "")
