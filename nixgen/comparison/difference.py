"""What differs between two locks: packages, versions, files, bytes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from nixgen.comparison.contents import distinct_files
from nixgen.lock import Lock
from nixgen.model import WheelIndex


@dataclass(frozen=True, kw_only=True)
class Change:
    """A package of one lock or of both, which is not the same in both.

    Attributes:
        name: the package.
        old, new: its versions, sorted; empty where the lock does not have it.
    """

    name: str
    old: tuple[str, ...]
    new: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class FileDifference:
    """What differs in files, each content counted once.

    Attributes:
        added, removed, same: how many files only the new lock has, only the old one, and both.
        new_bytes: bytes of all files of the new lock.
        added_bytes, shared_bytes: of those, what the old one lacks, and what it has.
    """

    added: int
    removed: int
    same: int
    new_bytes: int
    added_bytes: int
    shared_bytes: int


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs between two locks, over all their targets.

    Attributes:
        changes: packages that are added, removed, or have other versions, sorted by name.
        rebuilt: packages of the same versions with other wheels, sorted.
        targets_added, targets_removed: targets, as the lock names them.
        fetch: bytes of the wheels that the old lock does not have.
        npm: packages of npm that are added, removed, or have other versions, sorted by name.
    """

    changes: tuple[Change, ...]
    rebuilt: tuple[str, ...]
    targets_added: tuple[str, ...]
    targets_removed: tuple[str, ...]
    fetch: int
    npm: tuple[Change, ...] = ()

    @property
    def added(self) -> list[Change]:
        """The packages that only the new lock has."""
        return [change for change in self.changes if not change.old]

    @property
    def removed(self) -> list[Change]:
        """The packages that only the old lock has."""
        return [change for change in self.changes if not change.new]

    @property
    def changed(self) -> list[Change]:
        """The packages that both have, in other versions."""
        return [change for change in self.changes if change.old and change.new]


def difference(old: Lock, new: Lock) -> Difference:
    """Return what differs between two locks."""
    before, after = _packages(old), _packages(new)
    changes, rebuilt = [], []
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name, {}), after.get(name, {})
        versions = tuple(_sorted(side) for side in (one, other))
        if versions[0] != versions[1]:
            changes.append(Change(name=name, old=versions[0], new=versions[1]))
        elif one != other:
            rebuilt.append(name)
    held = {wheel.source.sha256 for wheel in old.wheels.values()}
    lacking = [wheel.source for wheel in new.wheels.values() if wheel.source.sha256 not in held]
    return Difference(
        changes=tuple(changes),
        rebuilt=tuple(rebuilt),
        targets_added=_targets(new, old),
        targets_removed=_targets(old, new),
        fetch=sum(source.size or 0 for source in lacking),
        npm=_npm_changes(old, new),
    )


def _npm_changes(old: Lock, new: Lock) -> tuple[Change, ...]:
    """Return the packages of npm that are not the same in two locks: by name, with all the versions of each."""
    sides: list[dict[str, set[str]]] = [{}, {}]
    for lock, found in zip((old, new), sides, strict=True):
        for package in lock.npm.packages if lock.npm is not None else ():
            if package.archive is not None:
                found.setdefault(package.name, set()).add(package.version)
    before, after = sides
    names = sorted(before.keys() | after.keys())
    changes = (
        Change(name=name, old=tuple(sorted(before.get(name, ()))), new=tuple(sorted(after.get(name, ()))))
        for name in names
    )
    return tuple(change for change in changes if change.old != change.new)


def file_difference(old: Iterable[WheelIndex], new: Iterable[WheelIndex]) -> FileDifference:
    """Return what differs between the files of some wheels and of others."""
    before, after = distinct_files(old), distinct_files(new)
    shared = before.keys() & after.keys()
    every, common = sum(after.values()), sum(after[key] for key in shared)
    return FileDifference(
        added=len(after) - len(shared),
        removed=len(before) - len(shared),
        same=len(shared),
        new_bytes=every,
        added_bytes=every - common,
        shared_bytes=common,
    )


def is_upgrade(change: Change) -> bool:
    """Tell whether every version is a later one than all before; False where they cannot be compared."""
    try:
        return max(map(Version, change.old)) < min(map(Version, change.new))
    except (InvalidVersion, ValueError):
        return False


def _packages(lock: Lock) -> Mapping[str, Mapping[str, frozenset[object]]]:
    """Return what identifies the wheels of each package of a lock, by name and version."""
    found: dict[str, dict[str, set[object]]] = {}
    for locked in lock.targets:
        for package in locked.packages:
            wheel = lock.wheels[package.wheel.filename]
            identity = (wheel.source.sha256, wheel.index, wheel.source.source)
            found.setdefault(package.name, {}).setdefault(package.version, set()).add(identity)
    return {
        name: {version: frozenset(wheels) for version, wheels in versions.items()} for name, versions in found.items()
    }


def _sorted(versions: Iterable[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(versions, key=Version))
    except InvalidVersion:
        return tuple(sorted(versions))


def _targets(lock: Lock, without: Lock) -> tuple[str, ...]:
    held = {str(locked.target) for locked in without.targets}
    return tuple(str(locked.target) for locked in lock.targets if str(locked.target) not in held)
