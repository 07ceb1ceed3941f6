"""The archives of packages of npm as store paths."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.nix.conftest import Nix
from tests.support.nix import NixFailedError
from tests.support.npm_locks import make_tgz, write_npm_lock, write_package


def test_one_path_for_an_archive(nix: Nix, tmp_path: Path) -> None:
    """An archive is fetched once, by its integrity, from wherever; another content is refused, naming both hashes."""
    archive = make_tgz()
    said = write_package(tmp_path, archive, "node_modules/demo")
    fetch = "nixgen.fetchArchive { lock = nixgen.readLock (/. + file); inherit package; }"
    values: dict[str, Any] = {"file": str(write_npm_lock(tmp_path, said))}
    built = nix.build(fetch, package=said, **values)
    assert built.read_bytes() == archive and built.name.endswith("-demo-1.0.0.tgz")
    (tmp_path / "demo.tgz").write_bytes(archive)
    del said["url"]
    assert nix.build(fetch, package={**said, "path": "demo.tgz"}, **values) == built
    (tmp_path / "demo.tgz").write_bytes(archive + b"x")
    other = {**said, "path": "demo.tgz", "integrity": said["integrity"].replace(said["integrity"][7:9], "AA")}
    with pytest.raises(NixFailedError, match="hash mismatch"):
        nix.build(fetch, package=other, **values)
