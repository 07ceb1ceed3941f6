"""Files that are written by rename."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.emit.files import write_text


def test_a_full_disk_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error while writing leaves the previous file."""
    path = tmp_path / "nixgen.lock"
    write_text(path, "old")

    def full(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write_text(path, "new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("nixgen.lock", b"old")]


def test_newlines_are_written_as_they_are(tmp_path: Path) -> None:
    """Text is written in UTF-8 with the newlines it has, on any system."""
    write_text(tmp_path / "x", "ü\n\r\n")
    assert (tmp_path / "x").read_bytes() == b"\xc3\xbc\n\r\n"


def test_what_a_killed_process_left_beside_it_goes(tmp_path: Path) -> None:
    """Whoever writes a file removes what was left in its directory, whatever file that was for."""
    (tmp_path / ".nixgen-tmp-abcdefgh").mkdir()
    (tmp_path / ".nixgen-tmp-abcdefgh/.gitignore").write_text("*\n")
    write_text(tmp_path / "x", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
