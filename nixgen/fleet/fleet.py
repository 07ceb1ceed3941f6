"""Many locks, read: each distinct wheel once, and which lock has it for which targets."""

from __future__ import annotations

import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.errors import InputError
from nixgen.fleet.search import Problem, find_locks
from nixgen.lock import Lock
from nixgen.model import LockedWheel
from nixgen.names import LOCK_NAME
from nixgen.targets import Target

_DAMAGED = "restore it, or leave it out"


@dataclass(frozen=True, kw_only=True)
class FleetWheel:
    """A wheel that one lock or several hold.

    Attributes:
        name, version: of its package.
        wheel: what the first of the locks says of it.
        base: the directory of that lock.
    """

    name: str
    version: str
    wheel: LockedWheel
    base: Path


@dataclass(frozen=True, kw_only=True)
class FleetLock:
    """A lock of the fleet.

    Attributes:
        path: as the user would write it.
        targets: by their keys.
        wheels: numbers of its wheels to the keys of the targets that have them, none where only builds need one.
    """

    path: str
    targets: Mapping[str, Target]
    wheels: Mapping[int, tuple[str, ...]]


@dataclass(frozen=True, kw_only=True)
class Fleet:
    """Many locks.

    Attributes:
        locks: those that could be read.
        wheels: their wheels, each once; a lock names them by their place here.
        problems: what could not be read.
    """

    locks: Sequence[FleetLock]
    wheels: Sequence[FleetWheel]
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
    return Fleet(locks=reader.locks, wheels=reader.wheels, problems=reader.problems)


class _Reader:
    """Gathers locks, and keeps what is equal in several of them once."""

    def __init__(self) -> None:
        self.locks: list[FleetLock] = []
        self.wheels: list[FleetWheel] = []
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
                number = self._number(package.name, package.version, lock.wheels[package.wheel.filename], base)
                keys = (*held.get(number, ()), locked.target.key)
                held[number] = self._keys.setdefault(keys, keys)
        for package in lock.tools:
            held.setdefault(self._number(package.name, package.version, lock.wheels[package.wheel.filename], base), ())
        targets = {one.target.key: self._targets.setdefault(one.target, one.target) for one in lock.targets}
        self.locks.append(FleetLock(path=text, targets=targets, wheels=held))

    def _number(self, name: str, version: str, wheel: LockedWheel, base: Path) -> int:
        if not isinstance(name, str) or not isinstance(version, str):
            raise ValueError(f"{name!r} {version!r} is no package")
        source = wheel.source
        identity = (name, version, source.filename, source.sha256, wheel.index, source.source)
        number = self._numbers.setdefault(identity, len(self.wheels))
        if number == len(self.wheels):
            self.wheels.append(FleetWheel(name=name, version=version, wheel=wheel, base=base))
        return number
