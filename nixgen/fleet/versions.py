"""Versions in their order."""

from __future__ import annotations

from collections.abc import Iterable

from packaging.version import Version


def in_order(versions: Iterable[str]) -> tuple[str, ...]:
    """Return versions, the oldest first; what is none of PEP 440 comes before those that are, by its text."""
    return tuple(sorted(versions, key=_key))


def is_older(version: str, than: str) -> bool:
    """Tell whether a version is older than another."""
    return _key(version) < _key(than)


def _key(version: str) -> tuple[int, Version, str]:
    try:
        return 1, Version(version), version
    except ValueError:  # InvalidVersion, and numbers with more digits than Python reads
        return 0, Version("0"), version
