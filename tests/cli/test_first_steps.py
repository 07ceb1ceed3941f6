"""``nixgen`` alone: the next steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel


def test_they_follow_the_project(nixgen: Cli, project: Path, serve: Callable[..., WheelServer]) -> None:
    """What is next is said of an empty directory, inputs, a lock, one of other inputs, and an environment."""
    assert "no project here yet" in nixgen().stdout
    (project / "requirements.in").write_text("demo\n")
    assert "a project without a lock" in nixgen().stdout
    nixgen("lock", "--default-index", serve(make_wheel()).index)
    assert "no environment yet" in nixgen().stdout
    (project / "requirements.in").write_text("demo>=1\n")
    assert "has changed since" in nixgen().stdout
    (project / "requirements.in").write_text("demo\n")
    (project / "result").mkdir()
    assert "nixgen run -- python" in nixgen().stdout
