"""A wheel put together again, of its skeleton and its leaves."""

from __future__ import annotations

import zlib
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path

from nixgen.skeletons.deflate import CHUNK, compress, pieces_of
from nixgen.skeletons.placing import Placed, fill_entries, fill_local
from nixgen.skeletons.skeleton import LOCAL_HEADER, WHOLE, Deflate, Member, Skeleton, header_name

#: How many members are compressed ahead of the one that is written: each is in memory, up to ``WHOLE``.
_AHEAD = 6


class OtherLeafError(ValueError):
    """A skeleton names a file that the wheel's index does not have."""


def rebuild(skeleton: Skeleton, leaf: Callable[[str], Path], pool: Executor) -> Iterator[bytes]:
    """Yield a wheel piece by piece. Whoever takes them compares the hash of all before anybody believes any.

    Args:
        skeleton: the wheel's.
        leaf: gives the file with the content of a member, by the member's name.
        pool: compresses small members, several at once; zlib lets other threads run.

    Raises:
        ValueError: the skeleton makes no sense.
        OSError: a leaf is not there.
    """
    placed: list[Placed] = []
    position = 0
    for member, frame, size, work in _ahead(skeleton, leaf, pool):
        if member is None:
            tail = bytearray(frame)
            fill_entries(tail, skeleton.directory, placed)
            yield bytes(tail)
            return
        header = bytearray(frame)
        name = _raw_name(frame, member.before)
        offset = position + member.before
        if isinstance(work, Future):
            crc, packed = work.result()
            one = Placed(name=name, offset=offset, crc=crc, packed=len(packed), size=size)
            if member.local:
                fill_local(header, member.before, one)
            yield bytes(header)
            yield packed
        else:
            yield bytes(header)
            crc, count = 0, 0
            for piece in _streamed(work, member.deflate, summed := _Sum()):
                count += len(piece)
                yield piece
            one = Placed(name=name, offset=offset, crc=summed.crc, packed=count, size=size)
        position += len(frame) + one.packed
        if member.entry:
            placed.append(one)


_Step = tuple[Member | None, bytes, int, "Future[tuple[int, bytes]] | Path"]


def _ahead(skeleton: Skeleton, leaf: Callable[[str], Path], pool: Executor) -> Iterator[_Step]:
    """Yield the members in order with their work, which is begun some members before it is asked for."""
    begun: deque[_Step] = deque()
    try:
        for member, frame in skeleton.split():
            if member is None:
                begun.append((None, frame, 0, Path()))
            else:
                file = leaf(header_name(frame[member.before :]))
                size = file.stat().st_size
                small = member.local or size <= WHOLE
                work = pool.submit(_whole, file, member.deflate) if small else file
                begun.append((member, frame, size, work))
            if len(begun) > _AHEAD:
                yield begun.popleft()
        while begun:
            yield begun.popleft()
    finally:
        for _, _, _, work in begun:
            if isinstance(work, Future):
                work.cancel()


def _whole(file: Path, how: Deflate | None) -> tuple[int, bytes]:
    content = file.read_bytes()
    return zlib.crc32(content), content if how is None else b"".join(compress(pieces_of(memoryview(content)), how))


class _Sum:
    """The checksum of what has passed."""

    crc = 0

    def over(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        for piece in pieces:
            self.crc = zlib.crc32(piece, self.crc)
            yield piece


def _streamed(file: Path, how: Deflate | None, summed: _Sum) -> Iterator[bytes]:
    with file.open("rb") as stream:
        pieces = summed.over(iter(lambda: stream.read(CHUNK), b""))
        yield from pieces if how is None else compress(pieces, how)


def _raw_name(frame: bytes, at: int) -> bytes:
    length = int.from_bytes(frame[at + 26 : at + 28], "little")
    return frame[at + LOCAL_HEADER : at + LOCAL_HEADER + length]
