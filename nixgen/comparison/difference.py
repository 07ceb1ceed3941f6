"""What differs between two locks: packages, versions, files, bytes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass

from packaging.version import InvalidVersion, Version

from nixgen.comparison.contents import Content
from nixgen.lock import Lock


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
class Changes:
    """What differs between the packages of two locks.

    Attributes:
        every: packages that are added, removed, or have other versions, sorted by name.
        rebuilt: packages of the same versions with other archives, sorted.
        fetch: bytes of the archives that the old lock does not have.
        unsized: how many of these archives it leaves out, for their size is not known.
    """

    every: tuple[Change, ...] = ()
    rebuilt: tuple[str, ...] = ()
    fetch: int = 0
    unsized: int = 0

    def __bool__(self) -> bool:
        """Tell whether anything differs."""
        return bool(self.every or self.rebuilt)

    @property
    def added(self) -> list[Change]:
        """The packages that only the new lock has."""
        return [change for change in self.every if not change.old]

    @property
    def removed(self) -> list[Change]:
        """The packages that only the old lock has."""
        return [change for change in self.every if not change.new]

    @property
    def changed(self) -> list[Change]:
        """The packages that both have, in other versions."""
        return [change for change in self.every if change.old and change.new]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What differs between two locks, over all their targets.

    Attributes:
        python: Python's packages.
        npm: npm's packages.
        targets_added, targets_removed: targets, as the lock names them.
    """

    python: Changes
    npm: Changes
    targets_added: tuple[str, ...]
    targets_removed: tuple[str, ...]


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


#: What tells the archives of each version of each package from others.
_Packages = dict[str, dict[str, set[Hashable]]]

#: The archives of a lock, with their bytes as far as they are known.
_Archives = Mapping[str | None, int | None]


def difference(old: Lock, new: Lock) -> Difference:
    """Return what differs between two locks."""
    # Imported here: most locks have nothing of npm.
    from nixgen.npm.versions import in_order

    return Difference(
        python=_changes(_wheels(old), _wheels(new), _sorted, _wheel_sizes(old), _wheel_sizes(new)),
        npm=_changes(_archives(old), _archives(new), in_order, _archive_sizes(old), _archive_sizes(new)),
        targets_added=_targets(new, old),
        targets_removed=_targets(old, new),
    )


def _changes(
    before: _Packages,
    after: _Packages,
    in_order: Callable[[Iterable[str]], tuple[str, ...]],
    held: _Archives,
    wanted: _Archives,
) -> Changes:
    changes, rebuilt = [], []
    for name in sorted(before.keys() | after.keys()):
        one, other = before.get(name, {}), after.get(name, {})
        if one.keys() != other.keys():
            changes.append(Change(name=name, old=in_order(one), new=in_order(other)))
        elif one != other:
            rebuilt.append(name)
    lacking = [size for archive, size in wanted.items() if archive not in held]
    return Changes(
        every=tuple(changes),
        rebuilt=tuple(rebuilt),
        fetch=sum(size or 0 for size in lacking),
        unsized=sum(size is None for size in lacking),
    )


def file_difference(before: Mapping[Content, int], after: Mapping[Content, int]) -> FileDifference:
    """Return what differs between some files and others; given are the bytes of each content."""
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


def _wheels(lock: Lock) -> _Packages:
    found: _Packages = {}
    for locked in lock.targets:
        for package in locked.packages:
            wheel = lock.wheels[package.wheel.filename]
            identity = (wheel.source.sha256, wheel.index, wheel.source.source)
            found.setdefault(package.name, {}).setdefault(package.version, set()).add(identity)
    return found


def _wheel_sizes(lock: Lock) -> _Archives:
    return {wheel.source.sha256: wheel.source.size or 0 for wheel in lock.wheels.values()}


def _archives(lock: Lock) -> _Packages:
    found: _Packages = {}
    for package in lock.npm.packages if lock.npm is not None else ():
        if package.archive is not None:
            found.setdefault(package.name, {}).setdefault(package.version, set()).add(package.archive.integrity)
    return found


def _archive_sizes(lock: Lock) -> _Archives:
    archives = (package.archive for package in lock.npm.packages) if lock.npm is not None else ()
    return {archive.integrity: archive.size for archive in archives if archive is not None}


def _sorted(versions: Iterable[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(versions, key=Version))
    except InvalidVersion:
        return tuple(sorted(versions))


def _targets(lock: Lock, without: Lock) -> tuple[str, ...]:
    held = {str(locked.target) for locked in without.targets}
    return tuple(str(locked.target) for locked in lock.targets if str(locked.target) not in held)
