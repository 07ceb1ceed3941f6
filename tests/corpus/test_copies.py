"""What is copied of wheels, told without an environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus import copies
from corpus.environments import measure
from tests.builders.conftest import Workbench
from tests.support.wheels import make_wheel

MODULE = "import os\nhere = os.path.realpath(__file__)\n"
FILES = {
    "demo/__init__.py": "",
    "demo/me.py": MODULE,
    "demo/run": "#!/bin/sh\n",
    "demo/other.py": "x = 1\n",
    "demo/ffmpeg/ffmpeg": Path("/bin/echo").read_bytes() + bytes(1 << 20),
    "demo/web/index.html": "<p>",
    "demo-1.0.data/scripts/start": "#!python\nprint()\n",
    "demo-1.0.data/scripts/help": "#!/bin/sh\n",
}
EXECUTABLE = ["demo/run", "demo/ffmpeg/ffmpeg"]


def test_a_wheel_is_told_as_its_tree(tmp_path: Path) -> None:
    """What is said of a wheel is what a run of the corpus says of the tree that is built of it, but for paths."""
    wheel = make_wheel("demo", "1.0", FILES, executable=EXECUTABLE)
    (tmp_path / wheel[0]).write_bytes(wheel[1])
    told, tree = copies.place(tmp_path / wheel[0]), measure(Workbench(tmp_path).tree(wheel))
    counts = [{reason: count for reason, (count, _) in one.copies.items()} for one in (told, tree)]
    assert counts[0] == counts[1] == {"executable": 3, "resolves-itself": 1, "served": 1}
    assert [len(one.copied) for one in (told, tree)] == [5, 5]
    assert list(told.programs.values()) == list(tree.programs.values()) == [len(FILES["demo/ffmpeg/ffmpeg"])]
    assert (told.name, told.version) == (tree.name, tree.version)


def test_the_section_takes_the_place_of_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The page keeps what it says of packages, and says of copies what the wheels of a directory have."""
    wheel = make_wheel("demo", "1.0", FILES, executable=EXECUTABLE)
    (tmp_path / wheel[0]).write_bytes(wheel[1])
    page = tmp_path / "page.md"
    page.write_text("# Page\n\n## Copies\n\nAs of yesterday, none.\n\n## Packages\n\nMany.\n")
    assert copies.main([str(tmp_path), "--write", str(page)]) == 0
    before, told = page.read_text().split("## Copies\n\n")
    told, after = told.split("## Packages\n\n")
    assert (before, after) == ("# Page\n\n", "Many.\n")
    assert told == capsys.readouterr().out
    assert told.startswith("As of ")
    assert "yesterday" not in told
    assert "In 1 different wheel with 11 files" in told
    assert "| resolves-itself | 1 | 1 |" in told
    assert "\nOf the copies, 0.0 kB (0.00%) are of programs. The other 0.0 kB" in told
