"""What a release is: the sdist, the wheel of it, and that it works without a checkout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from uv import find_uv_bin

import nixgen
from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist and the wheel that is built of it, as ``script/dist`` makes them."""
    return build(tmp_path_factory.mktemp("dist"))


def build(directory: Path, *options: str) -> Path:
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1000000000"}
    subprocess.run(
        [find_uv_bin(), "build", "--quiet", *options, "--out-dir", directory, ROOT], env=environment, check=True
    )
    return directory


@pytest.mark.registry
def test_the_same_commit_gives_the_same_bytes(dist: Path, tmp_path: Path) -> None:
    """The wheel of the sdist is that of the checkout, whenever it is built."""
    (wheel,) = dist.glob("*.whl")
    build(tmp_path, "--wheel")
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


@pytest.mark.registry
def test_all_that_it_needs_is_in_it(dist: Path) -> None:
    """The wheel has the whole Nix library and the templates; the sdist what builds the wheel, and no test."""
    tracked = subprocess.run(["git", "ls-files", "nix", "nixgen"], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = {re.sub(r"^nix/", "nixgen/nix/", name) for name in tracked.stdout.split() if (ROOT / name).is_file()}
    assert len(wanted) > 150
    (wheel,), (sdist,) = dist.glob("*.whl"), dist.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        assert wanted <= set(archive.namelist())
    with tarfile.open(sdist) as archive:
        tops = {name.split("/")[1] for name in archive.getnames() if "/" in name}
    assert tops == {".gitignore", "CHANGELOG.md", "PKG-INFO", "README.md", "nix", "nixgen", "pyproject.toml"}


def test_one_version() -> None:
    """The program says the version that its package has."""
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == nixgen.__version__
    assert re.search(rf"^## (Unreleased|{re.escape(nixgen.__version__)})", (ROOT / "CHANGELOG.md").read_text(), re.M)


@pytest.mark.nix
@pytest.mark.registry
def test_it_works_without_a_checkout(
    dist: Path, empty_store: Cli, serve: Callable[..., WheelServer], tmp_path: Path
) -> None:
    """What the wheel installs locks and builds, and stock Nix builds the same of what it has written."""
    (wheel,) = dist.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    where = {"PYTHONPATH": str(tmp_path / "site")}
    python = [sys.executable, "-c", "import nixgen; print(nixgen.__file__)"]
    installed = subprocess.run(
        python, cwd=tmp_path, env={**os.environ, **where}, capture_output=True, text=True, check=True
    )
    assert installed.stdout.strip() == str(tmp_path / "site/nixgen/__init__.py")
    server = serve(make_wheel("demo", "1.0", {"demo.py": f"place = {str(tmp_path)!r}\n"}))
    (empty_store.directory / "requirements.in").write_text("demo\n")
    empty_store("lock", "--default-index", server.index, environment=where)
    built = empty_store("build", environment=where).stdout.strip()
    stock = subprocess.run(
        ["nix-build", "nix", "--no-out-link"],
        cwd=empty_store.directory,
        env={**os.environ, **empty_store.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert stock.stdout.strip() == built
