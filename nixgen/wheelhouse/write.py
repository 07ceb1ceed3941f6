"""A directory of wheels that installers take with ``--find-links``."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.mistakes import about
from nixgen.observer import SILENT, Observer, Progress
from nixgen.temporary import temporary_directory
from nixgen.wheelhouse.supply import Supply
from nixgen.wheelhouse.wanted import Wanted, only_one_each
from nixgen.wheels.verify import hash_file

if TYPE_CHECKING:
    from nixgen.access import Access

#: How many wheels are got at once.
_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class Written:
    """What became of a wheelhouse.

    Attributes:
        there: how many wheels were there already.
        ways: how many were got in each way, as ``nixgen.wheelhouse.supply.Way`` names them.
        size: bytes of those that were written.
        read: bytes read over the network.
        whole: file names of those that do not come out of their leaves, as far as that was tried now.
    """

    there: int = 0
    ways: Counter[str] = field(default_factory=Counter)
    size: int = 0
    read: int = 0
    whole: tuple[str, ...] = ()


def write_wheelhouse(
    wheels: Sequence[Wanted],
    directory: Path,
    *,
    access: Callable[[], Access | None] = lambda: None,
    caches: Sequence[str] = (),
    observer: Observer = SILENT,
) -> Written:
    """Write some wheels into a directory, each by a rename once its SHA-256 was compared.

    Wheels that are there are compared, and written anew where they differ; other files stay. Of each that was there or
    had to be got whole, the skeleton is made if the store has its leaves.

    Args:
        wheels: which.
        directory: where to; made where it is missing.
        access: says how servers are reached, if one has to be.
        caches: binary caches that are asked before the index, as a user names them.
        observer: is told how far it is.

    Raises:
        InputError: two different wheels have one name, or nobody has one.
        NetworkError, VerificationError: a wheel cannot be fetched, or is another.
    """
    wheels = only_one_each(wheels)
    with about(directory):
        directory.mkdir(parents=True, exist_ok=True)
    with observer.counting("writing wheels") as progress, temporary_directory(directory) as scratch:
        return asyncio.run(_write(wheels, directory, scratch, access, caches, progress or (lambda event: None)))


async def _write(
    wheels: Sequence[Wanted],
    directory: Path,
    scratch: Path,
    access: Callable[[], Access | None],
    caches: Sequence[str],
    progress: Callable[[Progress], None],
) -> Written:
    read = done = there = size = 0
    ways: Counter[str] = Counter()
    whole: list[str] = []

    def count(received: int = 0) -> None:
        nonlocal read
        read += received
        progress(Progress(total=len(wheels), done=done, read=read))

    async with Supply(access=access, caches=caches, on_bytes=count) as supply:
        slots = asyncio.Semaphore(_AT_ONCE)

        async def one(number: int, wheel: Wanted) -> None:
            nonlocal done, there, size
            async with slots:
                target, file = directory / wheel.filename, scratch / str(number)
                if await asyncio.to_thread(_is_there, target, wheel):
                    there += 1
                    way, file = "there", target
                else:
                    way = await supply.put(wheel, file)
                    ways[way] += 1
                    size += file.stat().st_size
                if way != "leaves" and not await asyncio.to_thread(supply.learn, wheel, file):
                    whole.append(wheel.filename)
                if file != target:
                    file.replace(target)
            done += 1
            count()

        try:
            async with asyncio.TaskGroup() as group:
                for number, wheel in enumerate(wheels):
                    group.create_task(one(number, wheel))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
    return Written(there=there, ways=ways, size=size, read=read, whole=tuple(sorted(whole)))


def _is_there(file: Path, wheel: Wanted) -> bool:
    with contextlib.suppress(OSError):
        return not file.is_symlink() and hash_file(file)[0] == wheel.sha256
    return False
