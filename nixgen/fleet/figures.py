"""What a fleet of locks holds and shares: packages, versions, files, bytes, each content counted once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nixgen.comparison.sizes import Kind
from nixgen.fleet.contents import Contents
from nixgen.fleet.fleet import Fleet, FleetLock
from nixgen.fleet.owners import Owners, Package, by_owner
from nixgen.fleet.versions import in_order

#: How many sets of locks are told that share something.
_SHARING = 100


@dataclass(frozen=True, kw_only=True)
class LockFigures:
    """What a lock holds, over all its targets.

    Attributes:
        path: the lock's.
        packages, wheels, archives: how many it has; the archives are those of npm's packages.
        files, bytes: distinct contents.
        own_files, own_bytes: those of them that no other lock has.
        copied: bytes of copies, one of everything that it has for each target, or at each place.
        unknown: names of packages whose files are not known: those that are built and were not yet, or cannot be read.
    """

    path: str
    packages: int
    wheels: int
    archives: int
    files: int
    bytes: int
    own_files: int
    own_bytes: int
    copied: int
    unknown: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class VersionFigures:
    """What a version of a package is to the fleet.

    Attributes:
        version: which.
        locks: numbers of the locks that have it, by their place in ``Figures.locks``.
        wheels, archives, fetch: how many wheels of it there are, or archives of npm's, and their bytes.
        files, bytes: distinct contents.
        own_files, own_bytes: those of them that neither another version nor another package has.
    """

    version: str
    locks: tuple[int, ...]
    wheels: int
    archives: int
    fetch: int
    files: int
    bytes: int
    own_files: int
    own_bytes: int


@dataclass(frozen=True, kw_only=True)
class PackageFigures:
    """What a package is to the fleet.

    Attributes:
        name: which.
        kind: whose it is.
        locks: how many locks have it.
        files, bytes: distinct contents of all its versions.
        between_files, between_bytes: those of them that several versions have, and no other package.
        versions: the oldest first.
    """

    name: str
    kind: Kind
    locks: int
    files: int
    bytes: int
    between_files: int
    between_bytes: int
    versions: tuple[VersionFigures, ...]


@dataclass(frozen=True, kw_only=True)
class SharingFigures:
    """What some locks have, and no others.

    Attributes:
        locks: their numbers.
        files, bytes: distinct contents that just these locks have.
    """

    locks: tuple[int, ...]
    files: int
    bytes: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What a fleet holds.

    Attributes:
        locks: in the order in which they were found.
        packages: the largest first.
        sharing: of sets of several locks, the largest first; 100 at most.
        versions, wheels, archives, fetch: how many of all packages, and bytes of the wheels and archives.
        files, bytes: distinct contents: what the store has to keep.
        unique_files, unique_bytes: those of them that one lock alone has.
        shared_files, shared_bytes: those that several have.
        several_files, several_bytes: those that several packages have.
        copied: bytes of copies, of all locks together.
    """

    locks: tuple[LockFigures, ...]
    packages: tuple[PackageFigures, ...]
    sharing: tuple[SharingFigures, ...]
    versions: int
    wheels: int
    archives: int
    fetch: int
    files: int
    bytes: int
    unique_files: int
    unique_bytes: int
    shared_files: int
    shared_bytes: int
    several_files: int
    several_bytes: int
    copied: int


def figures_of(fleet: Fleet, contents: Contents) -> Figures:
    """Return what a fleet holds.

    Args:
        fleet: the locks.
        contents: what their archives hold.
    """
    holders = _holders(fleet)
    owners = by_owner(fleet, contents, holders)
    locks = _locks(fleet, contents, owners)
    packages = tuple(
        sorted(_packages(fleet, contents, owners, holders), key=lambda one: (-one.bytes, one.name, one.kind))
    )
    unique = [sum(lock.own_files for lock in locks), sum(lock.own_bytes for lock in locks)]
    files, size = len(contents.sizes), sum(contents.sizes)
    return Figures(
        locks=locks,
        packages=packages,
        sharing=_sharing(owners),
        versions=sum(len(package.versions) for package in packages),
        wheels=_count(fleet, range(len(fleet.archives)), "python"),
        archives=_count(fleet, range(len(fleet.archives)), "npm"),
        fetch=sum(archive.size for archive in fleet.archives),
        files=files,
        bytes=size,
        unique_files=unique[0],
        unique_bytes=unique[1],
        shared_files=files - unique[0],
        shared_bytes=size - unique[1],
        several_files=owners.several[0],
        several_bytes=owners.several[1],
        copied=sum(lock.copied for lock in locks),
    )


def bits(mask: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set, the lowest first."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _holders(fleet: Fleet) -> list[int]:
    """Return the locks that have each archive, as bits."""
    found = [0] * len(fleet.archives)
    for number, lock in enumerate(fleet.locks):
        for archive in lock.archives:
            found[archive] |= 1 << number
    return found


def _count(fleet: Fleet, numbers: Iterable[int], kind: Kind) -> int:
    return sum(fleet.archives[number].kind == kind for number in numbers)


def _locks(fleet: Fleet, contents: Contents, owners: Owners) -> tuple[LockFigures, ...]:
    sums = [[0, 0, 0, 0] for _ in fleet.locks]
    for mask, (files, size) in owners.masks.items():
        alone = mask.bit_count() == 1
        for number in bits(mask):
            found = sums[number]
            found[0] += files
            found[1] += size
            if alone:
                found[2] += files
                found[3] += size
    return tuple(_lock(lock, fleet, contents, found) for lock, found in zip(fleet.locks, sums, strict=True))


def _lock(lock: FleetLock, fleet: Fleet, contents: Contents, sums: Sequence[int]) -> LockFigures:
    known, held = contents.archives, {number: fleet.archives[number] for number in lock.archives}
    # Of npm's packages for other systems nothing is read.
    unread = (number for number, keys in lock.archives.items() if keys or held[number].kind == "python")
    return LockFigures(
        path=lock.path,
        packages=len({(archive.kind, archive.name) for archive in held.values()}),
        wheels=_count(fleet, held, "python"),
        archives=_count(fleet, held, "npm"),
        files=sums[0],
        bytes=sums[1],
        own_files=sums[2],
        own_bytes=sums[3],
        copied=sum(known[number].installed * len(keys) for number, keys in lock.archives.items() if number in known),
        unknown=tuple(sorted({held[number].name for number in unread if number not in known})),
    )


def _packages(fleet: Fleet, contents: Contents, owners: Owners, holders: Sequence[int]) -> Iterator[PackageFigures]:
    grouped: dict[Package, dict[str, list[int]]] = {}
    for number, archive in enumerate(fleet.archives):
        grouped.setdefault((archive.kind, archive.name), {}).setdefault(archive.version, []).append(number)
    for package, versions in grouped.items():
        figures, every, mask = [], set(), 0
        for version in in_order(versions, package[0]):
            numbers = versions[version]
            held = 0
            for number in numbers:
                held |= holders[number]
            mask |= held
            files = {
                one for number in numbers if number in contents.archives for one in contents.archives[number].numbers
            }
            every |= files
            own = owners.versions.get((package, version), (0, 0))
            figures.append(
                VersionFigures(
                    version=version,
                    locks=tuple(bits(held)),
                    wheels=_count(fleet, numbers, "python"),
                    archives=_count(fleet, numbers, "npm"),
                    fetch=sum(fleet.archives[number].size for number in numbers),
                    files=len(files),
                    bytes=sum(contents.sizes[one] for one in files),
                    own_files=own[0],
                    own_bytes=own[1],
                )
            )
        between = owners.packages.get(package, (0, 0))
        yield PackageFigures(
            name=package[1],
            kind=package[0],
            locks=mask.bit_count(),
            files=len(every),
            bytes=sum(contents.sizes[one] for one in every),
            between_files=between[0],
            between_bytes=between[1],
            versions=tuple(figures),
        )


def _sharing(owners: Owners) -> tuple[SharingFigures, ...]:
    several = [(mask, files, size) for mask, (files, size) in owners.masks.items() if mask.bit_count() > 1]
    largest = sorted(several, key=lambda one: (-one[2], one[0]))[:_SHARING]
    return tuple(SharingFigures(locks=tuple(bits(mask)), files=files, bytes=size) for mask, files, size in largest)
