"""Inflating what an archive has deflated, whole or piece by piece."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

try:
    # The same interface as zlib, in 60 % of its time on wheels; it has no wheel for some rare machines.
    from isal import isal_zlib as quick
except ImportError:
    import zlib as quick  # type: ignore[no-redef]

#: How long a piece is at most, in bytes.
PIECE = 1 << 18

_RAW = -15  # deflate without zlib's frame

_ERROR: type[Exception] = quick.error  # type: ignore[assignment]

crc32 = quick.crc32


def inflate(content: bytes | memoryview, most: int) -> bytes:
    """Return what a deflated stream holds, but no more than so many bytes.

    Raises:
        zlib.error: it is damaged.
    """
    try:
        return quick.decompressobj(_RAW).decompress(content, most)
    except _ERROR as error:
        raise zlib.error(str(error)) from error


def inflated(chunks: Iterable[bytes | memoryview]) -> Iterator[bytes]:
    """Yield what chunks of a deflated stream hold, in pieces of at most ``PIECE`` bytes.

    Raises:
        zlib.error: they are damaged.
    """
    inflater = quick.decompressobj(_RAW)
    for chunk in chunks:
        rest, is_full = chunk, False
        # What a full piece had no room for waits in the inflater, which may have read all of the chunk by then.
        while rest or is_full:
            try:
                piece = inflater.decompress(rest, PIECE)
            except _ERROR as error:
                raise zlib.error(str(error)) from error
            rest, is_full = inflater.unconsumed_tail, len(piece) == PIECE
            yield piece
