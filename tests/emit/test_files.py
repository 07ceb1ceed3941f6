"""Files that are written by rename."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nixgen.emit.files import write_text
from tests.support.owner import UID, as_root


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


def test_a_link_is_written_through(tmp_path: Path) -> None:
    """What a link leads to is written, by rename there, and the link stays; one that leads in a circle is replaced."""
    (tmp_path / "shared").mkdir()
    link, target = tmp_path / "nixgen.lock", tmp_path / "shared/lock"
    link.symlink_to("shared/lock")
    for text in ("one", "two"):
        write_text(link, text)
        assert (link.is_symlink(), target.read_text(), target.is_symlink()) == (True, text, False)
    assert [path.name for path in target.parent.iterdir()] == ["lock"]
    (tmp_path / "circle").symlink_to("circle")
    write_text(tmp_path / "circle", "here")
    assert (tmp_path / "circle").read_text() == "here" and not (tmp_path / "circle").is_symlink()


@as_root
def test_root_follows_no_link_of_another_user(tmp_path: Path) -> None:
    """It is replaced, and what it leads to stays."""
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("theirs")
    link.symlink_to(target)
    os.chown(link, UID, UID, follow_symlinks=False)
    write_text(link, "ours")
    assert (target.read_text(), link.read_text(), link.is_symlink()) == ("theirs", "ours", False)


def test_what_a_killed_process_left_beside_it_goes(tmp_path: Path) -> None:
    """Whoever writes a file removes what was left in its directory, whatever file that was for."""
    (tmp_path / ".nixgen-tmp-abcdefgh").mkdir()
    (tmp_path / ".nixgen-tmp-abcdefgh/.gitignore").write_text("*\n")
    write_text(tmp_path / "x", "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
