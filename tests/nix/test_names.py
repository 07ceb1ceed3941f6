"""Names that others chose."""

from __future__ import annotations

import re

import pytest

from tests.nix.conftest import Nix
from tests.support.nix import LIBRARY

NAMES = f"(import {LIBRARY}/names.nix)"

ODD = [
    "demo-1.0",
    "demo-1!2.0",
    "größe-1",
    ".hidden",
    "..",
    "a b\nc",
    "${x}",
    "a/b",
    "x" * 300,
    "demo-1.0-py3-none-any.whl",
    "€" * 100,
    "-",
    "a_b+c?d=e",
    "quote\"and's",
]


def test_store_names_are_such_as_nix_takes(nix: Nix) -> None:
    """Whatever a package is called, the name is one that Nix makes a store path of, with room for ``.drv``."""
    found = nix.evaluate(f"map {NAMES}.storeName odd", odd=ODD)
    assert all(re.fullmatch(r"[A-Za-z0-9+_?=-][A-Za-z0-9+._?=-]{0,200}", name) for name in found), found
    made = nix.evaluate(
        'map (name: (derivation { inherit name; system = "x"; builder = "x"; }).name) names', names=found
    )
    assert made == found


@pytest.mark.parametrize(
    ("name", "expected"),
    [("demo-1.0", "demo-1.0"), ("demo-1!2.0", "demo-1-2.0"), (".a", "_.a"), ("a  b", "a-b"), ("x" * 161, "x" * 160)],
)
def test_store_names_stay_readable(nix: Nix, name: str, expected: str) -> None:
    """A name keeps what it can; what a store path cannot carry becomes one hyphen."""
    assert nix.evaluate(f"{NAMES}.storeName name", name=name) == expected


def test_pairs_survive_json(nix: Nix) -> None:
    """A set whose names mean something to toJSON reaches a builder whole."""
    values = {"outPath": "a", "__toString": "b", "type": "derivation", "": "empty"}
    found = nix.evaluate(f"builtins.fromJSON (builtins.toJSON ({NAMES}.pairs odd))", odd=values)
    assert dict(found) == values
