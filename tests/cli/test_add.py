"""``nixgen add`` and ``nixgen remove``, against an index on loopback."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.cli.test_build import in_store as in_store  # fixture
from tests.support.cli import Cli, listing
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

DEMO = make_wheel("demo", "1.5", {"demo.py": "x = 'demo of add'\n"})
OTHER = make_wheel("other", "1.0", {"other.py": "x = 'other of add'\n"})

PROJECT = """\
# the top
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = [
  # why other
  "other",  # because
]
"""


@pytest.fixture
def cli(nixgen: Cli, serve: Callable[..., WheelServer]) -> Cli:
    """The command line with an index that has two packages."""
    return replace(nixgen, environment={**nixgen.environment, "UV_DEFAULT_INDEX": serve(DEMO, OTHER).index})


def test_an_empty_directory_becomes_a_project(cli: Cli, project: Path) -> None:
    """It gets a pyproject.toml with the locked version as the lowest; where that fails, or is only tried, nothing."""
    assert "would add demo>=1.5" in cli("add", "--dry-run", "demo").stderr
    cli("add", "nosuch", code=3)
    assert listing(project) == {}
    (project / ".python-version").write_text("3.13\n")
    said = cli("add", "demo", "other>=1; python_version > '3'").stderr
    assert "making pyproject.toml" in said and "pyproject.toml: added demo>=1.5\n" in said
    text = (project / "pyproject.toml").read_text()
    assert 'name = "project"' in text and 'requires-python = ">=3.13"' in text
    assert '"demo>=1.5",' in text and '"other>=1 ;' in text
    assert "the lock is up to date" in cli("lock", "--check").stderr
    assert "demo" in cli("show").stdout


def test_comments_stay_and_what_fails_changes_nothing(cli: Cli, project: Path) -> None:
    """In a pyproject.toml with a uv.lock, both are renewed, or neither is; groups and extras have their tables."""
    (project / "pyproject.toml").write_text(PROJECT)
    subprocess.run([find_uv_bin(), "lock", "--quiet"], cwd=project, env={**cli._environment(None)}, check=True)
    below = project / "src"
    below.mkdir()
    replace(cli, directory=below)("add", "--dev", "demo")
    text = (project / "pyproject.toml").read_text()
    assert text == PROJECT + '\n[dependency-groups]\ndev = [\n    "demo>=1.5",\n]\n'
    assert 'name = "demo"' in (project / "uv.lock").read_text()
    assert "the lock is up to date" in cli("lock", "--check").stderr
    before = listing(project)
    assert "nosuch was not found" in " ".join(cli("add", "nosuch", code=3).stderr.split())
    assert "unsatisfiable" in cli("add", "--optional", "web", "other>2", code=3).stderr
    assert "could not be found" in cli("remove", "demo", code=3).stderr
    cli("remove", "--dry-run", "--dev", "demo")
    assert listing(project) == before
    cli("remove", "--group", "dev", "demo")
    assert 'name = "demo"' not in (project / "uv.lock").read_text() + (project / "nixgen.lock").read_text()


def test_requirements_files_are_edited_by_line(cli: Cli, project: Path) -> None:
    """A line is added, changed or removed; the others, and comments, stay; it has no groups."""
    path = project / "requirements.in"
    path.write_text("# the top\nother  # because\n--pre")
    path.chmod(0o640)
    cli("add", "demo", "other>=1")
    assert path.read_text() == "# the top\nother>=1  # because\n--pre\ndemo\n"
    assert path.stat().st_mode & 0o777 == 0o640
    before = listing(project)
    assert "has no groups" in cli("add", "--dev", "demo", code=2).stderr
    assert "is no requirement" in cli("add", "demo=1", code=3).stderr
    assert "does not ask for nosuch" in cli("remove", "nosuch", code=3).stderr
    cli("add", "demo>9", code=3)
    assert listing(project) == before
    cli("remove", "Other")
    assert path.read_text() == "# the top\n--pre\ndemo\n"


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        ("poetry.lock", "", "`poetry add demo`"),
        ("pyproject.toml", "[tool.poetry]\n", "`poetry add demo`"),
        ("pdm.lock", "", "`pdm add demo`"),
        ("Pipfile.lock", "", "`pipenv install demo`"),
        ("pylock.toml", "", "make it again with its tool"),
        ("requirements.txt", "demo==1 --hash=sha256:00\n", "uv pip compile --generate-hashes"),
    ],
)
def test_what_another_tool_keeps(cli: Cli, project: Path, name: str, text: str, command: str) -> None:
    """What nixgen cannot edit is said, with the command that can."""
    (project / name).write_text(text)
    assert command in cli("add", "demo", code=3).stderr
    assert listing(project) == {name: text.encode()}


@pytest.mark.nix
def test_the_virtual_environment_follows(in_store: Cli, cli: Cli, project: Path) -> None:
    """Where there is .venv, it has the package at once."""
    cli = replace(cli, environment={**cli.environment, **in_store.environment, **cli.environment})
    (project / "requirements.in").write_text("other\n")
    cli("sync")
    assert ".venv stands on" in cli("add", "demo").stderr
    python = project / ".venv" / "bin" / "python"
    said = subprocess.run([python, "-c", "import demo; print(demo.x)"], capture_output=True, text=True, check=True)
    assert said.stdout == "demo of add\n"
