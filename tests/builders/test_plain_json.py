"""What builders read of JSON without the module of that name."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from nixgen.library import builder_module

plain_json = builder_module("plain_json")

SAID: list[Any] = [
    {"packages": [{"name": "@s/a", "archive": "/s/a.tgz", "bin": [], "dependencies": [["b", "/s/b"], ["c", 1]]}]},
    {"a": 'quoted " and \\ and \u2028 and \x1f', "b": [True, False, None, -1, 2.5], "c": {}},
]


@pytest.mark.parametrize("said", SAID)
@pytest.mark.parametrize("indent", [None, 1])
def test_attributes_are_read(said: Any, indent: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what JSON says, also where Python has no quick reader of it."""
    text = json.dumps(said, indent=indent) + "\n"
    assert plain_json.loads(text) == said
    monkeypatch.setitem(sys.modules, "_json", None)
    assert plain_json.loads(text) == said
