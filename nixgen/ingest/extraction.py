"""Take leaves out of wheels: fetch each wheel, verify it, inflate the files that the store lacks, and add them.

Everything overlaps: wheels arrive, big ones first, while those that are there are inflated by all processors and the
store takes their files from a pipe.
"""

from __future__ import annotations

import asyncio
import os
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.access import Access
from nixgen.errors import VerificationError
from nixgen.ingest import members
from nixgen.ingest.ranges import WholeWheelError, fetch_members
from nixgen.ingest.turns import Turns
from nixgen.leaf import leaf_name
from nixgen.model import WheelIndex, WheelSource
from nixgen.observer import Progress
from nixgen.store import Store
from nixgen.store.daemon import Daemon
from nixgen.temporary import temporary_directory
from nixgen.ties import Tie, find_tie, keep_tie
from nixgen.wheels.answers import shown
from nixgen.wheels.contents import build_index
from nixgen.wheels.index import read_file
from nixgen.wheels.text import index_hash
from nixgen.wheels.transport import Download, Transport
from nixgen.wheels.verify import check_files, check_wheel, hash_local

if TYPE_CHECKING:
    from nixgen.caches.reading import Caches

#: How many wheels are fetched or taken apart at once.
_AT_ONCE = 8

#: How many members are inflated at once: each is in memory, compressed and not, up to ``members.WHOLE``.
_INFLATERS = max(2, min(4, os.cpu_count() or 1))

#: A wheel with more than this to inflate is shared among threads, in compressed bytes.
_WORTH_SHARING = 4 << 20

#: How much larger than the lock says a wheel may be, in bytes, or twice as large.
_SLACK = 1 << 20

#: How long to leave a wheel that another process is taking apart, in seconds.
_PATIENCE = 0.05


@dataclass(frozen=True, kw_only=True)
class WheelWork:
    """One wheel that has to be opened.

    Attributes:
        index: what it should hold.
        missing: the store path of each file that the store lacks, by the file's path in the wheel.
        untied: whether the index may be another wheel's, so that every file has to be compared.
    """

    index: WheelIndex
    missing: Mapping[str, str]
    untied: bool = False


class Extraction:
    """One run over some wheels.

    Args:
        store: where leaves go.
        base: the directory that relative paths of wheels refer to.
        access: how servers are reached.
        caches: binary caches that are asked for whole wheels first, as a user names them.
        finished: called with the file name of each wheel that is done.
        progress: called as bytes arrive and wheels are done.
    """

    def __init__(
        self,
        *,
        store: Store,
        base: Path,
        access: Access | None,
        caches: Sequence[str] = (),
        finished: Callable[[str], None] = lambda _: None,
        progress: Callable[[Progress], None] | None,
    ) -> None:
        self._store = store
        self._base = base
        self._access = access
        self._caches = self._open(caches) if caches else None
        self._finished = finished
        self._progress = progress
        self._read = self._done = self._total = 0
        self._stopped = threading.Event()

    def _open(self, said: Sequence[str]) -> Caches:
        # Imported for the few who have caches.
        from nixgen.caches.reading import Caches

        return Caches(said, self._access or Access(), self._on_bytes)

    def run(self, work: Sequence[WheelWork]) -> int:
        """Add the missing leaves of some wheels to the store, and return the bytes read over the network.

        Raises:
            NetworkError, InputError: a wheel cannot be fetched or read.
            VerificationError: a wheel or a file is not what the lock says.
            NixError: the store refuses a file.
        """
        self._total = len(work)
        # The big ones first: the last one to finish should be small.
        ordered = sorted(work, key=lambda item: -(item.index.source.size or 0))
        with (
            temporary_directory() as directory,
            self._store.start_connecting() as daemon,
            ThreadPoolExecutor(_INFLATERS) as inflaters,
        ):
            asyncio.run(self._all(ordered, directory, daemon, inflaters))
        return self._read

    async def _all(
        self, work: Sequence[WheelWork], directory: Path, daemon: Daemon, inflaters: ThreadPoolExecutor
    ) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)
        with Turns() as turns:
            async with AsyncExitStack() as stack:
                transport = await stack.enter_async_context(Transport(access=self._access, on_bytes=self._on_bytes))
                if self._caches is not None:
                    await stack.enter_async_context(self._caches)

                async def one(number: int, item: WheelWork) -> None:
                    spool = directory / f"{number}.whl"
                    while True:
                        async with slots:
                            with turns.turn(item.index.source.filename) as mine:
                                if mine:
                                    await self._one(self._left(item), spool, transport, daemon, inflaters)
                                    break
                        await asyncio.sleep(_PATIENCE)
                    self._done += 1
                    self._finished(item.index.source.filename)
                    self._report()

                try:
                    async with asyncio.TaskGroup() as group:
                        for number, item in enumerate(work):
                            group.create_task(one(number, item))
                except BaseExceptionGroup as errors:
                    raise errors.exceptions[0] from None
                finally:
                    self._stopped.set()

    def _left(self, work: WheelWork) -> WheelWork:
        """Return the work without what another process has done since the store was asked."""
        if work.untied:
            tie = find_tie(work.index.source.sha256 or "")
            work = replace(work, untied=tie is None or tie.index != index_hash(work.index))
        if not any(map(os.path.lexists, work.missing.values())):
            return work
        missing = self._store.invalid(work.missing.values())
        return replace(work, missing={path: leaf for path, leaf in work.missing.items() if leaf in missing})

    async def _one(
        self, work: WheelWork, spool: Path, transport: Transport, daemon: Daemon, inflaters: ThreadPoolExecutor
    ) -> None:
        """Take one wheel's missing files out of what is fetched of it."""
        if work.untied:
            wheel = await self._fetch_whole(work.index.source, spool, transport)
            await asyncio.to_thread(_compare, wheel, work.index)
            await self._take_all(wheel, work, True, daemon, inflaters)
            tie = Tie(index=index_hash(work.index), size=wheel.stat().st_size)
            keep_tie(work.index.source.sha256 or "", tie)
            spool.unlink(missing_ok=True)
        elif work.missing:
            wheel, whole = await self._fetch(work, spool, transport)
            try:
                await self._take_all(wheel, work, whole, daemon, inflaters)
            except VerificationError:
                if whole:
                    raise
                # Pieces have no hash of their own: that of the wheel tells whose fault it is.
                wheel = await self._fetch_whole(work.index.source, spool, transport)
                await self._take_all(wheel, work, True, daemon, inflaters)
            spool.unlink(missing_ok=True)

    async def _fetch(self, work: WheelWork, spool: Path, transport: Transport) -> tuple[Path, bool]:
        """Fetch a wheel, or of a remote one the missing files alone; return where it is, and whether that is all of it.

        A whole wheel is verified.
        """
        source = work.index.source
        if source.url is not None:
            if (cached := await self._from_cache(source, spool)) is not None:
                return cached, True
            try:
                download = await fetch_members(work.index, work.missing, spool, transport)
            except WholeWheelError:
                pass
            else:
                if download is not None:
                    _check(source, download)
                return spool, download is not None
        return await self._fetch_whole(source, spool, transport), True

    async def _from_cache(self, source: WheelSource, spool: Path) -> Path | None:
        """Take a whole wheel from a cache, with the SHA-256 of the lock; None where no cache has it."""
        if self._caches is None or source.sha256 is None:
            return None
        download = await self._caches.fetch_wheel(source, self._store.directory, spool)
        return None if download is None else download.path

    async def _fetch_whole(self, source: WheelSource, spool: Path, transport: Transport) -> Path:
        missing = source.path is not None and not (self._base / source.path).exists()
        if (source.url or missing) and (cached := await self._from_cache(source, spool)) is not None:
            return cached
        if source.url is not None:
            # The size may be a server's word, the hash is not: it decides.
            most = None if source.size is None else max(2 * source.size, source.size + _SLACK)
            download = await transport.download(source.url, spool, most=most)
            _check(source, download)
            return download.path
        path, sha256, size = await asyncio.to_thread(hash_local, source, self._base, stopped=self._stopped.is_set)
        check_wheel(source, sha256=sha256, size=size, where=str(path))
        return path

    async def _take_all(
        self, wheel: Path, work: WheelWork, whole: bool, daemon: Daemon, inflaters: ThreadPoolExecutor
    ) -> None:
        loop = asyncio.get_running_loop()
        shares = await loop.run_in_executor(inflaters, _shares, wheel, work)
        await asyncio.gather(
            *(loop.run_in_executor(inflaters, self._take, wheel, work, share, whole, daemon) for share in shares)
        )
        await asyncio.to_thread(daemon.wait)  # whose turn is next looks into the store

    def _take(
        self, wheel: Path, work: WheelWork, share: Sequence[zipfile.ZipInfo], whole: bool, daemon: Daemon
    ) -> None:
        """Inflate some members, verified, and send them to the store."""
        with wheel.open("rb") as archive, _damage(work):
            for member in share:
                if self._stopped.is_set():
                    return
                leaf = work.missing.get(member.filename)
                if leaf is None:  # it is there already, if this wheel has it
                    for _ in members.pieces(archive, member, work.index):
                        pass
                    continue
                name = leaf_name(member.filename.rpartition("/")[2])
                if member.file_size <= members.WHOLE:
                    daemon.add(name, members.read(archive, member, work.index), leaf)
                    continue
                if not whole:  # a mistake in the middle of a file would end the connection
                    for _ in members.pieces(archive, member, work.index):
                        pass
                daemon.add(name, members.pieces(archive, member, work.index), leaf)

    def _on_bytes(self, count: int) -> None:
        self._read += count
        self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(Progress(total=self._total, done=self._done, read=self._read))


def _compare(wheel: Path, index: WheelIndex) -> None:
    """Compare the index of a whole wheel with the lock's.

    Raises:
        VerificationError: the lock has another's.
    """
    source = index.source
    contents = read_file(source.filename, wheel)
    computed = check_files(wheel, contents) if contents.unhashed or contents.mismatched else {}
    if index_hash(build_index(source, contents, computed)) != index_hash(index):
        raise VerificationError(
            f"the wheel {source.filename} has the hash of the lock, and the files that the lock names are not its own",
            where=shown(source.url) if source.url else source.path,
            todo="a server gave parts of another wheel when it was locked, or the lock was edited: do not trust that "
            "server, and run `nixgen lock --verify`, which downloads every wheel",
        )


def _check(source: WheelSource, download: Download) -> None:
    check_wheel(source, sha256=download.sha256, size=download.size, where=shown(source.url or ""))


def _shares(wheel: Path, work: WheelWork) -> list[list[zipfile.ZipInfo]]:
    """Return the members that have to be read, big ones first, in as many shares as are worth a thread."""
    paths = [path for path, file in work.index.files.items() if file.size] if work.untied else work.missing
    with _damage(work), zipfile.ZipFile(wheel) as archive:
        wanted = [archive.getinfo(path) for path in paths]
    wanted.sort(key=lambda member: (-member.compress_size, member.filename))
    count = _INFLATERS if sum(member.compress_size for member in wanted) > _WORTH_SHARING else 1
    return [share for first in range(count) if (share := wanted[first::count])]


@contextmanager
def _damage(work: WheelWork) -> Iterator[None]:
    """Turn what a damaged archive raises into an error that names the wheel."""
    try:
        yield
    except members.MEMBER_ERRORS as error:
        raise VerificationError(
            f"the wheel {work.index.source.filename} cannot be unpacked: {error}",
            todo="run `nixgen lock --verify` to see every problem of it",
        ) from error
