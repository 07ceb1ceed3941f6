"""How many cores a build uses."""

from __future__ import annotations

import os

import cores
import pytest


@pytest.mark.parametrize(("granted", "expected"), [("1", 1), ("7", 7)])
def test_nix_says_how_many(monkeypatch: pytest.MonkeyPatch, granted: str, expected: int) -> None:
    """What Nix grants is taken."""
    monkeypatch.setenv("NIX_BUILD_CORES", granted)
    assert cores.cores() == expected


@pytest.mark.parametrize("granted", ["0", "", None])
def test_zero_means_all(monkeypatch: pytest.MonkeyPatch, granted: str | None) -> None:
    """Zero, Nix's word for no limit, and nothing at all give every core of the machine."""
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    if granted is None:
        monkeypatch.delenv("NIX_BUILD_CORES", raising=False)
    else:
        monkeypatch.setenv("NIX_BUILD_CORES", granted)
    assert cores.cores() == 5


def test_there_is_one_at_least(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that cannot count its cores has one."""
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    monkeypatch.delenv("NIX_BUILD_CORES", raising=False)
    assert cores.cores() == 1
