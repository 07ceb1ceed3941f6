"""The store path of a package: what its builder reads, and what it takes to start."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nixgen.library import builder_module, library_directory

npm_package = builder_module("npm_package")

SAID: list[Any] = [
    {"packages": [{"name": "@s/a", "archive": "/s/a.tgz", "bin": [], "dependencies": [["b", "/s/b"], ["c", 1]]}]},
    {"a": 'quoted " and \\ and \u2028 and \x1f', "b": [True, False, None, -1, 2.5], "c": {}},
]


@pytest.mark.parametrize("said", SAID)
def test_attributes_are_read(said: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are what JSON says, also where Python has no quick reader of it."""
    text = json.dumps(said)
    assert npm_package.parsed(text) == said
    monkeypatch.setitem(sys.modules, "_json", None)
    assert npm_package.parsed(text) == said


def test_it_starts_with_little() -> None:
    """Nothing is imported that takes as long as a small package to unpack: this starts a thousand times."""
    program = "import sys, npm_package; npm_package.parsed('{}'); print(*sys.modules)"
    directory = Path(library_directory()) / "builders"
    done = subprocess.run(
        [sys.executable, "-s", "-S", "-B", "-X", "utf8", "-c", program],
        cwd=directory,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not {"json", "re", "tarfile", "pathlib", "typing", "subprocess"} & set(done.stdout.split())
