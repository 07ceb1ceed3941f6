"""Temporary directories: theirs alone while a process lives, removed by the next one when it does not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nixgen import temporary
from nixgen.temporary import sweep, temporary_directory
from tests.support.killed import killed_at_each_step

HOLDING = """
import sys
from pathlib import Path
from nixgen.temporary import temporary_directory
with temporary_directory(Path(sys.argv[1])) as directory:
    (directory / "sub").mkdir()
    (directory / "sub" / "file").write_text("x")
    print(directory, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> subprocess.Popen[str]:
    """A process that has a temporary directory in ``tmp_path``."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDING, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert Path(process.stdout.readline().strip()).is_dir()
    return process


def test_it_is_the_owners_and_goes(tmp_path: Path) -> None:
    """Nobody else may read it, git ignores all of it, and nothing of it stays."""
    with temporary_directory(tmp_path) as directory:
        assert directory.stat().st_mode & 0o077 == 0
        assert (directory / ".gitignore").read_text() == "*\n"
        (directory / "link").symlink_to(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_it_lies_in_tmpdir_and_so_do_leftovers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a place it is in TMPDIR, where what a killed process left is removed first."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    left = tmp_path / "nixgen-tmp-abcdefgh"
    left.mkdir()
    (left / ".gitignore").write_text("*\n")
    (left / "1.whl").write_bytes(b"x")
    with temporary_directory() as directory:
        assert list(tmp_path.iterdir()) == [directory]


def test_that_of_a_living_process_stays(tmp_path: Path, holder: subprocess.Popen[str]) -> None:
    """While its process lives it is left alone; after a kill it is removed."""
    sweep(tmp_path)
    assert len(list(tmp_path.glob("*/sub/file"))) == 1
    holder.kill()
    holder.communicate()
    assert len(list(tmp_path.iterdir())) == 1
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_other_names_and_links_stay(tmp_path: Path) -> None:
    """What another program named nearly so, and a link of such a name, are left alone."""
    others = ["nixgen-tmp-ABCDEFGH", "nixgen-checkout1", "nixgen-tmp-abcdefghi", "my-nixgen-tmp-abcdefgh"]
    for name in others:
        (tmp_path / name).mkdir()
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/.gitignore").write_text("mine")
    (tmp_path / "nixgen-tmp-linklink").symlink_to("precious")
    (tmp_path / "nixgen-tmp-unmarked").mkdir()
    (tmp_path / "nixgen-tmp-unmarked/file").write_text("nobody says that this is ours")
    before = {path.name for path in tmp_path.iterdir()}
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == before
    assert (tmp_path / "precious/.gitignore").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make what is another user's")
def test_that_of_another_user_stays(tmp_path: Path) -> None:
    """What another user's process left is that user's to remove, also where root could."""
    left = tmp_path / "nixgen-tmp-abcdefgh"
    left.mkdir()
    (left / ".gitignore").write_text("*\n")
    os.chown(left, 12345, 12345)
    sweep(tmp_path)
    assert left.exists()


@pytest.mark.parametrize("nameless", [True, False])
def test_a_kill_leaves_what_the_next_one_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nameless: bool
) -> None:
    """Whatever step of making, filling and removing one a kill comes before, all of it is removed."""
    if not nameless:
        monkeypatch.delattr(os, "O_TMPFILE", raising=False)

    def work() -> None:
        with temporary_directory(tmp_path) as directory:
            for name in ("a", "b"):
                (directory / name).mkdir()
                (directory / name / "file").write_text("x")

    steps = 0
    for steps in killed_at_each_step(lambda: None, work):  # noqa: B007
        files = [path for path in tmp_path.rglob("*") if path.is_file()]
        assert not files or any(path.name == ".gitignore" for path in files)
        sweep(tmp_path)
        assert list(tmp_path.iterdir()) == []
    assert steps >= 8


def test_who_is_swept_while_starting_makes_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A directory that another process takes for a leftover before it is marked is made again."""
    marked = temporary._marked

    def swept(directory: Path) -> int:
        monkeypatch.setattr(temporary, "_marked", marked)
        sweep(tmp_path)
        return marked(directory)

    monkeypatch.setattr(temporary, "_marked", swept)
    with temporary_directory(tmp_path) as directory:
        assert directory.is_dir()
    assert list(tmp_path.iterdir()) == []
