"""Locks of npm's packages, and archives with whatever in them, without the code that writes them for users."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nixgen.emit.project import Files
from nixgen.lock import Lock
from tests.support.npm import NpmMade, NpmRegistry

Content = bytes | str
Json = dict[str, Any]


def make_tgz(
    name: str = "demo",
    version: str = "1.0.0",
    files: Mapping[str, Content] | None = None,
    *,
    manifest: Mapping[str, Any] | None = None,
    executable: Iterable[str] = (),
    members: Iterable[tuple[tarfile.TarInfo, bytes]] = (),
    top: str = "package",
) -> bytes:
    """Make the archive of a package; the same arguments give the same bytes.

    Args:
        name, version: of its package.json.
        files: content by path; ``index.js`` where not given.
        manifest: more of its package.json.
        executable: paths that get the mode 0755.
        members: further members, written as they are after the files.
        top: the directory that all lies in.
    """
    said = {"name": name, "version": version, **(manifest or {})}
    written = {"package.json": json.dumps(said), **({"index.js": "module.exports = 1\n"} if files is None else files)}
    buffer = io.BytesIO()
    marked = set(executable)
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, content in written.items():
            data = content.encode() if isinstance(content, str) else content
            member = tarfile.TarInfo(f"{top}/{path}")
            member.size, member.mode = len(data), 0o755 if path in marked else 0o644
            archive.addfile(member, io.BytesIO(data))
        for member, data in members:
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), 6, mtime=0)


def integrity(content: bytes) -> str:
    """Return the hash of an archive as npm has it."""
    return "sha512-" + base64.b64encode(hashlib.sha512(content).digest()).decode()


def write_package(
    directory: Path, archive: bytes, at: str, name: str = "", version: str = "1.0.0", **more: Any
) -> Json:
    """Store an archive in a directory, and return what a lock says of the package at a place of the tree.

    Args:
        directory: where archives lie, each by its hash.
        archive: made by ``make_tgz``.
        at: the place, ``node_modules/demo``.
        name: the package's own; that of the place where not given.
        version: likewise.
        more: further fields.
    """
    file = directory / f"{hashlib.sha256(archive).hexdigest()[:16]}.tgz"
    file.write_bytes(archive)
    name = name or at.rpartition("node_modules/")[2]
    place = {"url": file.as_uri(), "integrity": integrity(archive), "size": len(archive)}
    return {"at": at, "name": name, "version": version, **place, **more}


def of_registry(registry: NpmRegistry, package: NpmMade, at: str = "", **more: Any) -> Json:
    """Return what a lock says of a package that a registry has, at the top of the tree where no place is given."""
    place = {"url": registry.archive_url(package), "integrity": package.integrity, "size": len(package.archive)}
    at = at or f"node_modules/{package.name}"
    return {"at": at, "name": package.name, "version": package.version, **place, **more}


def write_npm_project(
    directory: Path, *packages: Json, name: str = "app", manifest: bool = True, **more: Iterable[str]
) -> None:
    """Write the lock of a project, and what nixgen writes beside it.

    Args:
        directory: the project's.
        packages: what the lock says of them.
        name: the project's.
        more: as for ``npm_lock``.
        manifest: whether to write a package.json too, which depends on what is at the top of the tree.
    """
    Files(lock=Lock.from_json(npm_lock(*packages, name=name, **more))).write(directory)
    if manifest:
        top = [package for package in packages if package["at"].count("node_modules/") == 1 and "link" not in package]
        wanted = {package["at"].partition("node_modules/")[2]: package["version"] for package in top}
        said = {"name": name, "version": "1.0.0", "dependencies": wanted}
        (directory / "package.json").write_text(json.dumps(said), encoding="utf-8")


def npm_lock(*packages: Json, name: str = "app", workspaces: Iterable[str] = (), scripts: Iterable[str] = ()) -> Json:
    """Return a lock with nothing but packages of npm; ``scripts`` are the names of those whose install scripts run."""
    section = {"name": name, "packages": sorted(packages, key=lambda package: str(package["at"]))}
    for key, listed in (("workspaces", list(workspaces)), ("scripts", list(scripts))):
        if listed:
            section[key] = listed
    nothing: Json = {"extras": [], "groups": [], "defaultGroups": [], "targets": [], "packages": []}
    return {"nixgen": 2, "inputs": {}, **nothing, "npm": section}


def write_npm_lock(directory: Path, *packages: Json, **more: Any) -> Path:
    """Write a lock into a directory and return its path; ``more`` is as for ``npm_lock``."""
    file = directory / "nixgen.lock"
    file.write_text(json.dumps(npm_lock(*packages, **more)), encoding="utf-8")
    return file
