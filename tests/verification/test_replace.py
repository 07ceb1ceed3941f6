"""Putting restored content in place where the system cannot swap two names in one step."""

from __future__ import annotations

import ctypes
import errno
from pathlib import Path

import pytest

from nixgen.verification.replace import replace


class Without:
    """A C library whose swap the kernel or the file system does not know: none such can be had where tests run."""

    def __init__(self, code: int) -> None:
        self._code = code

    def __call__(self, *_: object, **__: object) -> Without:
        return self

    def renameat2(self, *_: object) -> int:
        """Refuse."""
        ctypes.set_errno(self._code)
        return -1

    renameatx_np = renameat2


def make(path: Path, text: str) -> Path:
    """Make a directory with a file."""
    path.mkdir()
    (path / "file").write_text(text)
    return path


@pytest.mark.parametrize("code", [errno.ENOSYS, errno.EINVAL])
def test_two_steps_without_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """What was restored takes the place, and nothing of what stood there stays."""
    path, restored = make(tmp_path / "path", "damaged"), make(tmp_path / "restored", "good")
    monkeypatch.setattr("nixgen.verification.replace.ctypes.CDLL", Without(code))
    replace(path, restored)
    assert [found.name for found in tmp_path.iterdir()] == ["path"]
    assert (path / "file").read_text() == "good"


def test_the_second_step_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood there is back."""
    path, restored = make(tmp_path / "path", "damaged"), make(tmp_path / "restored", "good")
    monkeypatch.setattr("nixgen.verification.replace.ctypes.CDLL", Without(errno.EINVAL))
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self == restored:
            raise OSError(errno.EIO, "broken")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(OSError, match="broken"):
        replace(path, restored)
    assert (path / "file").read_text() == "damaged" and (restored / "file").read_text() == "good"


def test_what_may_not_be_swapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another error is no reason for two steps."""
    path, restored = make(tmp_path / "path", "damaged"), make(tmp_path / "restored", "good")
    monkeypatch.setattr("nixgen.verification.replace.ctypes.CDLL", Without(errno.EROFS))
    with pytest.raises(OSError, match="ead-only"):
        replace(path, restored)
    assert (path / "file").read_text() == "damaged"
