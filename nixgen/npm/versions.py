"""Versions of npm's packages in their order (Semantic Versioning 2.0.0, section 11)."""

from __future__ import annotations

from collections.abc import Iterable


def in_order(versions: Iterable[str]) -> tuple[str, ...]:
    """Return versions, the oldest first; what is no version comes where its parts would, and before numbers."""
    return tuple(sorted(versions, key=lambda version: (precedence(version), version)))


def precedence(version: str) -> tuple[list[int], bool, list[tuple[bool, int, str]]]:
    """Return what a version is compared by: its numbers; before a release what leads to it, there numbers before words.

    Numbers that are left out are 0.
    """
    core, _, before = version.partition("+")[0].partition("-")
    parts = [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in before.split(".")]
    numbers = _numbers(core)
    return numbers + [0] * (3 - len(numbers)), not before, parts


def fits(version: str, operator: str, bound: str) -> bool:
    """Tell whether a version fits a clause.

    Args:
        version: of a package.
        operator, bound: as PEP 440 has them: ``<``, ``4.17.21``; of ``==`` and ``!=`` also ``4.*``.
    """
    if operator in ("==", "!=") and bound.endswith(".*"):
        return _begins(version, bound.removesuffix(".*")) == (operator == "==")
    found, wanted = precedence(version), precedence(bound)
    match operator:
        case "~=":
            return found >= wanted and _begins(version, bound.partition("-")[0].rpartition(".")[0])
        case "<" | "<=":
            return found < wanted or (operator == "<=" and found == wanted)
        case ">" | ">=":
            return found > wanted or (operator == ">=" and found == wanted)
        case "!=":
            return found != wanted
        case _:
            return found == wanted


def _begins(version: str, with_numbers: str) -> bool:
    wanted = _numbers(with_numbers)
    return precedence(version)[0][: len(wanted)] == wanted


def _numbers(core: str) -> list[int]:
    return [int(part) if part.isdecimal() else -1 for part in core.split(".")]
