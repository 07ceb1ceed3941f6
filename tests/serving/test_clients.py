"""Real pip, uv and Poetry install from ``nixgen serve``, while the index that the lock was made with is away."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.support.cli import Cli
from tests.support.environments import site_packages
from tests.support.fetched import away
from tests.support.server import WheelServer
from tests.support.serving import Served
from tests.support.tools import run_tool

pytestmark = pytest.mark.nix

POETRY = """
[tool.poetry]
name = "me"
version = "1"
description = ""
authors = []
package-mode = false
[tool.poetry.dependencies]
python = ">=3.10,<4"
demo = "*"
[[tool.poetry.source]]
name = "here"
url = "{index}"
priority = "primary"
"""


@pytest.fixture
def served(project: Cli, index: WheelServer) -> Served:
    """What has the skeletons of all wheels; the index has nothing any more."""
    project("wheelhouse", project.directory / "wheels")
    away(index)
    index.requests.clear()
    return Served(project)


@pytest.fixture
def requirements(project: Cli, tmp_path: Path) -> Path:
    """The lock's versions, with their hashes."""
    file = tmp_path / "requirements.txt"
    project("export", "--format", "requirements", "-o", file)
    assert file.read_text().count("--hash=sha256:") == 2
    return file


def run(*words: str | Path, **more: str) -> None:
    """Run an installer without the machine's own settings of it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_"))}
    environment = {**kept, "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", **more}
    done = subprocess.run(list(map(str, words)), env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_pip(served: Served, requirements: Path, index: WheelServer, tmp_path: Path) -> None:
    """Pinned, with hashes; then whatever the index has."""
    with served:
        pip = (sys.executable, "-m", "pip", "--isolated", "install", "--no-cache-dir", "--index-url", served.index)
        run(*pip, "--require-hashes", "-r", requirements, "--target", tmp_path / "pinned")
        run(*pip, "demo", "--target", tmp_path / "free")
    for name in ("pinned", "free"):
        assert (tmp_path / name / "other" / "module_3.py").read_text() == "x = 3\n"
    assert not index.requests


def test_uv_and_adopt(served: Served, project: Cli, requirements: Path, index: WheelServer, tmp_path: Path) -> None:
    """uv installs with hashes; ``nixgen adopt`` makes links of every file of the wheels, and adds nothing."""
    directory, uv = tmp_path / "venv", find_uv_bin()
    with served:
        run(uv, "venv", "-q", "--python", sys.executable, directory)
        install = (uv, "pip", "install", "-q", "--python", directory, "--default-index", served.index)
        run(*install, "--require-hashes", "-r", requirements, UV_CACHE_DIR=str(tmp_path / "uv"))
    assert not index.requests
    said = project("adopt", directory).stdout
    assert "stay, not in the store" not in said, said
    modules = [path for path in (site_packages(directory) / "other").iterdir() if path.suffix == ".py"]
    assert len(modules) == 20 and all(path.is_symlink() for path in modules)
    run(directory / "bin" / "demo")


@pytest.mark.registry
def test_poetry(served: Served, index: WheelServer, tmp_path: Path) -> None:
    """Poetry locks and installs."""
    directory = tmp_path / "poetry"
    directory.mkdir()
    with served:
        (directory / "pyproject.toml").write_text(POETRY.format(index=served.index))
        run_tool("poetry", "install", "--no-interaction", directory=directory, home=tmp_path / "home")
        said = run_tool("poetry", "run", "demo", directory=directory, home=tmp_path / "home")
    assert "demo" in said and not index.requests
