"""The index of every wheel of a lock: what each holds, read with as little traffic as possible."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nixgen.access import Access
from nixgen.errors import WheelError
from nixgen.model import Traffic, WheelIndex, WheelSource
from nixgen.observer import Progress
from nixgen.temporary import temporary_directory
from nixgen.wheels.answers import RangesRefusedError, shown
from nixgen.wheels.archive import DamagedError, SparseFile
from nixgen.wheels.contents import Contents, build_index, read_contents
from nixgen.wheels.retry import Retry
from nixgen.wheels.transport import Download, Transport
from nixgen.wheels.verify import check_files, check_other_hash, check_wheel, hash_local

#: The first request asks for this many bytes at a wheel's end: 1.5 % of it where its size is known, within
#: these bounds, else the lower bound. Measured on 30 wheels of 101 MB: 38 requests and 1.7 % of the bytes
#: with sizes, 48 and 1.4 % without; 64 KiB for each would be 41 requests and 2.2 %, 128 KiB 35 and 3.3 %.
TAIL_LEAST = 16 * 1024
TAIL_MOST = 256 * 1024
TAIL_SHARE = 0.015


def index_all(
    sources: Sequence[WheelSource],
    *,
    base: Path,
    verify: bool = False,
    access: Access | None = None,
    progress: Callable[[Progress], None] | None = None,
    concurrency: int = 16,
    retry: Retry | None = None,
) -> tuple[list[WheelIndex], Traffic]:
    """Do what ``index_wheels`` does, from code that is not asynchronous."""
    return asyncio.run(
        index_wheels(
            sources,
            base=base,
            verify=verify,
            access=access,
            progress=progress,
            concurrency=concurrency,
            retry=retry,
        )
    )


async def index_wheels(
    sources: Sequence[WheelSource],
    *,
    base: Path,
    verify: bool = False,
    access: Access | None = None,
    progress: Callable[[Progress], None] | None = None,
    concurrency: int = 16,
    retry: Retry | None = None,
) -> tuple[list[WheelIndex], Traffic]:
    """Index wheels, many at once; the result has the order of ``sources``.

    Args:
        sources: the wheels.
        base: the directory that relative paths of sources refer to.
        verify: download every wheel and check its own hash and that of every file in it.
        access: how servers are reached.
        progress: called when bytes arrive and when a wheel is finished, always from the calling thread.
        concurrency: how many wheels are read at once.
        retry: how often and how patiently to try requests.

    Returns:
        the indexes, and the bytes read over the network beside the size of all remote wheels.

    Raises:
        WheelError: a wheel breaks a rule.
        VerificationError: a wheel, or a file in one, does not have the hash it was promised to have.
        NetworkError: a server did not give a wheel.
        InputError: a wheel on disk cannot be read.
    """
    run = _Run(base=base, verify=verify, total=len(sources), progress=progress or (lambda event: None))
    stopped = threading.Event()
    with temporary_directory() as scratch:
        async with Transport(access=access, concurrency=concurrency, retry=retry, on_bytes=run.count) as transport:
            slots = asyncio.Semaphore(concurrency)
            run.report()

            async def one(number: int, source: WheelSource) -> WheelIndex:
                async with slots:
                    reader = _Reader(source, run, transport, scratch / f"{number}.whl", stopped.is_set)
                    try:
                        index = await reader.read()
                    finally:
                        reader.spool.unlink(missing_ok=True)
                run.finish(source.filename)
                return index

            tasks = [asyncio.create_task(one(number, source)) for number, source in enumerate(sources)]
            try:
                indexes = await asyncio.gather(*tasks)
            finally:
                # at the first failure the rest is given up; threads see the event between two pieces
                stopped.set()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
    remote = sum(index.source.size or 0 for index in indexes if index.source.url is not None)
    return list(indexes), Traffic(read=run.read, total=remote)


@dataclass(kw_only=True)
class _Run:
    """What the wheels of one run share."""

    base: Path
    verify: bool
    total: int
    progress: Callable[[Progress], None]
    done: int = 0
    read: int = 0

    def count(self, received: int) -> None:
        self.read += received
        self.report()

    def finish(self, filename: str) -> None:
        self.done += 1
        self.report(filename)

    def report(self, finished: str | None = None) -> None:
        self.progress(Progress(total=self.total, done=self.done, read=self.read, finished=finished))


@dataclass(frozen=True)
class _Reader:
    """Index one wheel, by the cheapest way that its source allows."""

    source: WheelSource
    run: _Run
    transport: Transport
    spool: Path
    stopped: Callable[[], bool]

    async def read(self) -> WheelIndex:
        if self.source.url is None:
            return await self._from_disk()
        if self.run.verify or self.source.sha256 is None:
            return await self._from_download(self.source.url)
        length = TAIL_LEAST if self.source.size is None else tail_length(self.source.size)
        try:
            return await self._from_ranges(self.source.url, length)
        except (RangesRefusedError, DamagedError):
            # damage may be the transport's: the whole wheel has a hash that tells whose it is
            return await self._from_download(self.source.url)

    async def _from_disk(self) -> WheelIndex:
        path, sha256, size = await asyncio.to_thread(hash_local, self.source, self.run.base, stopped=self.stopped)
        return await self._whole(Download(path=path, sha256=sha256, size=size), str(path))

    async def _from_download(self, url: str) -> WheelIndex:
        download = await self.transport.download(url, self.spool, size=self.source.size)
        return await self._whole(download, shown(url))

    async def _whole(self, wheel: Download, where: str) -> WheelIndex:
        check_wheel(self.source, sha256=wheel.sha256, size=wheel.size, where=where)
        if self.source.other is not None:
            await asyncio.to_thread(check_other_hash, self.source, wheel.path, where=where)
        source = replace(self.source, sha256=wheel.sha256, size=wheel.size, other=None)
        contents = await asyncio.to_thread(read_file, self.source.filename, wheel.path)
        # All of it is at hand: what an installer would refuse when it unpacks the wheel is refused now.
        computed = await asyncio.to_thread(check_files, wheel.path, contents, stopped=self.stopped)
        return replace(build_index(source, contents, computed), whole=True)

    async def _from_ranges(self, url: str, length: int) -> WheelIndex:
        got = await self.transport.tail(url, length, size=self.source.size, spool=self.spool)
        if isinstance(got, Download):
            return await self._whole(got, shown(url))
        file = SparseFile(got.total)
        file.feed(got.start, got.data)
        total, etag = got.total, got.etag
        steps = read_contents(self.source.filename, file)
        try:
            wanted = next(steps)
            while True:
                for gap in [gap for span in wanted for gap in file.missing(span)]:
                    got = await self.transport.range(url, gap, size=total, etag=etag, spool=self.spool)
                    if isinstance(got, Download):
                        return await self._whole(got, shown(url))
                    file.feed(got.start, got.data)
                wanted = next(steps)
        except StopIteration as stop:
            contents: Contents = stop.value
        finally:
            steps.close()
        if contents.unhashed or contents.mismatched:
            return await self._from_download(url)
        return build_index(replace(self.source, size=total), contents, {})


def tail_length(size: int) -> int:
    """Give how many bytes to ask for at the end of a wheel of ``size`` bytes."""
    return min(size, max(TAIL_LEAST, min(TAIL_MOST, int(size * TAIL_SHARE))))


def read_file(filename: str, path: Path) -> Contents:
    """Read a wheel on disk as ``read_contents`` does.

    Raises:
        WheelError: it breaks rules, or its bytes contradict each other.
    """
    with path.open("rb") as stream:
        file = SparseFile(path.stat().st_size)
        steps = read_contents(filename, file)
        try:
            while True:
                for span in next(steps):
                    for gap in file.missing(span):
                        stream.seek(gap.start)
                        file.feed(gap.start, stream.read(gap.stop - gap.start))
        except DamagedError as error:
            raise WheelError(filename, error.problems) from error
        except StopIteration as stop:
            contents: Contents = stop.value
            return contents
        finally:
            steps.close()
