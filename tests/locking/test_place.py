"""Which project a directory belongs to."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.locking.place import Place, find_place
from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A directory below a project."""
    (tmp_path / "requirements.in").write_text("demo\n")
    directory = tmp_path / "src" / "deep"
    directory.mkdir(parents=True)
    return directory


@pytest.mark.parametrize("name", ["requirements.in", "nixgen.lock", "package-lock.json", "npm-shrinkwrap.json"])
def test_the_nearest_directory_with_a_project(name: str, deep: Path, tmp_path: Path) -> None:
    """It is the one above, until there is one nearer; a pyproject.toml of tools is none, nor a workspace's file."""
    assert find_place(deep) == Place(base=tmp_path)
    (deep / "pyproject.toml").write_text("[tool.ruff]\n")
    (deep / "package.json").write_text("{}\n")
    assert find_place(deep) == Place(base=tmp_path)
    (deep.parent / name).write_text("")
    assert find_place(deep) == Place(base=deep.parent)


def test_a_repository_ends_it(deep: Path) -> None:
    """What lies above the repository is not its project."""
    (deep.parent / ".git").mkdir()
    assert find_place(deep) is None


def test_a_directory_of_everybody_ends_it(deep: Path, tmp_path: Path) -> None:
    """Nor is what lies where everybody may write."""
    tmp_path.chmod(0o1777)
    assert find_place(deep) is None
    assert find_place(tmp_path) == Place(base=tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_somebody_elses_file_ends_it(deep: Path, tmp_path: Path) -> None:
    """What another user left in a directory above, as in /tmp, is not taken; in a directory of that user's it is."""
    os.chown(tmp_path / "requirements.in", 1234, 1234)
    assert find_place(deep) is None
    os.chown(deep, 1234, 1234)
    assert find_place(deep) == Place(base=tmp_path)


@pytest.mark.parametrize(
    ("name", "text"), [("pyproject.toml", "[project\n"), ("setup.py", ""), ("environment.yml", "")], ids=str
)
def test_what_cannot_be_read_is_no_reason_to_look_above(name: str, text: str, deep: Path) -> None:
    """A broken file, or one of a kind that is not read, is the nearest project all the same: it has to be told."""
    (deep / name).write_text(text)
    assert find_place(deep) == Place(base=deep)


def test_a_member_of_a_workspace(tmp_path: Path) -> None:
    """Without a lock of its own it belongs to the root, where that is locked; what is excluded is none."""
    for name in ("one", "excluded"):
        (tmp_path / "parts" / name / "src").mkdir(parents=True)
        (tmp_path / "parts" / name / "pyproject.toml").write_text(f"[project]\nname = '{name}'\nversion = '1'\n")
    workspace = "[tool.uv.workspace]\nmembers = ['parts/*']\nexclude = ['parts/excluded']\n"
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'root'\nversion = '1'\n" + workspace)
    one, excluded = (tmp_path / "parts" / name for name in ("one", "excluded"))
    assert find_place(one / "src") == Place(base=one)
    (tmp_path / "uv.lock").write_text("")
    assert find_place(one / "src") == Place(base=tmp_path, member="one")
    assert find_place(excluded / "src") == Place(base=excluded)
    (one / "nixgen.lock").write_text("")
    assert find_place(one / "src") == Place(base=one)


def test_commands_work_from_below(nixgen: Cli, project: Path, serve: Callable[..., WheelServer]) -> None:
    """A verb takes the project above, and says where; what somebody names starts from where they are."""
    (project / "requirements.in").write_text("demo\n")
    deep = project / "src"
    deep.mkdir()
    below = Cli(directory=deep, environment=nixgen.environment)
    index = ("--default-index", serve(make_wheel()).index)
    assert f"{project}/nixgen.lock" in below("lock", *index).stderr
    assert (project / "nixgen.lock").exists() and not any(deep.iterdir())
    assert "demo" in below("show").stdout
    assert "there is no lock" in below("show", "-C", ".", code=3).stderr
    below("lock", "../requirements.in", *index)
    assert (deep / "nixgen.lock").exists()
