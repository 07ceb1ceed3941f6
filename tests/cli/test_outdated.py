"""``nixgen outdated``: what the requirements allow, and the latest."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable

from uv import find_uv_bin

from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel


def versions(name: str, *numbers: str) -> list[tuple[str, bytes]]:
    """Make a package in some versions."""
    return [make_wheel(name, number, {f"{name}.py": f"v = '{number}'\n"}) for number in numbers]


def test_newer_versions_are_named(nixgen: Cli, serve: Callable[..., WheelServer]) -> None:
    """What `upgrade` would take is told from what the requirements keep out; what is newest is not named."""
    file = nixgen.directory / "requirements.in"
    file.write_text("held==1.0\nold==1.0\nnewest\n")
    index = serve(
        *versions("held", "1.0", "2.0"), *versions("old", "1.0", "1.5", "2.0"), *versions("newest", "1.0")
    ).index
    nixgen("lock", "--default-index", index)
    file.write_text("held==1.0\nold<2\nnewest\n")
    said = nixgen("outdated", "--default-index", index, "--frozen")
    assert [line.split() for line in said.stdout.splitlines()] == [
        ["package", "current", "allowed", "latest"],
        ["held", "1.0", "1.0", "2.0"],
        ["old", "1.0", "1.5", "2.0"],
    ]
    assert "2 of 3 packages have newer versions" in said.stderr
    report = json.loads(nixgen("outdated", "--default-index", index, "--frozen", "--json").stdout)
    assert report["checked"] == 3
    assert report["packages"][1] == {"name": "old", "current": "1.0", "allowed": "1.5", "latest": "2.0"}


def test_a_lock_of_uv_stays(nixgen: Cli, serve: Callable[..., WheelServer]) -> None:
    """Where uv's lock decides, what uv would take is said, and its lock is as it was."""
    index = serve(*versions("old", "1.0", "1.5", "2.0")).index
    (nixgen.directory / "pyproject.toml").write_text(
        '[project]\nname = "me"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["old==1.0"]\n'
    )
    variables = {"UV_DEFAULT_INDEX": index}
    uv = [find_uv_bin(), "lock", "--quiet"]
    subprocess.run(uv, cwd=nixgen.directory, env={**os.environ, **nixgen.environment, **variables}, check=True)
    nixgen("lock", environment=variables)
    before = (nixgen.directory / "uv.lock").read_bytes()
    report = json.loads(nixgen("outdated", "--json", environment=variables).stdout)
    assert report["packages"] == [{"name": "old", "current": "1.0", "allowed": "1.0", "latest": "2.0"}]
    assert (nixgen.directory / "uv.lock").read_bytes() == before
