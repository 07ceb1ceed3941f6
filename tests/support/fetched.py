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


def fetched(root: Path, nix: NixInstallation, index: WheelServer) -> Cli:
    """Lock and fetch the wheels in an empty directory; return ``nixgen`` there."""
    for name in ("project", "tmp", "cache"):
        (root / name).mkdir()
    environment = {**nix.env, "UV_HTTP_RETRIES": "0", "UV_CACHE_DIR": str(root / "uv"), "TMPDIR": str(root / "tmp")}
    cli = Cli(directory=root / "project", environment={**environment, "XDG_CACHE_HOME": str(root / "cache")})
    (cli.directory / "requirements.in").write_text("demo\n")
    cli("lock", "--default-index", index.index)
    cli("fetch")
    return cli


def with_cache(cli: Cli, cache: Path) -> Cli:
    """Return the same for a user with another cache, which knows no skeleton."""
    return replace(cli, environment={**cli.environment, "XDG_CACHE_HOME": str(cache)})


@pytest.fixture(scope="package")
def index() -> Iterator[WheelServer]:
    """The server that the lock was made with; each test finds it well."""
    with WheelServer(dict(WHEELS)) as server:
        yield server


@pytest.fixture(scope="package")
def ready(tmp_path_factory: pytest.TempPathFactory, nix_store: NixInstallation, index: WheelServer) -> Cli:
    """``nixgen`` in a project that was locked and fetched."""
    return fetched(tmp_path_factory.mktemp("fetched"), nix_store, index)


@pytest.fixture
def project(ready: Cli, index: WheelServer, tmp_path: Path) -> Iterator[Cli]:
    """The same with a user's cache that knows no skeleton, and an index that counts from none."""
    index.behaviour = Behaviour()
    index.requests.clear()
    yield with_cache(ready, tmp_path / "cache")
    index.behaviour = Behaviour()


def away(index: WheelServer) -> None:
    """Let an index have no wheel any more."""
    index.behaviour = Behaviour(failures=1_000_000, failure="404")
