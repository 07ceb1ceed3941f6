"""Many locks, read: each distinct archive once, and which lock has it for which targets, or at which places."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.comparison.sizes import Kind
from nixgen.errors import InputError
from nixgen.fleet.search import Problem, find_locks
from nixgen.lock import Lock
from nixgen.model import LockedWheel
from nixgen.names import LOCK_NAME
from nixgen.targets import Target, default_system

if TYPE_CHECKING:
    from nixgen.npm.model import NpmLock, NpmPackage

_DAMAGED = "restore it, or leave it out"


@dataclass(frozen=True, kw_only=True)
class FleetArchive:
    """An archive that one lock or several hold.

    Attributes:
        name, version: of its package.
        base: the directory of the first of the locks.
    """

    name: str
    version: str
    base: Path

    @property
    def kind(self) -> Kind:
        """Whose package it is."""
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Its bytes, as far as they are known."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class FleetWheel(FleetArchive):
    """A wheel, with what the first of the locks says of it."""

    wheel: LockedWheel

    @property
    def kind(self) -> Kind:
        """Python's."""
        return "python"

    @property
    def size(self) -> int:
        """Its bytes, 0 where it is built."""
        return self.wheel.source.size or 0


@dataclass(frozen=True, kw_only=True)
class FleetModule(FleetArchive):
    """The archive of a package of npm, with what the first of the locks says of its first place."""

    package: NpmPackage

    @property
    def kind(self) -> Kind:
        """npm's."""
        return "npm"

    @property
    def size(self) -> int:
        """Its bytes, 0 where nobody has looked at it."""
        archive = self.package.archive
        return (archive.size or 0) if archive is not None else 0


@dataclass(frozen=True, kw_only=True)
class FleetLock:
    """A lock of the fleet.

    Attributes:
        path: as the user would write it.
        targets: by their keys.
        archives: numbers of its archives. A wheel's leads to the keys of the targets that have it, none where only
            builds need it; that of a package of npm to its places, none where only other systems than this need it.
    """

    path: str
    targets: Mapping[str, Target]
    archives: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Many locks.

    Attributes:
        locks: those that could be read.
        archives: theirs, each once; a lock names them by their place here.
        problems: what could not be read.
    """

    locks: Sequence[FleetLock]
    archives: Sequence[FleetArchive]
    problems: Sequence[Problem]


def read_fleet(paths: Sequence[str], here: Path, store_dir: str = "/nix/store") -> Fleet:
    """Read all locks that some files and directory trees have.

    Args:
        paths: files and directories.
        here: what they start from.
        store_dir: the store's directory, which is not searched.

    Raises:
        InputError: there is no lock at all, and nothing that could not be read either.
    """
    reader = _Reader()
    for found in find_locks(paths, here, store_dir):
        if isinstance(found, Problem):
            reader.problems.append(found)
        else:
            reader.read(found, here / found)
    if not reader.locks and not reader.problems:
        raise InputError(
            f"there is no {LOCK_NAME}",
            where=", ".join(paths),
            todo="give locks, or directories with projects below them; `nixgen lock` makes a lock",
        )
    return Fleet(locks=reader.locks, archives=reader.archives, problems=reader.problems)


class _Reader:
    """Gathers locks, and keeps what is equal in several of them once."""

    def __init__(self) -> None:
        self.locks: list[FleetLock] = []
        self.archives: list[FleetArchive] = []
        self.problems: list[Problem] = []
        self._numbers: dict[tuple[object, ...], int] = {}
        self._targets: dict[Target, Target] = {}
        self._keys: dict[tuple[str, ...], tuple[str, ...]] = {}

    def read(self, text: str, path: Path) -> None:
        """Add a lock, or the problem that it has."""
        try:
            if path.exists() and not stat.S_ISREG(path.stat().st_mode):
                raise InputError("it is no file", todo="give the path of a lock, or leave it out")
            self._add(text, path.parent, Lock.from_file(path))
        except InputError as error:
            self.problems.append(Problem(path=text, what=error.what, todo=error.todo or ""))
        except (OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            # What Lock does not look at, such as a name that is a number, or lists in lists without end.
            self.problems.append(Problem(path=text, what=f"the lock is damaged: {error}", todo=_DAMAGED))

    def _add(self, text: str, base: Path, lock: Lock) -> None:
        held: dict[int, tuple[str, ...]] = {}
        for locked in lock.targets:
            for package in locked.packages:
                number = self._wheel(package.name, package.version, lock.wheels[package.wheel.filename], base)
                keys = (*held.get(number, ()), locked.target.key)
                held[number] = self._keys.setdefault(keys, keys)
        for package in lock.tools:
            held.setdefault(self._wheel(package.name, package.version, lock.wheels[package.wheel.filename], base), ())
        if lock.npm is not None:
            self._add_npm(lock.npm, base, held)
        targets = {one.target.key: self._targets.setdefault(one.target, one.target) for one in lock.targets}
        self.locks.append(FleetLock(path=text, targets=targets, archives=held))

    def _add_npm(self, lock: NpmLock, base: Path, held: dict[int, tuple[str, ...]]) -> None:
        from nixgen.npm.fitting import fitting

        here = {package.at for package in fitting(lock, default_system())}
        for package in lock.packages:
            if package.archive is None:
                continue
            identity = ("npm", package.name, package.version, package.archive.integrity)
            module = FleetModule(name=package.name, version=package.version, base=base, package=package)
            number = self._number(identity, module)
            places = (*held.get(number, ()), *([package.at] if package.at in here else []))
            held[number] = self._keys.setdefault(places, places)

    def _wheel(self, name: str, version: str, wheel: LockedWheel, base: Path) -> int:
        source = wheel.source
        identity = ("python", name, version, source.filename, source.sha256, wheel.index, source.source)
        return self._number(identity, FleetWheel(name=name, version=version, wheel=wheel, base=base))

    def _number(self, identity: tuple[object, ...], archive: FleetArchive) -> int:
        if not isinstance(archive.name, str) or not isinstance(archive.version, str):
            raise ValueError(f"{archive.name!r} {archive.version!r} is no package")
        number = self._numbers.setdefault(identity, len(self.archives))
        if number == len(self.archives):
            self.archives.append(archive)
        return number
