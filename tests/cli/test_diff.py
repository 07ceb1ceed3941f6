"""``nixgen diff``: two locks, a lock and a revision of git."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable

import pytest

from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

BIG = "x = 1\n" * 1000
DEMO = make_wheel("demo", "1.0", {"demo/__init__.py": BIG, "demo/a.py": "a = 1\n"})
NEWER = make_wheel("demo", "2.0", {"demo/__init__.py": BIG, "demo/a.py": "a = 22\n"})
HELPER = make_wheel("helper", "1.0", {"helper.py": "x = 1\n"})
OTHER = make_wheel("other", "1.0", {"other.py": "y = 1\n"})


def git(cli: Cli, *arguments: str) -> None:
    """Run git in a project."""
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=cli.directory, check=True, capture_output=True)


@pytest.fixture
def changed(nixgen: Cli, serve: Callable[..., WheelServer]) -> Cli:
    """A project whose lock was committed, and made anew with other requirements."""
    index = serve(DEMO, NEWER, HELPER, OTHER).index
    requirements = nixgen.directory / "requirements.in"
    requirements.write_text("demo<2\nhelper\n")
    nixgen("lock", "--default-index", index)
    git(nixgen, "init", "--quiet")
    git(nixgen, "add", "-A")
    git(nixgen, "commit", "--quiet", "-m", "one")
    requirements.write_text("demo\nother\n")
    nixgen("lock", "--default-index", index, "--upgrade")
    return nixgen


def test_what_differs_from_the_last_commit(changed: Cli) -> None:
    """Packages, versions, files by content and bytes are compared; a line holds all of it, and JSON."""
    lines = changed("diff").stdout.splitlines()
    assert lines[:3] == ["  demo    1.0 -> 2.0", "- helper  1.0", "+ other   1.0"]
    report = json.loads(changed("diff", "HEAD", "--json").stdout)
    assert report["changed"] == [{"name": "demo", "old": ["1.0"], "new": ["2.0"]}]
    assert [one["name"] for one in (*report["added"], *report["removed"])] == ["other", "helper"]
    assert report["fetch"] == len(NEWER[1]) + len(OTHER[1])
    files = report["files"]
    # The large file, and WHEEL, which is the same in all.
    assert files["same"] == 2 and files["shared_bytes"] > len(BIG)
    assert files["shared_bytes"] + files["added_bytes"] == files["new_bytes"]
    (line,) = changed("diff", "--line").stdout.splitlines()
    assert line.startswith("demo 1.0 -> 2.0, +other 1.0, -helper 1.0; 1 changed, 1 added, 1 removed; ")
    assert json.loads(changed("diff", "--json", "--packages").stdout)["files"] is None


def test_two_sides_are_named(changed: Cli) -> None:
    """Files, directories and revisions are compared in the order that is said; equal ones are the same."""
    (changed.directory / "copy").mkdir()
    (changed.directory / "copy" / "nixgen.lock").write_bytes((changed.directory / "nixgen.lock").read_bytes())
    assert changed("diff", "copy").stdout == "the packages are the same\n"
    assert "demo    2.0 -> 1.0" in changed("diff", "copy/nixgen.lock", "HEAD").stdout


def test_what_is_no_lock_is_said(changed: Cli) -> None:
    """What is neither file nor revision, and a revision without a lock, are told apart."""
    assert "is no file, and no revision" in changed("diff", "nowhere", code=3).stderr
    git(changed, "rm", "--quiet", "--cached", "nixgen.lock")
    git(changed, "commit", "--quiet", "-m", "two")
    assert "HEAD has no nixgen.lock" in changed("diff", code=3).stderr
    shutil.rmtree(changed.directory / ".git")
    assert "no earlier lock to compare with: the project is in no Git repository" in changed("diff", code=3).stderr
