"""A project whose leaves are in the store, and the index that its lock was made with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel

#: One with a command, one with many files.
WHEELS = (
    make_wheel(
        "demo",
        "1.0",
        {"demo/__init__.py": "def main():\n    print('demo')\n", "demo/data.txt": "some data\n" * 1000},
        metadata=["Requires-Python: >=3.8", "Requires-Dist: other"],
        entry_points={"console_scripts": {"demo": "demo:main"}},
    ),
    make_wheel("other", "2.0", {f"other/module_{number}.py": f"x = {number}\n" for number in range(20)}),
)


@pytest.fixture(scope="package")
def index() -> Iterator[WheelServer]:
    """The server that the lock was made with; each test finds it well."""
    with WheelServer(dict(WHEELS)) as server:
        yield server


@pytest.fixture(scope="package")
def ready(tmp_path_factory: pytest.TempPathFactory, nix_store: NixInstallation, index: WheelServer) -> Cli:
    """``nixgen`` in a project that was locked and fetched; what the user's cache has then is the start of each test."""
    root = tmp_path_factory.mktemp("wheelhouse")
    for name in ("project", "tmp", "cache"):
        (root / name).mkdir()
    environment = {
        **nix_store.env,
        "UV_HTTP_RETRIES": "0",
        "UV_CACHE_DIR": str(root / "uv"),
        "TMPDIR": str(root / "tmp"),
    }
    cli = Cli(directory=root / "project", environment={**environment, "XDG_CACHE_HOME": str(root / "cache")})
    (cli.directory / "requirements.in").write_text("demo\n")
    cli("lock", "--default-index", index.index)
    cli("fetch")
    return cli


@pytest.fixture
def project(ready: Cli, index: WheelServer, tmp_path: Path) -> Iterator[Cli]:
    """The same with a user's cache that knows no skeleton, and an index that counts from none."""
    index.behaviour = Behaviour()
    index.requests.clear()
    yield replace(ready, environment={**ready.environment, "XDG_CACHE_HOME": str(tmp_path / "cache")})
    index.behaviour = Behaviour()
