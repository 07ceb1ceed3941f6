"""How a deflate stream was made: by trying. Most wheels are written by Python's zipfile, which is zlib's level 6."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

from nixgen.skeletons.skeleton import Deflate

#: What is tried, in this order: Python's default; what repacks wheels (``zip -9``); then the others.
CANDIDATES = (
    Deflate(level=6),
    Deflate(level=9),
    Deflate(level=6, memory=9),
    Deflate(level=9, memory=9),
    *(Deflate(level=level) for level in (8, 7, 5, 4, 3, 2, 1)),
)

#: After so many members of a wheel that none of these gives, another compressor has packed it.
_PATIENCE = 4

_CHUNK = 1 << 18
_RAW = -15  # deflate without zlib's frame


def compress(content: Iterable[bytes | memoryview], how: Deflate) -> Iterator[bytes]:
    """Yield the deflate stream of a content; the pieces that it comes in do not change it."""
    packer = zlib.compressobj(how.level, zlib.DEFLATED, _RAW, how.memory, how.strategy)
    for piece in content:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


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
    pieces = (content[start : start + _CHUNK] for start in range(0, len(content), _CHUNK))
    position = 0
    for packed in compress(pieces, how):
        if stream[position : position + len(packed)] != packed:
            return False
        position += len(packed)
    return position == len(stream)
