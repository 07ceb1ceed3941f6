"""Files that are edited, and put back where what needed them fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.errors import MachineError
from nixgen.inputs.edit import Editor, Table, restored
from tests.support.cli import listing
from tests.support.mounts import mounted, needs_root


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_what_fails_or_is_interrupted_is_undone(tmp_path: Path, error: type[BaseException]) -> None:
    """Content and mode are those of before, and what was not there is not there; what goes well stays."""
    kept, new = tmp_path / "kept", tmp_path / "new"
    kept.write_text("before")
    kept.chmod(0o640)
    with pytest.raises(error), restored([kept, new]):
        kept.write_text("after")
        new.write_text("new")
        raise error
    assert listing(tmp_path) == {"kept": b"before"} and kept.stat().st_mode & 0o777 == 0o640
    with restored([kept, new]):
        kept.write_text("after")
    assert listing(tmp_path) == {"kept": b"after"}
    with restored([kept, new], always=True):
        new.write_text("tried")
    assert listing(tmp_path) == {"kept": b"after"}


def test_lines_of_requirements_that_are_no_packages_stay(tmp_path: Path) -> None:
    """Options, URLs, paths and blank lines are left alone; names are compared as pip compares them."""
    path = tmp_path / "requirements.txt"
    others = "--pre\n-r base.txt\n\n./local\nhttps://example.org/x-1-py3-none-any.whl\n# Zope.Interface\n"
    path.write_text(others + "Zope.Interface[x]>=1 ; python_version > '3'  # why\n")
    editor = Editor.of(tmp_path, Table())
    editor.add(["zope-interface==2"])
    assert path.read_text() == others + "zope-interface==2  # why\n"
    editor.remove(["zope_interface"])
    assert path.read_text() == others


@needs_root
def test_a_project_that_cannot_be_written(tmp_path: Path) -> None:
    """It is the file that is in the way, and not what was asked for."""
    (tmp_path / "real").mkdir()
    text = '[project]\nname = "x"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["six"]\n'
    (tmp_path / "real" / "pyproject.toml").write_text(text)
    ro = f"ro,lowerdir={tmp_path / 'real'}:{tmp_path / 'empty'}"
    (tmp_path / "empty").mkdir()
    with mounted("-t", "overlay", "-o", ro, "overlay", at=tmp_path / "shown") as at:
        editor = Editor.of(at, Table())
        for change in (lambda: editor.add(["idna"]), lambda: editor.remove(["six"])):
            with pytest.raises(MachineError) as caught:
                change()
            assert caught.value.where == str(at / "pyproject.toml") and "read-only" in caught.value.what
    assert (tmp_path / "real" / "pyproject.toml").read_text() == text
