"""``nixgen.store.configuration``: what Nix is told, without asking it."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.store.configuration import said


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nix's files of a machine without any but an empty one of the system's."""
    for name in ("NIX_CONFIG", "NIX_USER_CONF_FILES"):
        monkeypatch.delenv(name, raising=False)
    for name in ("NIX_CONF_DIR", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS"):
        (tmp_path / name / "nix").mkdir(parents=True)
        monkeypatch.setenv(name, str(tmp_path / name))
    (tmp_path / "NIX_CONF_DIR/nix.conf").write_text("")


@pytest.mark.parametrize(
    "file", ["NIX_CONF_DIR/nix.conf", "XDG_CONFIG_HOME/nix/nix.conf", "XDG_CONFIG_DIRS/nix/nix.conf"]
)
def test_files_that_nix_reads(file: str, tmp_path: Path) -> None:
    """A setting of any of the files that Nix reads is seen, and no comment."""
    assert said() == set()
    (tmp_path / file).write_text("# cores = 3\n  max-jobs=4\nextra-platforms = i686-linux # store = x\n")
    assert said() == {"max-jobs", "extra-platforms"}


def test_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NIX_CONFIG counts, and NIX_USER_CONF_FILES in place of the user's own files."""
    monkeypatch.setenv("NIX_CONFIG", "sandbox = false\nstore = daemon")
    (tmp_path / "XDG_CONFIG_HOME/nix/nix.conf").write_text("cores = 1\n")
    assert said() == {"sandbox", "store", "cores"}
    (tmp_path / "mine").write_text("max-jobs = 1\n")
    monkeypatch.setenv("NIX_USER_CONF_FILES", f"{tmp_path / 'none'}:{tmp_path / 'mine'}")
    assert said() == {"sandbox", "store", "max-jobs"}


@pytest.mark.parametrize("word", ["include", "!include"])
def test_where_only_nix_can_tell(word: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said of a file that includes another one, cannot be read, or is not where the usual Nix has it."""
    file = tmp_path / "NIX_CONF_DIR/nix.conf"
    file.write_text(f"{word} other.conf\n")
    assert said() is None
    file.write_bytes(b"cores = \xff\n")
    assert said() is None
    file.unlink()
    assert said() == set()
