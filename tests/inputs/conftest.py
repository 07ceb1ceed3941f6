"""Directories of small wheels and source distributions for uv to resolve from."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.wheels import make_wheel, write_wheel

AddWheel = Callable[..., Path]
AddSource = Callable[..., Path]


@pytest.fixture(autouse=True)
def quiet_uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Give uv a cache of its own, no indexes of this machine's, and no patience."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    for name in ("UV_INDEX", "UV_INDEX_URL", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def add_wheel(tmp_path: Path) -> AddWheel:
    """Add a wheel to the directory ``wheels``: name, version, requirements, tag."""

    def add(name: str, version: str = "1.0", *requires: str, tag: str = "py3-none-any") -> Path:
        metadata = [f"Requires-Dist: {requirement}" for requirement in requires]
        return write_wheel(tmp_path / "wheels", make_wheel(name, version, {}, tag=tag, metadata=metadata))

    return add


@pytest.fixture
def add_source(tmp_path: Path) -> AddSource:
    """Add a source distribution whose build, which needs nothing else, would leave the file ``ran`` behind."""

    def add(name: str, version: str = "1.0") -> Path:
        (tmp_path / "wheels").mkdir(exist_ok=True)
        path = tmp_path / "wheels" / f"{name}-{version}.tar.gz"
        files = {
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "b"\nbackend-path = ["."]\n',
            "b.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n",
            "PKG-INFO": f"Metadata-Version: 1.0\nName: {name}\nVersion: {version}\n",
        }
        with tarfile.open(path, "w:gz") as archive:
            for filename, text in files.items():
                member = tarfile.TarInfo(f"{name}-{version}/{filename}")
                member.size = len(text)
                archive.addfile(member, io.BytesIO(text.encode()))
        return path

    return add
