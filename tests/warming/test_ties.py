"""What root has seen of wheels counts for all users of a machine, and what others have written there for nobody."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nixgen.ties import Tie, find_tie, keep_tie, share_ties

_WHEEL, _TIE = "a" * 64, Tie(index="b" * 64, size=7)


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory that all users read; the user's own cache is empty again."""
    monkeypatch.setenv("NIXGEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "of-root"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    keep_tie(_WHEEL, _TIE)
    share_ties([_WHEEL, "c" * 64])
    monkeypatch.undo()
    monkeypatch.setenv("NIXGEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "of-another"))
    return tmp_path / "state" / "tied"


def test_what_root_has_seen(shared: Path) -> None:
    """It is read where the user's own cache has nothing; what nobody has seen is not there."""
    assert find_tie(_WHEEL) == _TIE
    assert [path.name for path in shared.iterdir()] == [_WHEEL]


@pytest.mark.parametrize("where", ["file", "directory", "link", "owner"])
def test_what_others_may_have_written(shared: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file or directory that others may write to, a link, and another user's file are not believed."""
    if where == "file":
        (shared / _WHEEL).chmod(0o666)
    elif where == "directory":
        shared.chmod(0o777)
    elif where == "link":
        (shared / _WHEEL).rename(shared / "elsewhere")
        (shared / _WHEEL).symlink_to("elsewhere")
        (shared / "elsewhere").chmod(0o666)
    elif os.geteuid() == 0:
        os.chown(shared / _WHEEL, 12345, -1)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
    assert find_tie(_WHEEL) is None


def test_who_may_not_speak_for_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a user has seen stays with him."""
    monkeypatch.setenv("NIXGEN_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    keep_tie(_WHEEL, _TIE)
    share_ties([_WHEEL])
    assert find_tie(_WHEEL) == _TIE and not (tmp_path / "state").exists()
