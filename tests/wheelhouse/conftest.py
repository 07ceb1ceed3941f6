"""A project whose leaves are in the store, and the index that its lock was made with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.fetched import WHEELS, fetched, with_cache
from tests.support.nix import NixInstallation
from tests.support.server import Behaviour, WheelServer


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
