"""What tests of the ingest share: a store of their own, and wheels from loopback."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from nixgen.leaf import leaf_path
from nixgen.model import WheelIndex, WheelSource
from nixgen.store import Store
from nixgen.wheels.index import index_all
from tests.support.nix import NixInstallation
from tests.support.server import WheelServer


@pytest.fixture
def store(nix_store: NixInstallation, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    """A store of the tests' own, and a temporary directory that can be looked into."""
    for name, value in nix_store.env.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    return Store()


@pytest.fixture
def unique(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A text that no other test and no earlier run puts into a file."""
    return f"{request.node.name} in {tmp_path}\n"


def served(server: WheelServer, *names: str) -> list[WheelIndex]:
    """Index wheels of a server, by ranges."""
    sources = [
        WheelSource(filename=name, url=server.url(name), sha256=hashlib.sha256(server.content(name) or b"").hexdigest())
        for name in names or server.wheels
    ]
    return index_all(sources, base=Path())[0]


def leaves(store: Store, indexes: Sequence[WheelIndex]) -> set[str]:
    """Return the store paths of all leaves of some wheels."""
    return {
        leaf_path(path.rpartition("/")[2], file.sha256, store.directory)
        for index in indexes
        for path, file in index.files.items()
        if file.size
    }


def nothing_left(tmp_path: Path) -> bool:
    """Tell whether nothing temporary is left."""
    return not list((tmp_path / "tmp").iterdir())
