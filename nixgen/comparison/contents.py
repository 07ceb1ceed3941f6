"""What is in a lock: its wheels, and their files by content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.indexes import find_index, indexes_of_lock
from nixgen.model import LockedWheel, WheelIndex
from nixgen.observer import SILENT, Observer

if TYPE_CHECKING:
    from nixgen.access import Access


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


def distinct_files(indexes: Iterable[WheelIndex]) -> Mapping[tuple[str, str], int]:
    """Return the sizes of the files of some wheels, each content with each kind of name once, as the store has it."""
    from nixgen.leaf import leaf_name

    return {
        (leaf_name(path.rpartition("/")[2]), file.sha256): file.size
        for index in indexes
        for path, file in index.files.items()
        if file.size
    }
