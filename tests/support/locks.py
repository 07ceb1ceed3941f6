"""Locks written as JSON, without the code that writes them for users."""

from __future__ import annotations

import configparser
import hashlib
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from nixgen.library import builder_module
from nixgen.targets import default_system
from tests.support.wheels import nix_sha256, write_wheel

Wheel = tuple[str, bytes]
Json = dict[str, Any]


def index_bytes(wheel: Wheel) -> bytes:
    """Return the index of a wheel, of what is in its archive."""
    builder = builder_module("index")
    stem = "-".join(wheel[0].split("-")[:2])
    points = configparser.ConfigParser(delimiters=("=",), interpolation=None)
    points.optionxform = str  # type: ignore[assignment,method-assign]
    with zipfile.ZipFile(BytesIO(wheel[1])) as archive:
        members = {
            member.filename: builder.Member(
                member.file_size, bool(member.external_attr >> 16 & 0o111), nix_sha256(archive.read(member))
            )
            for member in archive.infolist()
            if not member.is_dir()
        }
        if (entry_points := f"{stem}.dist-info/entry_points.txt") in members:
            points.read_string(archive.read(entry_points).decode())
    commands = {kind: dict(points[f"{kind}_scripts"]) for kind in ("console", "gui") if f"{kind}_scripts" in points}
    data_dir = f"{stem}.data" if any(path.startswith(f"{stem}.data/") for path in members) else None
    content: bytes = builder.to_bytes(members, f"{stem}.dist-info", data_dir, commands)
    return content


def wheel_json(wheel: Wheel, **place: str) -> Json:
    """Return what a lock says of a wheel; ``place`` is its ``url`` or ``path``."""
    return {
        **place,
        "sha256": hashlib.sha256(wheel[1]).hexdigest(),
        "size": len(wheel[1]),
        "index": hashlib.sha256(index_bytes(wheel)).hexdigest(),
    }


def package_json(wheel: Wheel, when: Sequence[Sequence[str]] | None = None) -> Json:
    """Return what a target of a lock says of a package."""
    name, version, *_ = [*wheel[0].split("-"), "0"]
    package: Json = {"name": name.replace("_", "-").lower(), "version": version, "wheel": wheel[0]}
    return package if when is None else {**package, "when": when}


def lock_json(
    *targets: Json,
    wheels: Mapping[str, Json] | None = None,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    default_groups: Sequence[str] = (),
) -> Json:
    """Return a lock.

    Args:
        targets: what ``target_json`` gave.
        wheels: what ``wheel_json`` gave, by file name; those that no target names belong to every target.
        extras, groups, default_groups: what a build may choose, and what it chooses by default.
    """
    packages: dict[str, Json] = {}
    for target in targets:
        for package in target["packages"]:
            found = packages.setdefault(package["wheel"], {**package, **(wheels or {}).get(package["wheel"], {})})
            when = found.get("targets", {})
            found["targets"] = {**when, f"{target['python']}-{target['system']}": package.get("when", [[]])}
    for filename, wheel in (wheels or {}).items():
        packages.setdefault(filename, {**package_json((filename, b"")), **wheel})
    return {
        "nixgen": 2,
        "extras": list(extras),
        "groups": list(groups),
        "defaultGroups": list(default_groups),
        "targets": [{key: target[key] for key in target if key != "packages"} for target in targets],
        "packages": list(packages.values()),
    }


def target_json(
    python: str, packages: Sequence[Json] = (), system: str | None = None, prefer: Mapping[str, str] | None = None
) -> Json:
    """Return a target for ``lock_json``, with its packages; its system is this machine's where none is given."""
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


def locked_wheels(lock: Path) -> dict[str, Json]:
    """Return the packages of a lock by the file names of their wheels."""
    return {package["wheel"]: package for package in json.loads(lock.read_text())["packages"]}


def change_package(lock: Path, filename: str, **values: Any) -> None:
    """Change what a lock says of the package that has a wheel."""
    data = json.loads(lock.read_text())
    next(package for package in data["packages"] if package["wheel"] == filename).update(values)
    lock.write_text(json.dumps(data), encoding="utf-8")


def change_index(lock: Path, wheel: Wheel, change: Callable[[Json], object]) -> None:
    """Change the index of a locked wheel: it is vendored, and the lock has its hash."""
    index = json.loads(index_bytes(wheel))
    change(index)
    content = json.dumps(index).encode()
    vendored = lock.parent / "nix/index" / f"{wheel[0]}.json"
    vendored.parent.mkdir(parents=True, exist_ok=True)
    vendored.write_bytes(content)
    change_package(lock, wheel[0], index=hashlib.sha256(content).hexdigest())


def write_pylock(project: Path, wheels: Mapping[str, str], contents: Sequence[Wheel]) -> None:
    """Write a ``pylock.toml`` that names some wheels with their hashes.

    Args:
        project: the directory.
        wheels: the URL of each, by file name.
        contents: the wheels.
    """
    lines = ['lock-version = "1.0"', 'created-by = "test"']
    for name, content in contents:
        package, version = name.split("-")[:2]
        sha256 = hashlib.sha256(content).hexdigest()
        lines += ["[[packages]]", f'name = "{package}"', f'version = "{version}"', "[[packages.wheels]]"]
        lines += [f'name = "{name}"', f'url = "{wheels[name]}"', f'hashes = {{ sha256 = "{sha256}" }}']
    (project / "pylock.toml").write_text("\n".join([*lines, ""]))
