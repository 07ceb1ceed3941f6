"""What the wheels of a fleet hold, each content by a number: many locks fit into little memory."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.comparison.contents import distinct_files
from nixgen.errors import NetworkError, NixgenError, VerificationError
from nixgen.fleet.fleet import Fleet, FleetWheel
from nixgen.fleet.search import Problem
from nixgen.indexes import find_index, make_indexes
from nixgen.model import WheelIndex, WheelSource
from nixgen.observer import SILENT, Observer
from nixgen.wheels.text import index_hash

if TYPE_CHECKING:
    from nixgen.access import Access


@dataclass(frozen=True, kw_only=True)
class WheelContents:
    """What a wheel holds.

    Attributes:
        numbers: those of its distinct contents.
        installed: bytes of its files, as a copy has them.
    """

    numbers: Sequence[int]
    installed: int


@dataclass(kw_only=True)
class Contents:
    """The contents of all wheels.

    Attributes:
        sizes: of each content in bytes, by its number.
        wheels: what is in each wheel of the fleet that is known, by the wheel's number.
        problems: the wheels that cannot be read again.
    """

    sizes: array[int] = field(default_factory=lambda: array("Q"))
    wheels: dict[int, WheelContents] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _numbers: dict[bytes, int] = field(default_factory=dict)

    def add(self, index: WheelIndex) -> WheelContents:
        """Number what a wheel holds, and return it."""
        numbers = array("I")
        for (name, sha256), size in distinct_files([index]).items():
            number = self._numbers.setdefault(f"{sha256}{name}".encode(), len(self.sizes))
            if number == len(self.sizes):
                self.sizes.append(size)
            numbers.append(number)
        return WheelContents(numbers=numbers, installed=sum(file.size for file in index.files.values()))


def read_contents(
    fleet: Fleet, *, access: Callable[[], Access | None] = lambda: None, observer: Observer = SILENT
) -> Contents:
    """Return what the wheels of a fleet hold, each index read once.

    Indexes that this machine lacks are made again of the wheels, by ranges. What cannot be is named among the problems.

    Args:
        fleet: the locks.
        access: says how servers are reached, if any has to be asked.
        observer: is told what goes on.
    """
    contents = Contents()
    lacking = []
    for number, held in enumerate(fleet.wheels):
        index = find_index(held.wheel, held.base)
        if index is not None:
            contents.wheels[number] = contents.add(index)
        elif held.wheel.build is None:
            lacking.append(number)
    waiting = [lacking] if lacking else []
    while waiting:
        some = waiting.pop()
        # Of the size the lock has only a server's word.
        sources = [replace(_absolute(fleet.wheels[number]), size=None) for number in some]
        try:
            with observer.counting("reading wheels") as progress:
                made, _ = make_indexes(sources, base=Path(), access=access(), progress=progress)
        except NixgenError as error:
            if len(some) == 1 or (isinstance(error, NetworkError) and error.status is None):
                _name(contents, sources, error)
            else:  # those are to be found that it fails for
                waiting += [some[: len(some) // 2], some[len(some) // 2 :]]
            continue
        for number, source, index in zip(some, sources, made, strict=True):
            if index_hash(index) == fleet.wheels[number].wheel.index:
                contents.wheels[number] = contents.add(index)
            else:
                _name(contents, [source], VerificationError("the lock does not have its index", todo=_VERIFY))
    return contents


_REACH = "see that its server can be reached; `nixgen fetch` in its project says more"
_VERIFY = "run `nixgen lock --verify` in its project, which downloads the wheels and compares every file"


def _absolute(held: FleetWheel) -> WheelSource:
    """Return where a wheel is, from wherever that is read."""
    source = held.wheel.source
    return source if source.path is None else replace(source, path=str((held.base / source.path).absolute()))


def _name(contents: Contents, sources: Iterable[WheelSource], error: NixgenError) -> None:
    contents.problems.extend(
        Problem(path=source.filename, what=error.what, todo=error.todo or _REACH) for source in sources
    )
