"""The wheels of some selections and their indexes, of which the existing lock may have most."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from nixgen.access import Access
from nixgen.errors import InputError
from nixgen.indexes import find_index, make_indexes, read_before
from nixgen.lock import Lock
from nixgen.model import Selection, Traffic, WheelIndex, WheelSource
from nixgen.observer import Observer
from nixgen.ties import find_tie


def wheels_of(selections: Iterable[Selection]) -> dict[str, WheelSource]:
    """Return every wheel that is somewhere once, by file name, and none that is built.

    Raises:
        InputError: one name stands for two different wheels.
    """
    found: dict[str, WheelSource] = {}
    for selection in selections:
        for package in selection.packages:
            wheel = package.wheel
            if wheel.source is not None:
                continue
            known = found.setdefault(wheel.filename, wheel)
            if known.sha256 != wheel.sha256:
                raise InputError(
                    f"two different wheels are called {wheel.filename}",
                    where=f"{known.url or known.path} and {wheel.url or wheel.path}",
                    todo="take both targets from one index",
                )
    return found


def indexes_of(
    sources: Mapping[str, WheelSource],
    previous: Lock | None,
    *,
    base: Path,
    verify: bool,
    access: Access,
    unseen: Collection[str] = (),
    observer: Observer,
) -> tuple[dict[str, WheelIndex], Traffic]:
    """Return the index of every wheel, and the traffic; of a wheel that the existing lock has, it may be at hand.

    Args:
        sources: the wheels, by file name.
        previous: the existing lock.
        base: the directory that relative paths of wheels refer to.
        verify: download every wheel and check every file.
        access: how servers are reached.
        unseen: URLs at which nobody has seen a wheel yet, unless the existing lock has them.
        observer: is told how far it is.

    Raises:
        NixgenError: as ``nixgen.wheels.index.index_wheels``.
    """
    known: dict[str, WheelIndex] = {}
    if previous is not None and not verify:
        for filename, source in sources.items():
            wheel = previous.wheels.get(filename)
            if wheel is None or (source.url in unseen and wheel.source.url != source.url):
                continue
            if source.sha256 is not None and wheel.source.sha256 == source.sha256:
                index = find_index(wheel, base)
                if index is not None:
                    # What a server said of the size may have been wrong; what was seen of the whole wheel is not.
                    tie = find_tie(source.sha256)
                    size = tie.size if tie is not None and tie.index == wheel.index else wheel.source.size
                    known[filename] = replace(index, source=replace(source, size=size))
    if not verify:
        for filename, source in sources.items():
            if filename not in known and (index := read_before(source)) is not None:
                known[filename] = index
    wanted = [source for name, source in sources.items() if name not in known]
    for source in wanted:
        if source.other is not None:
            observer.note(
                f"{source.filename}: the index has its {source.other[0].upper()} and no SHA-256: "
                "all of it is read and compared, and the lock has the SHA-256 of what was read"
            )
    if not wanted:
        return known, Traffic()
    with observer.counting("reading wheels") as progress:
        indexes, traffic = make_indexes(wanted, base=base, verify=verify, access=access, progress=progress)
    return known | {index.source.filename: index for index in indexes}, traffic
