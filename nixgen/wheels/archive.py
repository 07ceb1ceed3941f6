"""How the zip of a wheel is read when only some of its bytes are at hand.

Nothing here does input or output: a ``SparseFile`` holds what was fetched so far, and reading beyond it
raises ``MissingBytes``, which says what to fetch next. Steps that need bytes are generators that yield the
ranges they want, so that one reader of wheels serves the network and the disk.
"""

from __future__ import annotations

import io
import itertools
import lzma
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterable, Sequence
from typing import NamedTuple

#: What may stand between two wanted ranges before a second request is cheaper than the bytes, in bytes.
MERGE_GAP = 8 * 1024

#: The largest piece of an archive that is read at once (a central directory, a metadata member), in bytes.
MAX_PIECE = 64 * 1024 * 1024

#: What ``zipfile`` lets escape on archives that lie or are cut: a reader of hostile input meets all of them.
ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
    LookupError,
)

_LOCAL_HEADER = 30


class Range(NamedTuple):
    """Bytes ``start`` (counted) to ``stop`` (not counted) of a file."""

    start: int
    stop: int


class MissingBytes(Exception):
    """A read met bytes that were not fetched yet; ``range`` says which."""

    def __init__(self, missing: Range) -> None:
        super().__init__(f"bytes {missing.start} to {missing.stop} are not fetched")
        self.range = missing


class DamagedError(Exception):
    """The bytes of an archive contradict each other; each of ``problems`` says where."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = list(problems)


class SparseFile(io.RawIOBase):
    """A file of known size of which only some segments are at hand.

    Args:
        size: the whole file's size in bytes.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self._segments: list[tuple[int, bytes]] = []
        self._position = 0

    def feed(self, start: int, data: bytes) -> None:
        """Add the bytes that stand at offset ``start``.

        Raises:
            ValueError: the segment does not lie inside the file.
        """
        if start < 0 or start + len(data) > self.size:
            raise ValueError(f"bytes {start} to {start + len(data)} are outside a file of {self.size} bytes")
        if data:
            self._segments.append((start, data))
            self._segments.sort(key=lambda segment: (segment[0], -len(segment[1])))

    def missing(self, wanted: Range) -> list[Range]:
        """Give the parts of ``wanted`` that are not at hand, in order."""
        gaps = []
        position = wanted.start
        for start, data in self._segments:
            if start >= wanted.stop:
                break
            if start > position:
                gaps.append(Range(position, start))
            position = max(position, start + len(data))
        if position < wanted.stop:
            gaps.append(Range(position, wanted.stop))
        return gaps

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._position, io.SEEK_END: self.size}[whence]
        if position < 0:
            raise OSError(22, "negative seek position")  # what a real file raises; zipfile counts on it
        self._position = position
        return position

    def read(self, size: int | None = -1) -> bytes:
        """Read ``size`` bytes, or all that follow.

        Raises:
            MissingBytes: some of them are not at hand.
            zipfile.BadZipFile: more than ``MAX_PIECE`` is asked for at once.
        """
        stop = self.size if size is None or size < 0 else min(self.size, self._position + size)
        wanted = Range(self._position, max(self._position, stop))
        if wanted.stop - wanted.start > MAX_PIECE:
            raise zipfile.BadZipFile(f"a piece of {wanted.stop - wanted.start} bytes is too large")
        gaps = self.missing(wanted)
        if gaps:
            raise MissingBytes(Range(gaps[0].start, gaps[-1].stop))
        pieces = []
        position = wanted.start
        for start, data in self._segments:
            if start <= position < start + len(data) and position < wanted.stop:
                piece = data[position - start : wanted.stop - start]
                pieces.append(piece)
                position += len(piece)
        self._position = position
        return b"".join(pieces)


def merge(ranges: Iterable[Range], *, gap: int = MERGE_GAP) -> list[Range]:
    """Join ranges that touch, overlap or lie at most ``gap`` bytes apart; the result is sorted."""
    merged: list[Range] = []
    for wanted in sorted(ranges):
        if wanted.stop <= wanted.start:
            continue
        if merged and wanted.start - merged[-1].stop <= gap:
            merged[-1] = Range(merged[-1].start, max(merged[-1].stop, wanted.stop))
        else:
            merged.append(wanted)
    return merged


def name_bytes(info: zipfile.ZipInfo) -> int:
    """Count the bytes that a member's name takes in the archive."""
    utf8 = info.flag_bits & 0x800
    return len(info.orig_filename.encode("utf-8" if utf8 else "cp437", "replace"))


def smallest_extent(info: zipfile.ZipInfo) -> Range:
    """Give the bytes a member takes at least: its local header, name and compressed content."""
    stop = info.header_offset + _LOCAL_HEADER + name_bytes(info) + info.compress_size
    return Range(info.header_offset, stop)


def member_ranges(archive: zipfile.ZipFile, members: Iterable[zipfile.ZipInfo], have: SparseFile) -> list[Range]:
    """Give the byte ranges that reading ``members`` still needs, adjacent ones merged.

    The central directory does not tell how long a local header's extra field is, so a member's bytes are
    taken to end at the next member when that one is near.
    """
    offsets = sorted({info.header_offset for info in archive.infolist()} | {archive.start_dir})
    following = dict(itertools.pairwise(offsets))
    wanted: list[Range] = []
    for info in members:
        extent = smallest_extent(info)
        stop = following.get(info.header_offset, extent.stop)
        if not extent.stop <= stop <= extent.stop + MERGE_GAP:
            stop = extent.stop
        start = min(max(extent.start, 0), have.size)
        wanted.extend(have.missing(Range(start, max(start, min(stop, have.size)))))
    return merge(wanted)


def open_archive(file: SparseFile) -> Generator[list[Range], None, zipfile.ZipFile]:
    """Read the central directory, yielding the ranges it needs until it is complete.

    Raises:
        DamagedError: it is not a zip archive, or its directory makes no sense.
    """
    if file.size == 0:
        raise DamagedError(["the file is empty"])
    while True:
        try:
            return zipfile.ZipFile(file)
        except MissingBytes as missing:
            yield [missing.range]
        except ZIP_ERRORS as error:
            raise DamagedError([f"it is not a readable zip archive ({_said(error)})"]) from error


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Generator[list[Range], None, bytes]:
    """Read one member whole, yielding ranges while some of its bytes are missing.

    Raises:
        DamagedError: its content is not what the central directory says.
    """
    if info.file_size > MAX_PIECE or info.compress_size > MAX_PIECE:
        raise DamagedError([f"{info.filename!r} is too large to be read"])
    while True:
        try:
            with archive.open(info) as stream:
                content = stream.read()
        except MissingBytes as missing:
            yield [missing.range]
        except ZIP_ERRORS as error:
            raise DamagedError([f"{info.filename!r} cannot be read ({_said(error)})"]) from error
        else:
            if len(content) != info.file_size:
                raise DamagedError([f"{info.filename!r} has {len(content)} bytes, not {info.file_size}"])
            return content


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
