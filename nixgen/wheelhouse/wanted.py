"""Which files somebody may ask for: the wheels of locks, and what an index has."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from nixgen.errors import InputError
from nixgen.indexes import find_index
from nixgen.lock import Lock
from nixgen.model import LockedWheel, WheelIndex, WheelSource
from nixgen.names import LOCK_NAME


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A file that is known by its hash: a wheel, or with an index the archive of a source.

    Attributes:
        filename: what it is called.
        sha256: 64 hexadecimal digits.
        size: in bytes, as somebody said; None where nobody did.
        url: where it can be fetched.
        path: where it lies.
        index: SHA-256 of the wheel's index, where it is known.
        base: the project's directory, where indexes may be vendored.
    """

    filename: str
    sha256: str
    size: int | None = None
    url: str | None = None
    path: Path | None = None
    index: str | None = None
    base: Path | None = None

    @classmethod
    def of_wheel(cls, wheel: LockedWheel, base: Path) -> Wanted:
        """Return what a lock says of a wheel that is not built."""
        source = wheel.source
        assert source.sha256 is not None
        return cls(
            filename=source.filename,
            sha256=source.sha256,
            size=source.size,
            url=source.url,
            path=base / source.path if source.path else None,
            index=wheel.index,
            base=base,
        )

    def find_index(self, sha256: str | None = None) -> WheelIndex | None:
        """Return the wheel's index if this machine has it.

        Args:
            sha256: of the index, where it is known from elsewhere.
        """
        try:
            name = parse_wheel_filename(self.filename)[0]
        except InvalidWheelFilename:
            return None
        source = WheelSource(filename=self.filename, path="")
        wheel = LockedWheel(source=source, name=name, index=sha256 or self.index)
        return find_index(wheel, self.base or Path(os.devnull))


def wheels_of(lock: Path) -> tuple[list[Wanted], list[str]]:
    """Return the wheels of a lock, and the names of what is built of sources instead, both sorted.

    Args:
        lock: the lock, or a directory with one.

    Raises:
        InputError: it cannot be read.
    """
    file = lock / LOCK_NAME if lock.is_dir() else lock
    found, built = [], []
    for name, wheel in sorted(Lock.from_file(file).wheels.items()):
        if wheel.build is not None or wheel.source.sha256 is None:
            built.append(name)
            continue
        _check_name(name, file)
        found.append(Wanted.of_wheel(wheel, file.parent))
    return found, built


def only_one_each(wheels: Iterable[Wanted]) -> list[Wanted]:
    """Return each of some wheels once, sorted by file name.

    Raises:
        InputError: one name stands for two different wheels.
    """
    found: dict[str, Wanted] = {}
    for wheel in wheels:
        known = found.setdefault(wheel.filename, wheel)
        if known.sha256 != wheel.sha256:
            raise InputError(
                f"two different wheels are called {wheel.filename}",
                where=" and ".join(str((one.base or Path()) / LOCK_NAME) for one in (known, wheel)),
                todo="give each of the two locks a directory of its own",
            )
    return [found[name] for name in sorted(found)]


def _check_name(name: str, lock: Path) -> None:
    try:
        parse_wheel_filename(name)
        good = "/" not in name and "\0" not in name
    except InvalidWheelFilename:
        good = False
    if not good:
        raise InputError(f"{name!r} is no name of a wheel", where=str(lock), todo="run `nixgen lock`")
