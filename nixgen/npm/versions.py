"""Versions of npm's packages in their order (Semantic Versioning 2.0.0, section 11)."""

from __future__ import annotations

from collections.abc import Iterable


def in_order(versions: Iterable[str]) -> tuple[str, ...]:
    """Return versions, the oldest first; what is no version comes where its parts would, and before numbers."""
    return tuple(sorted(versions, key=order))


def order(version: str) -> tuple[object, ...]:
    """Return what a version is sorted by: its numbers; before a release all that lead to it, numbers before words."""
    core, _, before = version.partition("+")[0].partition("-")
    numbers = [int(part) if part.isdecimal() else -1 for part in core.split(".")]
    parts = [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in before.split(".")]
    return numbers, not before, parts, version
