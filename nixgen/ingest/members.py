"""Taking a member out of a wheel: its bytes, and whether they are those of the lock."""

from __future__ import annotations

import base64
import hashlib
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from nixgen.archives.deflate import PIECE, crc32, inflate, inflated
from nixgen.errors import VerificationError
from nixgen.model import WheelIndex

#: A member is read as a whole up to this size, in bytes.
WHOLE = 8 << 20

_LOCAL_HEADER = 30
_UTF8 = 0x800  # the flag of a name in UTF-8; others are in the code page of old systems

#: What a member raises that is not what the archive's directory says.
MEMBER_ERRORS: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    KeyError,
    NotImplementedError,
)


def read(wheel: IO[bytes], member: zipfile.ZipInfo, index: WheelIndex) -> bytes:
    """Return the content of a member, verified.

    Args:
        wheel: the archive; its position changes.
        member: no larger than ``WHOLE``.
        index: what the lock says of the wheel.

    Raises:
        VerificationError: the content does not have the hash that the lock has.
        MEMBER_ERRORS: the archive is damaged.
    """
    _seek(wheel, member)
    content = wheel.read(member.compress_size)
    if member.compress_type == zipfile.ZIP_DEFLATED:
        # one byte more than promised shows that there is more
        content = inflate(content, member.file_size + 1)
    _check(hashlib.sha256(content).digest(), crc32(content), member, index)
    return content


def pieces(wheel: IO[bytes], member: zipfile.ZipInfo, index: WheelIndex) -> Iterator[bytes]:
    """Yield the content of a member of any size; errors are those of ``read``, raised before the iterator ends."""
    _seek(wheel, member)
    digest, checksum = hashlib.sha256(), 0
    stored = _chunks(wheel, member.compress_size)
    size = 0
    for piece in inflated(stored) if member.compress_type == zipfile.ZIP_DEFLATED else stored:
        digest.update(piece)
        checksum = crc32(piece, checksum)
        size += len(piece)
        yield piece
        if size > member.file_size:
            break
    _check(digest.digest(), checksum, member, index)


def _chunks(file: IO[bytes], size: int) -> Iterator[bytes]:
    """Yield the next so many bytes of a file, or what it has of them."""
    while size and (chunk := file.read(min(PIECE, size))):
        size -= len(chunk)
        yield chunk


def _seek(wheel: IO[bytes], member: zipfile.ZipInfo) -> None:
    """Go to where the compressed content of a member begins."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise NotImplementedError(f"{member.filename} is neither stored nor deflated")
    wheel.seek(member.header_offset)
    header = wheel.read(_LOCAL_HEADER)
    if header[:4] != b"PK\3\4" or len(header) < _LOCAL_HEADER:
        raise zipfile.BadZipFile(f"{member.filename} is not where the directory says")
    name, extra = int.from_bytes(header[26:28], "little"), int.from_bytes(header[28:30], "little")
    if wheel.read(name) != member.orig_filename.encode("utf-8" if member.flag_bits & _UTF8 else "cp437"):
        raise zipfile.BadZipFile(f"{member.filename} has another name where it lies than in the directory")
    wheel.seek(extra, 1)


def _check(digest: bytes, checksum: int, member: zipfile.ZipInfo, index: WheelIndex) -> None:
    got, expected = base64.b64encode(digest).decode(), index.files[member.filename].sha256
    if got != expected:
        raise VerificationError(
            f"a file of the wheel {index.source.filename} does not have the hash that its RECORD promises",
            where=f"{member.filename}: expected sha256 {expected}, got {got}",
            todo="do not use this wheel; report it to the package's authors, or choose another version of it",
        )
    # Installers compare it, too, and refuse a wheel that lies here.
    if checksum != member.CRC:
        raise zipfile.BadZipFile(f"{member.filename} has another checksum than the directory says")
