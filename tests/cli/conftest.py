"""A project directory and the command line in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.cli import Cli


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty directory."""
    directory = tmp_path / "project"
    directory.mkdir()
    return directory


@pytest.fixture
def nixgen(project: Path, tmp_path: Path) -> Cli:
    """The command line in the project, with a cache and a temporary directory of its own."""
    (tmp_path / "tmp").mkdir()
    return Cli(
        directory=project,
        environment={
            "UV_CACHE_DIR": str(tmp_path / "uv-cache"),
            "UV_HTTP_RETRIES": "0",
            "TMPDIR": str(tmp_path / "tmp"),
        },
    )
