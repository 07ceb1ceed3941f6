"""Wheels for later Pythons than the one that is locked for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.wheels import make_wheel

BOUNDS = {"one": ">=3.13", "other": ">3.12.4,!=3.12.9", "fits": ">=3.8,<3.9", "odd": "whatever, >=3.2"}


@pytest.mark.parametrize("again", [False, True])
def test_a_wheel_of_another_tools_lock(nixgen: Cli, project: Path, again: bool) -> None:
    """Each that is for a later Python is refused when locking, read just now or known; an upper bound is no bound."""
    lines = ['lock-version = "1.0"', 'created-by = "test"']
    for name, bound in BOUNDS.items():
        filename, content = make_wheel(name, metadata=[f"Requires-Python: {bound}"])
        (project / filename).write_bytes(content)
        sha256 = hashlib.sha256(content).hexdigest()
        lines += ["[[packages]]", f'name = "{name}"', 'version = "1.0"', "[[packages.wheels]]"]
        lines += [f'path = "{filename}"', f'hashes = {{ sha256 = "{sha256}" }}']
    (project / "pylock.toml").write_text("\n".join(lines) + "\n")
    if again:
        nixgen("lock", "--python", "3.13")
    said = nixgen("lock", "--python", "3.12.3", code=3).stderr
    assert "2 wheels are for later Pythons" in said
    assert "one-1.0-py3-none-any.whl is for Python >=3.13, and 3.12.3 is locked for" in said
    assert "other-1.0-py3-none-any.whl is for Python >3.12.4, and 3.12.3 is locked for" in said
    assert "fits" not in said and "odd" not in said
    nixgen("lock", "--python", "3.13")
