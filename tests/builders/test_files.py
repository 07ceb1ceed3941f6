"""One file of a wheel, put into a tree; what trees become of many is in test_tree.py."""

from __future__ import annotations

import pickle
from pathlib import Path

import files
import placement
import pytest

from tests.builders.conftest import Workbench, site

SITE = site(Path()).as_posix()


@pytest.mark.parametrize(
    ("target", "script", "module"),
    [
        (f"{SITE}/demo/a.py", False, True),
        (f"{SITE}/demo/a.pyw", False, False),
        (f"{SITE}/demo/a.py", True, False),
        ("bin/a.py", True, False),
        ("share/a.py", False, False),
    ],
)
def test_modules_lie_in_site_packages(target: str, script: bool, module: bool) -> None:
    """Bytecode is made for what Python imports: no scripts, and nothing that lies elsewhere."""
    assert files.File("a.py", "", target, script=script).is_module() is module


def test_what_was_placed_can_be_sent(workbench: Workbench, tmp_path: Path) -> None:
    """A file that one process places is told to another, without its content."""
    leaf = workbench.leaf("a.py", b"import os\nHERE = os.path.realpath(__file__)\n")
    file = files.File("demo/a.py", leaf, f"{SITE}/demo/a.py")
    (tmp_path / SITE / "demo").mkdir(parents=True)
    done = files.place(file, placement.Placement({file.path: leaf}), str(tmp_path))
    sent = pickle.loads(pickle.dumps(done))
    assert {name: getattr(sent, name) for name in sent.__slots__} == {
        name: getattr(done, name) for name in done.__slots__
    }
    assert (sent.target, sent.reasons) == (file.target, ["resolves-itself"])
    assert (sent.rewritten, sent.shared, sent.judged.content) == (None, False, None)
    assert (tmp_path / sent.bytecode).is_file()


def test_an_empty_file_is_no_copy(workbench: Workbench, tmp_path: Path) -> None:
    """A file without a leaf is made, and has no reasons."""
    file = files.File("empty", "", "empty")
    done = files.place(file, placement.Placement({"empty": ""}), str(tmp_path))
    assert (tmp_path / "empty").read_bytes() == b""
    assert not (tmp_path / "empty").is_symlink()
    assert (list(done.reasons), done.bytecode) == ([], None)
