"""Whole files on disk: one for all who ask for it at once, and the ones that are asked for often kept.

What lies here has the name of its SHA-256, and got it when that was compared. Whoever sends a file has a name of his
own for it, so that nobody takes it away meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from nixgen.skeletons.kept import comes_out
from nixgen.wheelhouse.supply import Supply
from nixgen.wheelhouse.wanted import Wanted
from nixgen.wheels.verify import hash_file

_log = logging.getLogger(__name__)

#: How many files are got at once: putting a wheel together keeps the processors busy.
_AT_ONCE = max(4, os.cpu_count() or 1)


@dataclass
class Opened:
    """A file that somebody has asked for.

    Attributes:
        file: where it is, or what there is of it so far.
        made: ends when all of it is there, with the hash that it should have.
        users: how many need it, its maker among them.
    """

    file: Path
    made: asyncio.Task[None]
    users: int = 0


class Files:
    """All of them.

    Args:
        supply: gets what is not here.
        kept: the directory of what is kept, which is this user's alone; made where it is missing.
        scratch: one on the same file system, for what is in use; likewise.
        budget: how many bytes are kept.
    """

    def __init__(self, supply: Supply, kept: Path, scratch: Path, budget: int) -> None:
        self._supply, self._kept, self._scratch, self._budget = supply, kept, scratch, budget
        self._opened: dict[str, Opened] = {}
        self._numbers = itertools.count()
        self._compared: set[str] = set()
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._learner = ThreadPoolExecutor(1, thread_name_prefix="skeletons")
        self._make_room()

    @contextlib.asynccontextmanager
    async def open(self, wanted: Wanted) -> AsyncIterator[Opened]:
        """Give a file, which is being got or is there, as long as the context lasts."""
        opened = self._opened.get(wanted.sha256)
        if opened is None:
            # Both may go at any time, as by `nixgen clean`.
            for directory in (self._kept, self._scratch):
                directory.mkdir(parents=True, exist_ok=True, mode=0o700)
            file = self._scratch / str(next(self._numbers))
            opened = Opened(file=file, made=asyncio.create_task(self._make(wanted, file)))
            self._opened[wanted.sha256] = opened
            opened.users += 1
            opened.made.add_done_callback(lambda _: self._leave(wanted.sha256, opened))
        opened.users += 1
        try:
            yield opened
        finally:
            self._leave(wanted.sha256, opened)

    def close(self) -> None:
        """Make no more skeletons."""
        self._learner.shutdown(cancel_futures=True)

    def _leave(self, sha256: str, opened: Opened) -> None:
        opened.users -= 1
        if opened.users == 0:
            self._opened.pop(sha256, None)
            opened.file.unlink(missing_ok=True)
            if not opened.made.cancelled():
                opened.made.exception()  # it was said by whoever waited, or nobody did

    async def _make(self, wanted: Wanted, file: Path) -> None:
        if await asyncio.to_thread(self._take, wanted.sha256, file):
            return
        async with self._slots:
            way = await self._supply.put(wanted, file)
        _log.info("%s comes from %s", wanted.filename, way)
        # Whoever asked gets it, whatever becomes of the rest.
        with contextlib.suppress(OSError):
            self._keep(wanted.sha256, file)
        if way != "leaves" and wanted.index is not None:
            own = self._scratch / str(next(self._numbers))
            with contextlib.suppress(OSError):
                os.link(file, own)
                self._learner.submit(self._learn, wanted, own)

    def _take(self, sha256: str, file: Path) -> bool:
        """Give a file that is kept another name; tell whether it was there. It is compared when it is taken first."""
        kept = self._kept / sha256
        with contextlib.suppress(OSError):
            os.link(kept, file)
            if sha256 in self._compared or hash_file(file)[0] == sha256:
                self._compared.add(sha256)
                with contextlib.suppress(OSError):
                    os.utime(kept)
                return True
            _log.warning("%s is not what it was, and is removed", kept)
            kept.unlink(missing_ok=True)
        file.unlink(missing_ok=True)
        return False

    def _keep(self, sha256: str, file: Path) -> None:
        if file.stat().st_size > self._budget:
            return
        with contextlib.suppress(FileExistsError):
            os.link(file, self._kept / sha256)
        self._compared.add(sha256)
        self._make_room()

    def _make_room(self) -> None:
        """Remove what was not asked for the longest, what can be put together again before what cannot."""
        if not self._kept.is_dir():
            return
        found = [(path, state) for path in self._kept.iterdir() if len(path.name) == 64 and (state := _state(path))]
        over = sum(state.st_size for _, state in found) - self._budget
        found.sort(key=lambda item: (not comes_out(item[0].name), item[1].st_mtime_ns))
        for path, state in found:
            if over <= 0:
                break
            path.unlink(missing_ok=True)
            over -= state.st_size

    def _learn(self, wanted: Wanted, own: Path) -> None:
        """Make the skeleton of a wheel that had to be got whole, and remove this name of it."""
        try:
            self._supply.learn(wanted, own)
        except OSError as error:
            _log.info("no skeleton of %s: %s", wanted.filename, error)
        finally:
            own.unlink(missing_ok=True)


def _state(path: Path) -> os.stat_result | None:
    with contextlib.suppress(OSError):
        return path.lstat()
    return None
