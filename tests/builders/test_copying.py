"""Copies of files of the store, and the room that they take."""

from __future__ import annotations

import os
from pathlib import Path

import copying
import pytest

from nixgen.verification.nar import nar


@pytest.fixture
def leaf(tmp_path: Path) -> Path:
    """A file as Nix keeps it."""
    path = tmp_path / "leaf"
    path.write_bytes(b"content")
    path.chmod(0o444)
    os.utime(path, (1, 1))
    return path


def test_a_copy_is_one_more_name(leaf: Path, tmp_path: Path) -> None:
    """A copy that has the mode of its leaf is the same file."""
    copying.copy(str(leaf), str(tmp_path / "copy"), 0o444)
    assert (tmp_path / "copy").samefile(leaf)
    assert not (tmp_path / "copy").is_symlink()


def refuse(*_: object) -> int:
    """Do as a system does that cannot do it."""
    raise OSError(18, "Invalid cross-device link")


@pytest.mark.parametrize("why", ["no link can be made", "another owner's", "another mode"])
@pytest.mark.parametrize("kernel", ["copies", "refuses", "stops", "is another's"])
def test_bytes_are_copied(leaf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str, kernel: str) -> None:
    """Where a file cannot have one more name (in a sandbox, for a build user or a program), its bytes are copied, by
    the system or by Python; of Nix's files the archive is the same either way, and the leaf keeps its mode."""
    mode = 0o555 if why == "another mode" else 0o444
    copying.copy(str(leaf), str(tmp_path / "name"), 0o444)
    if why == "no link can be made":
        monkeypatch.setattr(os, "link", refuse)
    if why == "another owner's":
        monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    if kernel == "refuses":
        monkeypatch.setattr(os, "copy_file_range", refuse, raising=False)
    if kernel == "stops":

        def stop(source: int, made: int, _: int) -> int:
            return os.write(made, os.read(source, 3)) % 3

        monkeypatch.setattr(os, "copy_file_range", stop, raising=False)
    if kernel == "is another's":
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    copying.copy(str(leaf), str(tmp_path / "copy"), mode)
    copy = (tmp_path / "copy").stat()
    assert (copy.st_nlink, copy.st_mode & 0o777) == (1, mode)
    assert (tmp_path / "copy").read_bytes() == b"content"
    assert leaf.stat().st_mode & 0o777 == 0o444
    if mode == 0o444:
        assert nar(str(tmp_path / "copy")).sha256 == nar(str(tmp_path / "name")).sha256


def test_a_link_is_not_copied_as_one(leaf: Path, tmp_path: Path) -> None:
    """A copy of a link is a file: another name of the link would be a link."""
    (tmp_path / "link").symlink_to(leaf)
    copying.copy(str(tmp_path / "link"), str(tmp_path / "copy"), 0o444)
    assert not (tmp_path / "copy").is_symlink()
    assert (tmp_path / "copy").read_bytes() == b"content"
