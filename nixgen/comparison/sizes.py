"""What environments cost, and what they share: with each other, and with what the store already has."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nixgen.comparison.contents import Content, PackageFiles, distinct

#: Whose packages an environment has.
Kind = Literal["python", "npm"]


@dataclass(frozen=True, kw_only=True)
class Environment:
    """An environment to measure.

    Attributes:
        name: what to call it.
        kind: whose packages it has; those of one kind are compared with each other.
        python: the Python that it is for; None for none.
        system: the system that it is for.
        packages: what it holds; some that are built may have no files.
        is_stored: tells whether the store has a content.
        built: its store path, None where it is not built, or that is not known.
        trees: the store paths of its packages, where it is built.
    """

    name: str
    kind: Kind
    python: str | None
    system: str
    packages: Sequence[PackageFiles]
    is_stored: Callable[[Content], bool]
    built: Path | None = None
    trees: Sequence[Path] = ()


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
        name, kind, python, system: as ``Environment`` has them.
        packages: the largest first.
        files, bytes: distinct contents, which the store keeps once each.
        listed: bytes of a copy, in which each file counts wherever it stands.
        stored_files, stored_bytes: contents that the store has already, whoever brought them.
        shared: bytes of contents that each other environment of its kind has too, by its name.
        environment: what is in the environment itself; None where it is not built.
        trees: what is in the store paths of its packages; None likewise.
        tree_count: how many of these there are.
    """

    name: str
    kind: Kind
    python: str | None
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


def measure(environments: Sequence[Environment]) -> list[EnvironmentSize]:
    """Return what environments cost, in their order; their names differ."""
    contents = {one.name: distinct(one.packages) for one in environments}
    owners: dict[Kind, Counter[Content]] = {one.kind: Counter() for one in environments}
    for one in environments:
        owners[one.kind].update(key for package in one.packages for key in package.contents)
    found = []
    for one in environments:
        files = contents[one.name]
        stored = [size for content, size in files.items() if one.is_stored(content)]
        sizes = [_package(package, owners[one.kind]) for package in one.packages]
        found.append(
            EnvironmentSize(
                name=one.name,
                kind=one.kind,
                python=one.python,
                system=one.system,
                packages=tuple(sorted(sizes, key=lambda package: (-package.bytes, package.name, package.version))),
                files=len(files),
                bytes=sum(files.values()),
                listed=sum(package.bytes * package.copies for package in one.packages),
                stored_files=len(stored),
                stored_bytes=sum(stored),
                shared={
                    other.name: sum(files[key] for key in files.keys() & contents[other.name].keys())
                    for other in environments
                    if other.kind == one.kind and other.name != one.name
                },
                environment=None if one.built is None else measured([one.built]),
                trees=None if one.built is None else measured(one.trees),
                tree_count=0 if one.built is None else len(one.trees),
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


def _package(package: PackageFiles, owners: Mapping[Content, int]) -> PackageSize:
    return PackageSize(
        name=package.name,
        version=package.version,
        files=len(package.files),
        bytes=package.bytes,
        own=sum(size for key, size in package.contents.items() if owners[key] == 1),
    )


def page_data(environments: Sequence[Environment], sizes: Sequence[EnvironmentSize]) -> dict[str, object]:
    """Return what the page with the treemap shows.

    A file is its name, size and marks (1 where another environment has it too, 2 where the store has it); a directory
    its name and a list of what is in it.
    """
    contents = [distinct(one.packages).keys() for one in environments]
    described = []
    for number, (one, size) in enumerate(zip(environments, sizes, strict=True)):
        others = set().union(
            *(keys for other, keys in enumerate(contents) if other != number and environments[other].kind == one.kind)
        )
        marks = {content: (content in others) + 2 * one.is_stored(content) for content in contents[number]}
        largest = sorted(one.packages, key=lambda package: (-package.bytes, package.name, package.version))
        described.append(
            {
                "name": size.name,
                "kind": size.kind,
                "python": size.python,
                "system": size.system,
                "files": size.files,
                "bytes": size.bytes,
                "stored": size.stored_bytes,
                "shared": sum(size.shared.values()) if len(size.shared) == 1 else None,
                "disk": None if size.environment is None else size.environment.disk,
                "packages": [
                    [f"{package.name} {package.version}", _nested(package, marks)]
                    for package in largest
                    if package.files
                ],
            }
        )
    return {"environments": described}


def _nested(package: PackageFiles, marks: Mapping[Content, int]) -> list[object]:
    top: list[object] = []
    directories: dict[str, list[object]] = {"": top}
    for path, (content, size) in package.files.items():
        above, _, name = path.rpartition("/")
        missing = []
        while above not in directories:
            missing.append(above)
            above = above.rpartition("/")[0]
        for directory in reversed(missing):
            inner: list[object] = []
            directories[directory.rpartition("/")[0]].append([directory.rpartition("/")[2], inner])
            directories[directory] = inner
        directories[path.rpartition("/")[0]].append([name, size, marks[content]])
    return top
