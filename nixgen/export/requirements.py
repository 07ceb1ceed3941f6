"""An environment as a requirements file with hashes, which pip compares with ``--require-hashes``."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from nixgen.errors import InputError
from nixgen.model import LockedPackage, WheelSource


def requirements(packages: Iterable[LockedPackage], *, base: Path, place: Path, hashes: bool = True) -> str:
    """Return the text of a requirements file.

    Args:
        packages: those of the environment.
        base: the directory that relative paths of the lock refer to.
        place: the directory that the file will be in.
        hashes: whether to name the hash of each file.

    Raises:
        InputError: packages come from places of which pip compares no hash; names all of them.
    """
    chosen = sorted(packages, key=lambda package: package.name)
    if hashes and (without := [package.name for package in chosen if _hash(package.wheel) is None]):
        raise InputError(
            f"pip compares no hash of what comes from a repository or a directory: {', '.join(without)}",
            where="nixgen.lock",
            todo="export without hashes (--no-hashes), or as pylock",
        )
    lines = ["# Written by `nixgen export`, for the target of the lock alone."]
    for package in chosen:
        line = _line(package, base, place)
        lines.append(f"{line} \\\n    --hash=sha256:{_hash(package.wheel)}" if hashes else line)
    return "\n".join(lines) + "\n"


def _line(package: LockedPackage, base: Path, place: Path) -> str:
    wheel, source = package.wheel, package.wheel.source
    if source is None:
        if wheel.path is not None:
            return _path(wheel.path, base, place)
        return f"{package.name} @ {wheel.url}" if wheel.direct else f"{package.name}=={package.version}"
    inside = f"#subdirectory={source.subdirectory}" if source.subdirectory else ""
    if source.repository is not None:
        return f"{package.name} @ git+{source.repository}@{source.commit}{inside}"
    if source.directory is not None or source.path is not None:
        return _path(source.directory or source.path or "", base, place) + inside
    if source.direct or inside:
        return f"{package.name} @ {source.url}{inside}"
    return f"{package.name}=={package.version}"


def _hash(wheel: WheelSource) -> str | None:
    if wheel.source is None:
        return wheel.sha256
    return wheel.source.sha256 if wheel.source.repository is None and wheel.source.directory is None else None


def _path(path: str, base: Path, place: Path) -> str:
    """Return a path as a requirements file has it: one that starts with a point is no name of a package."""
    if path.startswith("/"):
        return path
    relative = os.path.relpath((base / path).absolute(), place.absolute()).replace(os.sep, "/")
    return relative if relative.startswith(".") else f"./{relative}"
