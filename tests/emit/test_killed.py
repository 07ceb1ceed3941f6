"""A project's files, where whoever writes them is killed before each of the steps."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from nixgen.emit import files
from nixgen.emit.project import Files
from nixgen.indexes import VENDORED
from nixgen.temporary import is_temporary
from tests.support.cli import listing
from tests.support.indexes import make_index, make_lock
from tests.support.killed import killed_at_each_step

OLD = Files(lock=make_lock(make_index("demo")), vendored={"one": b"1", "both": b"2"})
NEW = Files(lock=make_lock(make_index("demo"), make_index("other")), vendored={"both": b"2", "other": b"3"})


@pytest.fixture(autouse=True)
def _small_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library of few files, for as many steps less."""
    for name in ("default.nix", "tree.nix", "builders/tree.py"):
        (tmp_path / "library" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "library" / name).write_text(f"the new {name}")
    monkeypatch.setattr("nixgen.emit.project.library_directory", lambda: tmp_path / "library")


def _old_project(directory: Path) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    subprocess.run(["git", "init", "-q", directory], check=True)
    OLD.write(directory)
    library = directory / "nix/nixgen"
    (library / "tree.nix").write_text("of an older nixgen")
    (library / "old").mkdir()
    (library / "old/old.nix").write_text("only there")
    (library / "builders/tree.py").unlink(missing_ok=True)
    (library / "builders/tree.py").mkdir()


def _wanted(directory: Path) -> dict[str, bytes | str]:
    return {name: content for name, content in listing(directory).items() if not name.startswith(".git/")}


@pytest.mark.parametrize("swaps", [True, False], ids=["swapped", "one-by-one"])
def test_a_kill_loses_nothing_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swaps: bool) -> None:
    """After a kill the library is there, each file old or new, git takes nothing else, and the next one cleans up."""
    project = tmp_path / "project"
    _old_project(project)
    old = _wanted(project)
    NEW.write(project)
    new = _wanted(project)
    if not swaps:
        monkeypatch.setattr(files, "exchange", lambda one, other: False)
    kills = 0
    for kills in killed_at_each_step(lambda: _old_project(project), lambda: NEW.write(project)):  # noqa: B007
        left = _wanted(project)
        kept = {name: content for name, content in left.items() if not any(map(is_temporary, name.split("/")))}
        for name in old.keys() & new.keys():
            assert kept[name] in (old[name], new[name]), name
        assert kept.keys() <= old.keys() | new.keys()
        if swaps:
            library = {name: kept[name] for name in kept if name.startswith("nix/nixgen/")}
            assert any(library.items() <= whole.items() for whole in (old, new))
        if kept["nixgen.lock"] == old["nixgen.lock"]:
            assert (project / VENDORED / "one").exists()
        else:
            assert (project / VENDORED / "other").exists()
        taken = subprocess.run(
            ["git", "-C", project, "ls-files", "--others", "--exclude-standard"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        assert set(taken) == kept.keys()
        NEW.write(project)
        assert _wanted(project) == new
    assert kills > 25
    assert _wanted(project) == new


def test_a_kill_of_the_first_time_leaves_no_lock(tmp_path: Path) -> None:
    """Where there was nothing, a lock is the last thing that is there: it is what makes the rest count."""
    project = tmp_path / "project"

    def nothing() -> None:
        shutil.rmtree(project, ignore_errors=True)
        project.mkdir()

    for _ in killed_at_each_step(nothing, lambda: OLD.write(project)):
        if (project / "nixgen.lock").exists():
            assert (project / "nix/nixgen/default.nix").exists() and (project / "nix/default.nix").exists()
        OLD.write(project)
        assert not [path for path in project.rglob("*") if is_temporary(path.name)]
