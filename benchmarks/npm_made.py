"""Packages of npm of our own making: 50,000 files, the same bytes every time."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path

from benchmarks.npm_registry import Served
from benchmarks.synthetic import package_files

VERSION = "1.0.0"

#: The files of one package, with its package.json.
FILES_A_PACKAGE = 500

NAMES = tuple(f"made{number:03}" for number in range(100))


def make(directory: Path) -> list[Served]:
    """Write the archive of each package into a directory, and return what a registry says of them."""
    return [_write(directory, name) for name in NAMES]


def _write(directory: Path, name: str) -> Served:
    manifest = {"name": name, "version": VERSION, "main": "index.json"}
    contents = {"package.json": json.dumps(manifest), "index.json": json.dumps({"name": name})}
    contents |= package_files(name, FILES_A_PACKAGE - len(contents))
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, text in contents.items():
            member = tarfile.TarInfo(f"package/{path}")
            member.size, member.mode = len(text.encode()), 0o644
            archive.addfile(member, io.BytesIO(text.encode()))
    data = gzip.compress(packed.getvalue(), mtime=0)
    file = f"{name}-{VERSION}.tgz"
    (directory / file).write_bytes(data)
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(data).digest()).decode()
    return Served(name=name, version=VERSION, integrity=integrity, file=file, manifest=manifest)
