"""What the archives of a fleet hold, each content by a number: many locks fit into little memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.comparison.contents import Content, distinct, distinct_files
from nixgen.errors import NetworkError, NixgenError, VerificationError
from nixgen.fleet.fleet import Fleet, FleetModule, FleetWheel
from nixgen.fleet.search import Problem
from nixgen.indexes import find_index, make_indexes
from nixgen.model import WheelIndex, WheelSource
from nixgen.observer import SILENT, Observer
from nixgen.wheels.text import index_hash

if TYPE_CHECKING:
    from nixgen.access import Access


@dataclass(frozen=True, kw_only=True)
class ArchiveContents:
    """What an archive holds.

    Attributes:
        numbers: those of its distinct contents.
        installed: bytes of its files, as a copy has them.
    """

    numbers: Sequence[int]
    installed: int


@dataclass(kw_only=True)
class Contents:
    """The contents of all archives.

    Attributes:
        sizes: of each content in bytes, by its number.
        archives: what is in each archive of the fleet that is known, by the archive's number.
        problems: the archives that cannot be read again.
    """

    sizes: array[int] = field(default_factory=lambda: array("Q"))
    archives: dict[int, ArchiveContents] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def add(self, files: Mapping[Content, int], installed: int) -> ArchiveContents:
        """Number what an archive holds, and return it.

        Args:
            files: its distinct contents, with their bytes.
            installed: bytes of its files, as a copy has them.
        """
        numbers = array("I")
        for (name, digest), size in files.items():
            number = self._numbers.setdefault(f"{digest}{name}".encode(), len(self.sizes))
            if number == len(self.sizes):
                self.sizes.append(size)
            numbers.append(number)
        return ArchiveContents(numbers=numbers, installed=installed)

    def add_wheel(self, index: WheelIndex) -> ArchiveContents:
        """Number what a wheel holds, and return it."""
        return self.add(distinct_files([index]), sum(file.size for file in index.files.values()))


def read_contents(fleet: Fleet, *, access: Callable[[], Access], observer: Observer = SILENT) -> Contents:
    """Return what the archives of a fleet hold, each read once.

    What this machine does not know is read again: indexes of wheels by ranges, archives of npm's packages whole. What
    cannot be is named among the problems. Of npm's packages for other systems than this nothing is read.

    Args:
        fleet: the locks.
        access: says how servers are reached, if any has to be asked.
        observer: is told what goes on.
    """
    contents = Contents()
    wheels = [number for number, held in enumerate(fleet.archives) if isinstance(held, FleetWheel)]
    _read_wheels(wheels, fleet, contents, access, observer)
    needed = {number for lock in fleet.locks for number, keys in lock.archives.items() if keys}
    by_base: dict[Path, list[int]] = {}
    for number, held in enumerate(fleet.archives):
        if isinstance(held, FleetModule) and number in needed:
            by_base.setdefault(held.base, []).append(number)
    for base, numbers in by_base.items():
        _read_modules(numbers, base, fleet, contents, access, observer)
    return contents


_REACH = "see that its server can be reached; `nixgen fetch` in its project says more"
_VERIFY = "run `nixgen lock --verify` in its project, which downloads the wheels and compares every file"


def _read_wheels(
    numbers: Sequence[int], fleet: Fleet, contents: Contents, access: Callable[[], Access], observer: Observer
) -> None:
    held = {number: archive for number in numbers if isinstance(archive := fleet.archives[number], FleetWheel)}
    lacking = []
    for number, one in held.items():
        index = find_index(one.wheel, one.base)
        if index is not None:
            contents.archives[number] = contents.add_wheel(index)
        elif one.wheel.build is None:
            lacking.append(number)

    def read(some: Sequence[int]) -> None:
        # Of the size the lock has only a server's word.
        sources = [replace(_absolute(held[number]), size=None) for number in some]
        with observer.counting("reading wheels") as progress:
            made, _ = make_indexes(sources, base=Path(), access=access(), progress=progress)
        for number, source, index in zip(some, sources, made, strict=True):
            if index_hash(index) == held[number].wheel.index:
                contents.archives[number] = contents.add_wheel(index)
            else:
                error = VerificationError("the lock does not have its index", todo=_VERIFY)
                contents.problems.append(_problem(source.filename, error))

    for number, error in _failing(lacking, read):
        contents.problems.append(_problem(held[number].wheel.source.filename, error))


def _read_modules(
    numbers: Sequence[int],
    base: Path,
    fleet: Fleet,
    contents: Contents,
    access: Callable[[], Access],
    observer: Observer,
) -> None:
    """Read the archives of npm's packages that the lock of one project names."""
    import os

    from nixgen.npm.contents import contents_of, npm_files
    from nixgen.npm.npmrc import Npmrc

    held = {number: archive for number in numbers if isinstance(archive := fleet.archives[number], FleetModule)}

    def read(some: Sequence[int]) -> None:
        found = contents_of(
            [held[number].package for number in some],
            base=base,
            store_dir=os.environ.get("NIX_STORE_DIR", "/nix/store"),
            access=lambda: Npmrc.read(base).access(access()),
            observer=observer,
        )
        for number in some:
            files = npm_files([held[number].package], found)
            contents.archives[number] = contents.add(distinct(files), sum(one.bytes for one in files))

    for number, error in _failing(numbers, read):
        contents.problems.append(_problem(f"{held[number].name} {held[number].version}", error))


def _failing(numbers: Sequence[int], read: Callable[[Sequence[int]], None]) -> Iterator[tuple[int, NixgenError]]:
    """Read what some archives hold, many at once, and yield those for which it fails, and how."""
    waiting = [numbers] if numbers else []
    while waiting:
        some = waiting.pop()
        try:
            read(some)
        except NixgenError as error:
            if len(some) == 1 or (isinstance(error, NetworkError) and error.status is None):
                yield from ((number, error) for number in some)
            else:  # those are to be found that it fails for
                waiting += [some[: len(some) // 2], some[len(some) // 2 :]]


def _absolute(held: FleetWheel) -> WheelSource:
    """Return where a wheel is, from wherever that is read."""
    source = held.wheel.source
    return source if source.path is None else replace(source, path=str((held.base / source.path).absolute()))


def _problem(name: str, error: NixgenError) -> Problem:
    return Problem(path=name, what=error.what, todo=error.todo or _REACH)
