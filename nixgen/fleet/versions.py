"""Versions in their order."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version

from nixgen.comparison.sizes import Kind
from nixgen.npm import versions as npm


def in_order(versions: Iterable[str], kind: Kind = "python") -> tuple[str, ...]:
    """Return versions of a package, the oldest first.

    What is none of PEP 440 comes before those that are, by its text; versions of npm have an order of their own.
    """
    return npm.in_order(versions) if kind == "npm" else tuple(sorted(versions, key=_key))


def is_older(version: str, than: str) -> bool:
    """Tell whether a version of a package of Python is older than another."""
    return _key(version) < _key(than)


def _key(version: str) -> tuple[int, Version, str]:
    try:
        return 1, Version(version), version
    except ValueError:  # InvalidVersion, and numbers with more digits than Python reads
        return 0, Version("0"), version
