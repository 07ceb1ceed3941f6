"""A zip archive whose every field can be written otherwise than it is."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

#: Says what a field holds, from what it would hold honestly.
Change = Callable[[int], int]

STORED = 0
DEFLATED = 8
UTF8 = 0x800
DESCRIPTOR = 0x8

_LARGEST = 0xFFFFFFFF

#: The date of every member: the first that zip can express.
_DATE = 0x21


@dataclass(kw_only=True)
class Member:
    """One member of an archive, with what it says of itself where it lies and in the directory.

    Attributes:
        name: as it is written, at both places unless ``local_name`` says otherwise.
        content: uncompressed.
        mode: the Unix mode with the file's type.
        method: ``STORED`` or ``DEFLATED``.
        local, central: changes of ``flags``, ``method``, ``crc``, ``compressed`` and ``size`` in the local header and
            in the directory, which also has ``offset``, ``system`` and ``disk``.
        described: the same of ``crc``, ``compressed`` and ``size`` in the data descriptor.
        descriptor: whether the sizes follow the content, with its signature or without.
        zip64: whether sizes are given in the extra field of 64 bits.
        local_extra, extra: further extra fields.
        comment: that of the directory's entry.
        entries: how often the directory lists it.
    """

    name: bytes
    content: bytes = b""
    mode: int = 0o100644
    method: int = DEFLATED
    local_name: bytes | None = None
    local: dict[str, Change] = field(default_factory=dict)
    central: dict[str, Change] = field(default_factory=dict)
    described: dict[str, Change] = field(default_factory=dict)
    descriptor: bool = False
    signature: bytes = b"PK\x07\x08"
    zip64: bool = False
    local_extra: bytes = b""
    extra: bytes = b""
    comment: bytes = b""
    entries: int = 1
    utf8: bool | None = None

    @property
    def path(self) -> str:
        """The name as readers decode it."""
        flags = _changed({"flags": self._flags()}, self.central)["flags"]
        return self.name.decode("utf-8" if flags & UTF8 else "cp437", "replace")

    def _flags(self) -> int:
        utf8 = not self.name.isascii() if self.utf8 is None else self.utf8
        return (UTF8 if utf8 else 0) | (DESCRIPTOR if self.descriptor else 0)

    def fields(self) -> dict[str, int]:
        """Return what the member would say of itself honestly."""
        return {
            "flags": self._flags(),
            "method": self.method,
            "crc": zlib.crc32(self.content),
            "compressed": len(self.body()),
            "size": len(self.content),
        }

    def body(self) -> bytes:
        """Return the content as it lies in the archive."""
        if self.method == STORED:
            return self.content
        deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
        return deflate.compress(self.content) + deflate.flush()


@dataclass(kw_only=True)
class Ending:
    """What stands around the members.

    Attributes:
        prefix: bytes before the first member.
        counted: whether offsets count the prefix.
        gap: bytes between the last member and the directory.
        suffix: bytes after the end.
        comment: that of the archive.
        fields: changes of ``entries``, ``size``, ``offset`` and ``comment`` (its length) in the end record.
        zip64: whether there is an end record of 64 bits.
        fields64: the same changes of that one.
    """

    prefix: bytes = b""
    counted: bool = True
    gap: bytes = b""
    suffix: bytes = b""
    comment: bytes = b""
    fields: dict[str, Change] = field(default_factory=dict)
    zip64: bool = False
    fields64: dict[str, Change] = field(default_factory=dict)


def write(members: Sequence[Member], ending: Ending) -> bytes:
    """Return the archive of these members, in their order."""
    out = bytearray(ending.prefix)
    base = 0 if ending.counted else len(ending.prefix)
    offsets = []
    for member in members:
        offsets.append(len(out) - base)
        out += _local(member)
    out += ending.gap
    start = len(out) - base
    directory = b"".join(
        _central(member, offset) * member.entries for member, offset in zip(members, offsets, strict=True)
    )
    out += directory
    honest = {
        "entries": sum(member.entries for member in members),
        "size": len(directory),
        "offset": start,
        "comment": len(ending.comment),
    }
    if ending.zip64:
        end = _changed(honest, ending.fields64)
        sizes = (end["entries"], end["entries"], end["size"], end["offset"])
        out += struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, *sizes)
        out += struct.pack("<4sLQL", b"PK\x06\x07", 0, start + len(directory), 1)
        honest |= {"entries": 0xFFFF, "size": _LARGEST, "offset": _LARGEST}
    end = _changed(honest, ending.fields)
    entries = end["entries"] & 0xFFFF
    out += struct.pack(
        "<4s4H2LH",
        b"PK\x05\x06",
        0,
        0,
        entries,
        entries,
        end["size"] & _LARGEST,
        end["offset"] & _LARGEST,
        end["comment"] & 0xFFFF,
    )
    return bytes(out + ending.comment + ending.suffix)


def extra_field(kind: int, content: bytes) -> bytes:
    """Return an extra field."""
    return struct.pack("<2H", kind, len(content)) + content


def _local(member: Member) -> bytes:
    fields = member.fields()
    extra = member.local_extra
    if member.zip64:
        extra = extra_field(1, struct.pack("<2Q", fields["size"], fields["compressed"])) + extra
    told = fields | ({"size": _LARGEST, "compressed": _LARGEST} if member.zip64 else {})
    if member.descriptor:
        told |= {"crc": 0, "compressed": 0, "size": 0}
    told = _changed(told, member.local)
    name = member.name if member.local_name is None else member.local_name
    header = struct.pack(
        "<4s5H3L2H",
        b"PK\x03\x04",
        20,
        told["flags"] & 0xFFFF,
        told["method"] & 0xFFFF,
        0,
        _DATE,
        told["crc"] & _LARGEST,
        told["compressed"] & _LARGEST,
        told["size"] & _LARGEST,
        len(name),
        len(extra),
    )
    out = header + name + extra + member.body()
    if member.descriptor:
        told = _changed(fields, member.described)
        sizes = (told["crc"] & _LARGEST, told["compressed"] & _LARGEST, told["size"] & _LARGEST)
        out += member.signature + struct.pack("<3L", *sizes)
    return out


def _central(member: Member, offset: int) -> bytes:
    fields = member.fields()
    extra = member.extra
    if member.zip64:
        extra = extra_field(1, struct.pack("<2Q", fields["size"], fields["compressed"])) + extra
        fields |= {"size": _LARGEST, "compressed": _LARGEST}
    told = _changed(fields | {"offset": offset, "system": 3, "disk": 0}, member.central)
    header = struct.pack(
        "<4s6H3L5H2L",
        b"PK\x01\x02",
        (told["system"] & 0xFF) << 8 | 20,
        20,
        told["flags"] & 0xFFFF,
        told["method"] & 0xFFFF,
        0,
        _DATE,
        told["crc"] & _LARGEST,
        told["compressed"] & _LARGEST,
        told["size"] & _LARGEST,
        len(member.name),
        len(extra),
        len(member.comment),
        told["disk"] & 0xFFFF,
        0,
        (member.mode & 0xFFFF) << 16,
        told["offset"] & _LARGEST,
    )
    return header + member.name + extra + member.comment


def _changed(fields: Mapping[str, int], changes: Mapping[str, Change]) -> dict[str, int]:
    return {name: changes[name](value) if name in changes else value for name, value in fields.items()}
