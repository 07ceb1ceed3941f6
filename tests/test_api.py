"""The Python API, as its page shows it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen import api
from nixgen.targets import default_python
from tests.support.cli import Cli
from tests.support.console import blocks
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

PAGE = Path(__file__).resolve().parents[1] / "docs/api.md"


@pytest.mark.nix
def test_the_page(empty_store: Cli, serve: Callable[..., WheelServer]) -> None:
    """Its programs run, one after the other, and print what it shows."""
    shop = empty_store.directory / "shop"
    shop.mkdir()
    server = serve(make_wheel("six", "1.17.0", {"six.py": ""}))
    (shop / "requirements.in").write_text(f"--index-url {server.index}\nsix\n")
    found = [block for block in blocks(PAGE.read_text()) if block.kind in ("python", "text")]
    programs, outputs = ([block.text for block in found if block.kind == kind] for kind in ("python", "text"))
    assert len(programs) == len(outputs) == 2
    for number, expected in enumerate(outputs, 1):
        done = subprocess.run(
            [sys.executable, "-c", "\n".join(programs[:number])],
            cwd=empty_store.directory,
            env={**os.environ, **empty_store.environment},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stderr == ""
        assert done.stdout.endswith(expected.replace("3.11", default_python()))


def test_every_name_is_documented() -> None:
    """The page names each thing that the module promises, and each has a docstring."""
    text = PAGE.read_text()
    for name in api.__all__:
        assert f"`{name}" in text, name
        assert getattr(api, name).__doc__


@pytest.mark.nix
def test_a_lock_that_is_not_written(empty_store: Cli, serve: Callable[..., WheelServer]) -> None:
    """What would change is said, and nothing is written."""
    server = serve(make_wheel("six", "1.17.0", {"six.py": ""}))
    (empty_store.directory / "requirements.in").write_text(f"--index-url {server.index}\nsix\n")
    before = sorted(empty_store.directory.iterdir())
    made = api.lock(api.Project(base=empty_store.directory), write=False)
    assert made.changed and sorted(empty_store.directory.iterdir()) == before
