"""One release after another, in one store: what the second one costs where the first one is."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path

from benchmarks import disk
from benchmarks.server import LoopbackIndex
from benchmarks.stores import PrivateStore
from benchmarks.subjects import Project


@dataclass(frozen=True, kw_only=True)
class Release:
    """A release of a distribution.

    Attributes:
        project: it alone, locked.
        wheel: its wheel.
    """

    project: Project
    wheel: Path


@dataclass(frozen=True, kw_only=True)
class Step:
    """A release that was built where the one before it was there already.

    Attributes:
        grown: what the store gained, in allocated bytes.
        parts: the same by what it is for.
        downloaded: bytes of wheels.
        wheel: bytes of the wheel.
        differing: bytes of the wheel's files that are not in the one before.
        files: bytes of all of its files.
    """

    grown: int
    parts: dict[str, int]
    downloaded: int
    wheel: int
    differing: int
    files: int


def step(old: Release, new: Release, store: PrivateStore, index: LoopbackIndex) -> Step:
    """Build two releases one after another with ``nixgen build``.

    Args:
        old, new: the releases.
        store: an empty one.
        index: serves their wheels.
    """
    old.project.nixgen_build(store)
    size, parts, sent = disk.allocated(store.path), disk.shares(store.path), index.sent()
    new.project.nixgen_build(store)
    after = disk.shares(store.path)
    there, files = set(_files(old.wheel)), _files(new.wheel)
    return Step(
        grown=disk.allocated(store.path) - size,
        parts={part: after[part] - parts[part] for part in after},
        downloaded=index.sent() - sent,
        wheel=new.wheel.stat().st_size,
        differing=sum(file[1] for file in files if file not in there),
        files=sum(size for _, size in files),
    )


def _files(wheel: Path) -> list[tuple[int, int]]:
    """Return checksum and size of each file of a wheel, as its directory says."""
    with zipfile.ZipFile(wheel) as archive:
        return [(member.CRC, member.file_size) for member in archive.infolist()]
