"""What packages hold: their files by content; and of a lock's wheels, as far as they are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.indexes import find_index, indexes_of_lock
from nixgen.model import LockedWheel, WheelIndex
from nixgen.observer import SILENT, Observer

if TYPE_CHECKING:
    from nixgen.access import Access

#: What the store keeps once: a hash, behind what else tells two files there apart; "" where nothing does.
Content = tuple[str, str]


@dataclass(frozen=True, kw_only=True)
class PackageFiles:
    """The files of a package.

    Attributes:
        name, version: of the package.
        files: content and bytes of each file that is not empty, by its path.
        copies: how often an environment without links has them.
    """

    name: str
    version: str
    files: Mapping[str, tuple[Content, int]]
    copies: int = 1

    @property
    def contents(self) -> dict[Content, int]:
        """The bytes of each content, once."""
        return dict(self.files.values())

    @property
    def bytes(self) -> int:
        """The bytes of all files."""
        return sum(size for _, size in self.files.values())


def distinct(packages: Iterable[PackageFiles]) -> dict[Content, int]:
    """Return the bytes of each content that some packages have, once."""
    return {content: size for package in packages for content, size in package.files.values()}


def wheel_files(name: str, version: str, index: WheelIndex | None) -> PackageFiles:
    """Return the files of a package by its wheel's index; none where there is no index."""
    return PackageFiles(name=name, version=version, files={} if index is None else _contents(index))


def indexes_that_are_known(
    wheels: Iterable[LockedWheel],
    *,
    base: Path,
    access: Callable[[], Access | None] = lambda: None,
    observer: Observer = SILENT,
) -> tuple[dict[str, WheelIndex], list[str]]:
    """Return the indexes of some wheels, by file name, and the names of what is built and is not known here.

    Args:
        wheels: what a lock says of them.
        base: the directory that relative paths refer to.
        access: says how servers are reached, if any has to be asked.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``nixgen.indexes.indexes_of_lock``.
    """
    asked = list(wheels)
    with observer.counting("reading wheels") as progress:
        fetched = (wheel for wheel in asked if wheel.build is None)
        found = {**indexes_of_lock(fetched, base=base, access=access, progress=progress)}
    unknown = []
    for wheel in asked:
        if wheel.build is not None:
            index = find_index(wheel, base)
            if index is None:
                unknown.append(wheel.name)
            else:
                found[wheel.source.filename] = index
    return found, sorted(unknown)


def distinct_files(indexes: Iterable[WheelIndex]) -> dict[Content, int]:
    """Return the sizes of the files of some wheels, each content with each kind of name once, as the store has it."""
    return {content: size for index in indexes for content, size in _contents(index).values()}


def _contents(index: WheelIndex) -> dict[str, tuple[Content, int]]:
    from nixgen.leaf import leaf_name

    return {
        path: ((leaf_name(path.rpartition("/")[2]), file.sha256), file.size)
        for path, file in index.files.items()
        if file.size
    }
