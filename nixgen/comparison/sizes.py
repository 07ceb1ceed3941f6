"""What environments cost, and what they share: with each other, and with what the store already has."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.comparison.contents import distinct_files
from nixgen.leaf import leaf_name, leaf_path
from nixgen.model import LockedPackage, WheelIndex


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment to measure.

    Attributes:
        name: what to call it.
        python, system: of its target.
        packages: what it holds.
        indexes: those of its wheels, by file name; it may lack some of wheels that are built.
        built: its store path, None where it is not built, or that is not known.
    """

    name: str
    python: str
    system: str
    packages: Sequence[LockedPackage]
    indexes: Mapping[str, WheelIndex]
    built: Path | None = None


@dataclass(frozen=True, kw_only=True)
class PackageSize:
    """What a package of an environment costs.

    Attributes:
        name, version: of the package.
        files: how many files that are not empty it installs.
        bytes: of those.
        own: bytes of contents that neither another package has, nor another environment here.
    """

    name: str
    version: str
    files: int
    bytes: int
    own: int


@dataclass(frozen=True, kw_only=True)
class Measured:
    """What lies in a directory of the store.

    Attributes:
        links, files, directories: how many there are.
        bytes: of the files.
        disk: bytes that all of it takes on disk, each inode once.
    """

    links: int
    files: int
    directories: int
    bytes: int
    disk: int


@dataclass(frozen=True, kw_only=True)
class EnvironmentSize:
    """What an environment costs.

    Attributes:
        name, python, system: as ``Environment`` has them.
        packages: the largest first.
        files, bytes: distinct contents, which the store keeps once each.
        listed: bytes of a copy, in which each file counts wherever it stands.
        stored_files, stored_bytes: contents that the store has already, whoever brought them.
        shared: bytes of contents that each other environment here has too, by its name.
        environment: what is in the environment itself; None where it is not built.
        trees: what is in the trees of its packages; None likewise.
        tree_count: how many trees there are.
    """

    name: str
    python: str
    system: str
    packages: tuple[PackageSize, ...]
    files: int
    bytes: int
    listed: int
    stored_files: int
    stored_bytes: int
    shared: Mapping[str, int]
    environment: Measured | None = None
    trees: Measured | None = None
    tree_count: int = 0


def measure(
    environments: Sequence[Environment], trees: Mapping[str, Sequence[Path]], store: str
) -> list[EnvironmentSize]:
    """Return what environments cost, in their order.

    Args:
        environments: their names differ.
        trees: the trees of those that are built, by their name.
        store: the store's directory.
    """
    contents = {one.name: distinct_files(one.indexes.values()) for one in environments}
    owners = Counter(key for one in environments for index in one.indexes.values() for key in distinct_files([index]))
    found = []
    for one in environments:
        files = contents[one.name]
        stored = [size for (name, sha256), size in files.items() if _lies_in(store, name, sha256)]
        sizes = [_package(package, one.indexes.get(package.wheel.filename), owners) for package in one.packages]
        found.append(
            EnvironmentSize(
                name=one.name,
                python=one.python,
                system=one.system,
                packages=tuple(sorted(sizes, key=lambda package: (-package.bytes, package.name))),
                files=len(files),
                bytes=sum(files.values()),
                listed=sum(package.bytes for package in sizes),
                stored_files=len(stored),
                stored_bytes=sum(stored),
                shared={
                    other: sum(files[key] for key in files.keys() & theirs.keys())
                    for other, theirs in contents.items()
                    if other != one.name
                },
                environment=None if one.built is None else measured([one.built]),
                trees=None if one.built is None else measured(trees[one.name]),
                tree_count=0 if one.built is None else len(trees[one.name]),
            )
        )
    return found


def measured(directories: Iterable[Path]) -> Measured:
    """Return what lies in some directories together."""
    links = files = count = size = disk = 0
    seen: set[tuple[int, int]] = set()
    waiting = [str(path) for path in directories]
    while waiting:
        directory = waiting.pop()
        about = os.stat(directory)  # noqa: PTH116 - thousands of them
        count, disk = count + 1, disk + about.st_blocks * 512
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                    continue
                state = entry.stat(follow_symlinks=False)
                if (state.st_dev, state.st_ino) not in seen:
                    seen.add((state.st_dev, state.st_ino))
                    disk += state.st_blocks * 512
                if entry.is_symlink():
                    links += 1
                else:
                    files, size = files + 1, size + state.st_size
    return Measured(links=links, files=files, directories=count, bytes=size, disk=disk)


def _package(package: LockedPackage, index: WheelIndex | None, owners: Mapping[tuple[str, str], int]) -> PackageSize:
    sizes = [file.size for file in index.files.values() if file.size] if index is not None else []
    contents = distinct_files([index]) if index is not None else {}
    return PackageSize(
        name=package.name,
        version=package.version,
        files=len(sizes),
        bytes=sum(sizes),
        own=sum(size for key, size in contents.items() if owners[key] == 1),
    )


def _lies_in(store: str, name: str, sha256: str) -> bool:
    return os.path.lexists(leaf_path(name, sha256, store))


def page_data(environments: Sequence[Environment], sizes: Sequence[EnvironmentSize], store: str) -> dict[str, object]:
    """Return what the page with the treemap shows.

    A file is its name, size and marks (1 where another environment has it too, 2 where the store has it); a directory
    its name and a list of what is in it.
    """
    contents = [distinct_files(one.indexes.values()).keys() for one in environments]
    described = []
    for number, (one, size) in enumerate(zip(environments, sizes, strict=True)):
        others = set().union(*(keys for other, keys in enumerate(contents) if other != number))
        packages = []
        for package in size.packages:
            index = next((index for index in one.indexes.values() if index.name == package.name), None)
            if index is not None:
                packages.append([f"{package.name} {package.version}", _nested(index, others, store)])
        described.append(
            {
                "name": size.name,
                "python": size.python,
                "system": size.system,
                "files": size.files,
                "bytes": size.bytes,
                "stored": size.stored_bytes,
                "shared": sum(size.shared.values()) if len(size.shared) == 1 else None,
                "disk": None if size.environment is None else size.environment.disk,
                "packages": packages,
            }
        )
    return {"environments": described}


def _nested(index: WheelIndex, others: set[tuple[str, str]], store: str) -> list[object]:
    top: list[object] = []
    directories: dict[str, list[object]] = {"": top}
    for path, file in index.files.items():
        if not file.size:
            continue
        above, _, name = path.rpartition("/")
        missing = []
        while above not in directories:
            missing.append(above)
            above = above.rpartition("/")[0]
        for directory in reversed(missing):
            inner: list[object] = []
            directories[directory.rpartition("/")[0]].append([directory.rpartition("/")[2], inner])
            directories[directory] = inner
        kind = leaf_name(name)
        marks = ((kind, file.sha256) in others) + 2 * _lies_in(store, kind, file.sha256)
        directories[path.rpartition("/")[0]].append([name, file.size, marks])
    return top
