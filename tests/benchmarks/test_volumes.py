"""The place of a round's files: made, given back in parts, and gone in the end."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from benchmarks.volumes import Volume


@pytest.mark.parametrize("mount", [True, False])
def test_nothing_stays(tmp_path: Path, mount: bool) -> None:
    """Whether it could be mounted or not, it holds files, gives them back, and leaves nothing behind."""
    volume = Volume(tmp_path / "round", mount=mount)
    assert mount or not volume.mounted
    for name in ("one", "two"):
        (volume.root / name).mkdir()
        (volume.root / name / "file").write_text("text")
        (volume.root / name).chmod(0o500)
    volume.drop(volume.root / "one")
    assert (volume.root / "two" / "file").read_text() == "text"
    assert (volume.root / "one").exists() != volume.mounted
    volume.remove()
    assert list(tmp_path.iterdir()) == []


def test_in_use_when_it_goes(tmp_path: Path) -> None:
    """A process that still stands in it does not keep it."""
    volume = Volume(tmp_path / "round")
    with subprocess.Popen(["sleep", "600"], cwd=volume.root) as left:
        volume.remove()
        assert list(tmp_path.iterdir()) == []
        left.kill()
