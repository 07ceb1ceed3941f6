"""A skeleton as a value and as bytes.

The archive is taken for a row of members, each behind some bytes that no member is: its local header, what precedes it,
and whole members that no leaf has or that do not come out. What can be computed of a member's content is blank in these
bytes: its checksum, its sizes and where it lies are the only things in them that do not compress.
"""

from __future__ import annotations

import json
import lzma
import mmap
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

#: The only format that is read.
FORMAT = 1

#: A member up to this size, in bytes, is compressed as a whole, and what follows from it is blank in its local header.
#: Of a larger one nothing is blank there: it is written as it is compressed.
WHOLE = 4 << 20

#: The most that a skeleton unpacks to, in bytes: a damaged one must not fill the memory.
MOST = 256 << 20

LOCAL_HEADER = 30
ENTRY = 46

_SHA256 = re.compile(r"[0-9a-f]{64}")

#: What may be said of level, memory, strategy and library.
_BOUNDS = ((1, 9), (1, 9), (0, 4), (0, 1))


@dataclass(frozen=True, kw_only=True)
class Deflate:
    """What gives a stream again: a compressor and its parameters (zlib's manual, ``deflateInit2``).

    Attributes:
        library: 0 for zlib, 1 for zlib-ng.
    """

    level: int
    memory: int = 8
    strategy: int = 0
    library: int = 0


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member whose content is a leaf.

    Attributes:
        before: how many bytes stand between the member before it and its local header.
        deflate: how its content is compressed; None where it is stored.
        local: whether checksum and sizes are blank in its local header.
        entry: whether they, and its place, are blank in its entry of the central directory.
    """

    before: int
    deflate: Deflate | None
    local: bool
    entry: bool


@dataclass(frozen=True, kw_only=True)
class Skeleton:
    """All of a wheel but the content of its files.

    Attributes:
        index: SHA-256 of the wheel's index, 64 hexadecimal digits: it names the leaf of each member.
        size: of the wheel, in bytes.
        members: those whose content is a leaf, in the order of the archive.
        directory: where the central directory begins in what stands behind the last of them.
        frames: the bytes that are no member's, in the order of the archive.
    """

    index: str
    size: int
    members: tuple[Member, ...]
    directory: int
    frames: bytes

    def to_bytes(self) -> bytes:
        """Return it as it is kept."""
        ways = list(dict.fromkeys(member.deflate for member in self.members if member.deflate))
        head = {
            "skeleton": FORMAT,
            "index": self.index,
            "size": self.size,
            "directory": self.directory,
            "deflate": [[way.level, way.memory, way.strategy, way.library] for way in ways],
            # Column by column: most of each is one number again and again.
            "before": [member.before for member in self.members],
            "way": [-1 if member.deflate is None else ways.index(member.deflate) for member in self.members],
            "blank": [member.local + 2 * member.entry for member in self.members],
        }
        return lzma.compress(json.dumps(head, separators=(",", ":")).encode("ascii") + b"\n" + self.frames)

    @classmethod
    def from_bytes(cls, content: bytes) -> Skeleton:
        """Read one.

        Raises:
            ValueError: it is none, is damaged, or has a format that this nixgen does not know.
        """
        try:
            unpacker = lzma.LZMADecompressor(memlimit=MOST)
            text = unpacker.decompress(content, MOST)
            if not unpacker.eof or unpacker.unused_data:
                raise ValueError("it is cut off, or larger than it may be")
            line, _, frames = text.partition(b"\n")
            head = json.loads(line)
            if head["skeleton"] != FORMAT:
                raise ValueError(f"it has format {head['skeleton']}")
            ways = [
                Deflate(level=level, memory=memory, strategy=strategy, library=library)
                for level, memory, strategy, library in head["deflate"]
            ]
            members = tuple(
                Member(before=before, deflate=None if way < 0 else ways[way], local=bool(blank & 1), entry=blank > 1)
                for before, way, blank in zip(head["before"], head["way"], head["blank"], strict=True)
            )
            found = cls(
                index=head["index"],
                size=head["size"],
                members=members,
                directory=head["directory"],
                frames=frames,
            )
            found._check()
            return found
        except (lzma.LZMAError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
            raise ValueError(f"it is no skeleton: {error!r}") from error

    def _check(self) -> None:
        numbers = [self.size, self.directory, *(member.before for member in self.members)]
        if not all(type(number) is int and number >= 0 for number in numbers) or not _SHA256.fullmatch(self.index):
            raise ValueError("a number or hash of it is none")
        for way in {member.deflate for member in self.members if member.deflate}:
            values = zip((way.level, way.memory, way.strategy, way.library), _BOUNDS, strict=True)
            if not all(type(value) is int and low <= value <= high for value, (low, high) in values):
                raise ValueError("zlib knows no such parameters")

    def split(self) -> Iterator[tuple[Member | None, bytes]]:
        """Yield each member with the bytes that stand before its content, and at last what stands behind all.

        Raises:
            ValueError: the bytes are too few.
        """
        position = 0
        for member in self.members:
            header = position + member.before
            stop = header + header_size(self.frames, header)
            yield member, self.frames[position:stop]
            position = stop
        yield None, self.frames[position:]


def header_size(archive: bytes | mmap.mmap, position: int) -> int:
    """Return how many bytes the local header at a position takes, name and extra field with it (APPNOTE, 4.3.7).

    Raises:
        ValueError: none is there.
    """
    if archive[position : position + 4] != b"PK\3\4" or position + LOCAL_HEADER > len(archive):
        raise ValueError("a local header is missing")
    name, extra = struct.unpack_from("<HH", archive, position + 26)
    size: int = LOCAL_HEADER + name + extra
    if position + size > len(archive):
        raise ValueError("a local header is cut off")
    return size


def header_name(header: bytes) -> str:
    """Return the member's name that a local header has.

    Raises:
        ValueError: it is not in the encoding that the header says.
    """
    flags, length = struct.unpack_from("<6xH18xH", header)
    return header[LOCAL_HEADER : LOCAL_HEADER + length].decode("utf-8" if flags & 0x800 else "cp437")


def entries(directory: bytes, position: int) -> Iterator[tuple[int, bytes]]:
    """Yield where each entry of a central directory begins, and the name in it (APPNOTE, 4.3.12).

    Args:
        directory: bytes that hold it.
        position: where it begins in them.
    """
    while directory[position : position + 4] == b"PK\1\2" and position + ENTRY <= len(directory):
        name, extra, comment = struct.unpack_from("<3H", directory, position + 28)
        yield position, directory[position + ENTRY : position + ENTRY + name]
        position += ENTRY + name + extra + comment
