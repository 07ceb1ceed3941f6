"""Locks written as JSON, without the code that writes them for users."""

from __future__ import annotations

import configparser
import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from nixgen.targets import default_system
from tests.support.wheels import nix_sha256, write_wheel

Wheel = tuple[str, bytes]
Json = dict[str, Any]


def wheel_json(wheel: Wheel, **place: str) -> Json:
    """Return what a lock says of a wheel; ``place`` is its ``url`` or ``path``."""
    filename, content = wheel
    stem = "-".join(filename.split("-")[:2])
    name, version = stem.split("-")
    files: Json = {}
    points = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    points.optionxform = str  # type: ignore[assignment,method-assign]
    with zipfile.ZipFile(BytesIO(content)) as archive:
        for member in archive.infolist():
            *directories, last = member.filename.split("/")
            node = files
            for directory in directories:
                node = node.setdefault(directory, {})
            digest = nix_sha256(archive.read(member)) if member.file_size else ""
            node[last] = [digest, "x"] if member.external_attr >> 16 & 0o111 else digest
            if member.filename == f"{stem}.dist-info/entry_points.txt":
                points.read_string(archive.read(member).decode())
    scripts = {kind: dict(points[f"{kind}_scripts"]) for kind in ("console", "gui") if f"{kind}_scripts" in points}
    return {
        "name": name.replace("_", "-").lower(),
        "version": version,
        **place,
        "sha256": hashlib.sha256(content).hexdigest(),
        "size": len(content),
        "distInfo": f"{stem}.dist-info",
        **({"dataDir": f"{stem}.data"} if f"{stem}.data" in files else {}),
        **({"scripts": scripts} if scripts else {}),
        "files": files,
    }


def package_json(wheel: Wheel, when: Sequence[Sequence[str]] | None = None) -> Json:
    """Return what a target of a lock says of a package."""
    name, version = wheel[0].split("-")[:2]
    package: Json = {"name": name.replace("_", "-").lower(), "version": version, "wheel": wheel[0]}
    return package if when is None else {**package, "when": when}


def lock_json(
    *targets: Json,
    wheels: Mapping[str, Json] | None = None,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    default_groups: Sequence[str] = (),
) -> Json:
    """Return a lock."""
    return {
        "nixgen": 1,
        "extras": list(extras),
        "groups": list(groups),
        "defaultGroups": list(default_groups),
        "targets": list(targets),
        "wheels": dict(wheels or {}),
    }


def target_json(
    python: str, packages: Sequence[Json] = (), system: str | None = None, prefer: Mapping[str, str] | None = None
) -> Json:
    """Return a target of a lock; its system is this machine's where none is given."""
    return {
        "python": python,
        "fullVersion": f"{python}.0",
        "system": system or default_system(),
        "libc": "glibc 2.35",
        **({"prefer": dict(prefer)} if prefer else {}),
        "packages": list(packages),
    }


def write_lock(directory: Path, lock: Json) -> Path:
    """Write a lock into a directory, which is made where it is missing; return its path."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "nixgen.lock"
    path.write_text(json.dumps(lock), encoding="utf-8")
    return path


def lock_wheels(directory: Path, *wheels: Wheel, python: str, prefer: Mapping[str, str] | None = None) -> Path:
    """Write wheels and a lock of all of them for this machine into a directory; return the lock's path."""
    for wheel in wheels:
        write_wheel(directory / "wheels", wheel)
    target = target_json(python, [package_json(wheel) for wheel in wheels], prefer=prefer)
    described = {wheel[0]: wheel_json(wheel, path=f"wheels/{wheel[0]}") for wheel in wheels}
    return write_lock(directory, lock_json(target, wheels=described))
