"""The builder of images, without Nix; tests/nix/test_image.py looks at what it makes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.builders.conftest import Workbench
from tests.support.wheels import make_wheel

import image  # isort: skip


def _attributes(env: Path, **more: Any) -> dict[str, Any]:
    given = {
        "env": str(env),
        "graphs": [],
        "shells": [],
        "packages": [],
        "architecture": "amd64",
        "name": "x",
        "tag": "latest",
    }
    return {**given, "command": None, "variables": [], "limit": 100, **more}


def test_a_python_outside_of_the_store_is_refused(workbench: Workbench, tmp_path: Path) -> None:
    """An environment around an interpreter that the image would not hold is refused, and nothing is written."""
    env = workbench.env(make_wheel())
    with pytest.raises(SystemExit, match="lies outside of the store"):
        image.build(_attributes(env), str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_shell_that_is_none_is_refused(workbench: Workbench, tmp_path: Path) -> None:
    """A package without a shell is refused with where it was looked for."""
    env = workbench.store / "env"
    (env / "bin").mkdir(parents=True)
    (env / "bin" / "python").write_text("")
    with pytest.raises(SystemExit, match=r"no shell for the image.*/bin/bash"):
        image.build(_attributes(env, shells=[str(tmp_path)]), str(tmp_path / "out"))


def test_blobs_lie_under_their_digests() -> None:
    """A digest is a path in the layout."""
    assert image.blob_path("sha256:ab") == "blobs/sha256/ab"
