"""Taking a member out of a wheel: its bytes, and whether they are those of the lock."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator
from typing import IO

from nixgen.errors import VerificationError
from nixgen.model import WheelIndex

try:
    # The same interface as zlib, in 60 % of its time on wheels; it has no wheel for some rare machines.
    from isal import isal_zlib as zlib
except ImportError:
    import zlib  # type: ignore[no-redef]

#: A member is read as a whole up to this size, in bytes.
WHOLE = 8 << 20

_CHUNK = 1 << 18
_LOCAL_HEADER = 30
_RAW = -15  # deflate without zlib's frame
_UTF8 = 0x800  # the flag of a name in UTF-8; others are in the code page of old systems

#: What a member raises that is not what the archive's directory says.
MEMBER_ERRORS: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,  # type: ignore[assignment]
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
        content = zlib.decompressobj(_RAW).decompress(content, member.file_size + 1)
    _check(hashlib.sha256(content).digest(), zlib.crc32(content), member, index)
    return content


def pieces(wheel: IO[bytes], member: zipfile.ZipInfo, index: WheelIndex) -> Iterator[bytes]:
    """Yield the content of a member of any size; errors are those of ``read``, raised before the iterator ends."""
    _seek(wheel, member)
    digest, checksum = hashlib.sha256(), 0
    inflater = zlib.decompressobj(_RAW) if member.compress_type == zipfile.ZIP_DEFLATED else None
    left, size = member.compress_size, 0
    while left and size <= member.file_size and (chunk := wheel.read(min(_CHUNK, left))):
        left -= len(chunk)
        while chunk and size <= member.file_size:
            piece = inflater.decompress(chunk, _CHUNK) if inflater else chunk
            chunk = inflater.unconsumed_tail if inflater else b""
            digest.update(piece)
            checksum = zlib.crc32(piece, checksum)
            size += len(piece)
            yield piece
    _check(digest.digest(), checksum, member, index)


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
