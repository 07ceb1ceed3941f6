"""How a deflate stream was made: by trying. Most wheels are written by Python's zipfile, which is zlib's level 6."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any

from nixgen.skeletons.skeleton import Deflate

_LIBRARIES: list[Any] = [zlib]

try:
    # uv builds wheels with zlib-rs, which compresses as zlib-ng does. It has no wheel for some rare machines.
    from zlib_ng import zlib_ng
except ImportError:
    pass
else:
    _LIBRARIES.append(zlib_ng)

#: What is tried, in this order: Python's default; that of uv; what repacks wheels (``zip -9``); then the others.
CANDIDATES = (
    Deflate(level=6),
    *(Deflate(level=6, library=library) for library in range(1, len(_LIBRARIES))),
    Deflate(level=9),
    Deflate(level=6, memory=9),
    Deflate(level=9, memory=9),
    *(Deflate(level=9, library=library) for library in range(1, len(_LIBRARIES))),
    *(Deflate(level=level) for level in (8, 7, 5, 4, 3, 2, 1)),
)

#: The pieces in which a content is compressed, in bytes: always the same ones, should some compressor see them.
CHUNK = 1 << 18

#: After so many members of a wheel that none of these gives, another compressor has packed it.
_PATIENCE = 4

_RAW = -15  # deflate without zlib's frame


def compress(pieces: Iterable[bytes | memoryview], how: Deflate) -> Iterator[bytes]:
    """Yield the deflate stream of a content.

    Args:
        pieces: all of it, in pieces of ``CHUNK``.
        how: by what.

    Raises:
        ValueError: that compressor is not installed.
    """
    if how.library >= len(_LIBRARIES):
        raise ValueError("zlib-ng is not installed")
    packer = _LIBRARIES[how.library].compressobj(how.level, zlib.DEFLATED, _RAW, how.memory, how.strategy)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def pieces_of(content: memoryview) -> Iterator[memoryview]:
    """Yield a content in pieces of ``CHUNK``."""
    return (content[start : start + CHUNK] for start in range(0, len(content), CHUNK))


class Search:
    """Finds parameters for the members of one wheel, which nearly always has one way for all."""

    def __init__(self) -> None:
        self._known: list[Deflate] = []
        self._missed = 0

    def find(self, content: memoryview, stream: memoryview) -> Deflate | None:
        """Return the parameters that give a stream of a content, None where none of those that are tried does.

        Args:
            content: what was compressed.
            stream: what came out.
        """
        others = CANDIDATES if self._missed < _PATIENCE else ()
        for how in dict.fromkeys([*self._known, *others]):
            if _gives(how, content, stream):
                self._known = [how, *(known for known in self._known if known != how)]
                return how
        self._missed += 1
        return None


def _gives(how: Deflate, content: memoryview, stream: memoryview) -> bool:
    position = 0
    for packed in compress(pieces_of(content), how):
        if stream[position : position + len(packed)] != packed:
            return False
        position += len(packed)
    return position == len(stream)
