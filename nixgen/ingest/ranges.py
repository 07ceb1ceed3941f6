"""Fetching only the members that the store lacks, where that costs less than the wheel.

The lock has a hash for every member, so members need no wheel around them to be verified.
"""

from __future__ import annotations

import asyncio
import os
import zipfile
from collections.abc import Collection
from pathlib import Path

from nixgen.model import WheelIndex
from nixgen.wheels.answers import RangesRefusedError
from nixgen.wheels.archive import DamagedError, Range, SparseFile, member_ranges, merge, open_archive
from nixgen.wheels.index import tail_length
from nixgen.wheels.transport import Download, Transport

#: A smaller wheel than this costs no more than its directory, in bytes.
_SMALL_WHEEL = 256 * 1024

#: A larger share of a wheel's files than this is not worth asking for its directory.
_MOST_FILES = 0.9

#: A larger share of a wheel's bytes than this, with what requests cost, is not worth them.
_MOST_BYTES = 0.95

#: What may stand between two members that are fetched in one request, in bytes: about 5 ms of a line of 100 Mbit/s.
_GAP = 64 * 1024

#: What a request costs beside its bytes, in bytes.
_REQUEST = 64 * 1024

#: The most bytes of one request: it is in memory until it is written.
_PIECE = 8 << 20


class WholeWheelError(Exception):
    """The whole wheel is cheaper, or the server or the archive leaves nothing else."""


async def fetch_members(
    index: WheelIndex, wanted: Collection[str], path: Path, transport: Transport
) -> Download | None:
    """Fetch some members of a remote wheel, with the archive's directory, each to its own place in a sparse file.

    Args:
        index: what the lock says of the wheel, whose size it knows.
        wanted: the members' paths.
        path: the file to write.
        transport: how to fetch.

    Returns:
        None for success, where ``path`` can be read as an archive as far as the members go; the whole wheel, where the
        server knows no ranges and sent it.

    Raises:
        WholeWheelError: fetch the whole wheel.
        NetworkError, VerificationError: as ``Transport``.
    """
    size, contents = index.source.size, {file.sha256 for file in index.files.values() if file.size != 0}
    if size is None or size < _SMALL_WHEEL or len(wanted) > _MOST_FILES * len(contents):
        raise WholeWheelError
    try:
        return await _fetch(index.source.url or "", size, wanted, path, transport)
    except (RangesRefusedError, DamagedError) as error:
        raise WholeWheelError from error


async def _fetch(url: str, size: int, wanted: Collection[str], path: Path, transport: Transport) -> Download | None:
    have = SparseFile(size)
    got = await transport.tail(url, tail_length(size), size=size, spool=path)
    if isinstance(got, Download):
        return got
    etag = got.etag
    have.feed(got.start, got.data)
    steps = open_archive(have)
    try:
        while True:
            for gap in [gap for span in next(steps) for gap in have.missing(span)]:
                got = await transport.range(url, gap, size=size, etag=etag, spool=path)
                if isinstance(got, Download):
                    return got
                have.feed(got.start, got.data)
    except StopIteration as stop:
        archive: zipfile.ZipFile = stop.value
    spans = _spans(archive, wanted, have)
    if sum(span.stop - span.start for span in spans) + _REQUEST * len(spans) > _MOST_BYTES * size:
        raise WholeWheelError
    directory = Range(archive.start_dir, size)
    with path.open("wb") as file:
        descriptor = file.fileno()
        have.seek(directory.start)
        os.pwrite(descriptor, have.read(directory.stop - directory.start), directory.start)

        async def one(span: Range) -> None:
            piece = await transport.range(url, span, size=size, etag=etag, spool=path.with_suffix(".whole"))
            if isinstance(piece, Download):
                raise RangesRefusedError("the server stopped giving ranges")
            os.pwrite(descriptor, piece.data, piece.start)

        try:
            async with asyncio.TaskGroup() as group:
                for span in spans:
                    group.create_task(one(span))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None
    return None


def _spans(archive: zipfile.ZipFile, wanted: Collection[str], have: SparseFile) -> list[Range]:
    """Return what to ask for: members that lie near each other together, none longer than a piece."""
    try:
        infos = [archive.getinfo(path) for path in wanted]
    except KeyError as error:
        raise RangesRefusedError(f"the archive has no {error}") from error
    # whole members, also where the end of the file is at hand: they are written from one request
    spans = merge(member_ranges(archive, infos, SparseFile(have.size)), gap=_GAP)
    return [
        Range(start, min(start + _PIECE, span.stop)) for span in spans for start in range(span.start, span.stop, _PIECE)
    ]
