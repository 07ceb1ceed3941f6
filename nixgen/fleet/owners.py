"""Whose each content is: which locks have it, and of which version of which package it is, or of several."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from nixgen.comparison.sizes import Kind
from nixgen.fleet.contents import Contents
from nixgen.fleet.fleet import Fleet

#: Number of contents, and their bytes.
Sum = tuple[int, int]

#: Whose package it is, and its name.
Package = tuple[Kind, str]


@dataclass(frozen=True, kw_only=True)
class Owners:
    """Sums of contents, each counted once.

    Attributes:
        masks: of what just these locks have, by the locks as bits.
        versions: of what just this version has, by package and version.
        packages: of what several versions of this package have, and no other package.
        several: of what several packages have.
    """

    masks: Mapping[int, Sum]
    versions: Mapping[tuple[Package, str], Sum]
    packages: Mapping[Package, Sum]
    several: Sum


def by_owner(fleet: Fleet, contents: Contents, holders: Sequence[int]) -> Owners:
    """Return sums of contents by whose they are.

    Args:
        fleet: the locks.
        contents: what their archives hold.
        holders: the locks that have each archive, as bits.
    """
    masks, versions = _Joined(), _Joined()
    locks_of, version_of = masks.numbers(len(contents.sizes)), versions.numbers(len(contents.sizes))
    for number, known in contents.archives.items():
        archive = fleet.archives[number]
        held = masks.number(holders[number])
        owner = versions.number(((archive.kind, archive.name), archive.version))
        for content in known.numbers:
            locks_of[content] = masks.joined(locks_of[content], held)
            version_of[content] = versions.joined(version_of[content], owner)
    by_mask = _sums(masks, locks_of, contents.sizes)
    by_version: dict[tuple[Package, str], Sum] = {}
    by_package: dict[Package, Sum] = {}
    several = (0, 0)
    for whose, found in _sums(versions, version_of, contents.sizes).items():
        match whose:
            case ((("python" | "npm") as kind, str(name)), str(version)):
                by_version[(kind, name), version] = found
            case ((("python" | "npm") as kind, str(name)), None):
                by_package[kind, name] = found
            case _:
                several = found
    return Owners(
        masks={mask: found for mask, found in by_mask.items() if isinstance(mask, int)},
        versions=by_version,
        packages=by_package,
        several=several,
    )


class _Joined:
    """Numbers owners from 1, and remembers which two make which: 0 is nobody."""

    def __init__(self) -> None:
        self.owners: list[object] = [None]
        self._numbers: dict[object, int] = {}
        self._known: dict[tuple[int, int], int] = {}

    @staticmethod
    def numbers(count: int) -> array[int]:
        """Return nobody, so often."""
        return array("I", bytes(array("I").itemsize * count))

    def number(self, owner: object) -> int:
        """Return the number of an owner."""
        found = self._numbers.setdefault(owner, len(self.owners))
        if found == len(self.owners):
            self.owners.append(owner)
        return found

    def joined(self, one: int, other: int) -> int:
        """Return the number of whose both are: all these locks; several versions of a package, or several packages."""
        if one in (0, other):
            return other
        found = self._known.get((one, other))
        if found is None:
            found = self._known[one, other] = self.number(_together(self.owners[one], self.owners[other]))
        return found


def _together(one: object, other: object) -> object:
    if isinstance(one, int) and isinstance(other, int):
        return one | other
    if isinstance(one, tuple) and isinstance(other, tuple) and one[0] == other[0] and one[0] is not None:
        return (one[0], None)
    return (None, None)


def _sums(owners: _Joined, numbers: Iterable[int], sizes: Iterable[int]) -> dict[object, Sum]:
    files, bytes_ = [0] * len(owners.owners), [0] * len(owners.owners)
    for number, size in zip(numbers, sizes, strict=True):
        files[number] += 1
        bytes_[number] += size
    return {owner: (files[at], bytes_[at]) for at, owner in enumerate(owners.owners) if files[at]}
