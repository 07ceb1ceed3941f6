"""What of an archive's headers follows from a member's content and place: blanked in skeletons, filled in again."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nixgen.skeletons.skeleton import entries

#: Where checksum and sizes stand in a local header, and in an entry of the directory; where the place does there.
_LOCAL, _ENTRY, _OFFSET = 14, 16, 42

_BLANK = bytes(12)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A member where it lies.

    Attributes:
        name: as the archive spells it.
        offset: of its local header.
        crc: of its content.
        packed, size: compressed and not, in bytes.
    """

    name: bytes
    offset: int
    crc: int
    packed: int
    size: int

    def numbers(self) -> bytes:
        """Return checksum and sizes as headers have them.

        Raises:
            ValueError: a size does not fit, as of 4 GiB.
        """
        try:
            return struct.pack("<3L", self.crc, self.packed, self.size)
        except struct.error as error:
            raise ValueError(f"{self.name!r} is too large for such a header") from error

    def place(self) -> bytes:
        """Return its place as an entry of the directory has it; errors as ``numbers``."""
        try:
            return struct.pack("<L", self.offset)
        except struct.error as error:
            raise ValueError(f"{self.name!r} is too far away for such an entry") from error


def blank_local(frame: bytearray, at: int, placed: Placed) -> bool:
    """Blank what follows from a member in its local header; tell whether it stands there."""
    if max(placed.packed, placed.size) >> 32 or frame[at + _LOCAL : at + _LOCAL + 12] != placed.numbers():
        return False
    frame[at + _LOCAL : at + _LOCAL + 12] = _BLANK
    return True


def fill_local(frame: bytearray, at: int, placed: Placed) -> None:
    """Undo ``blank_local``."""
    frame[at + _LOCAL : at + _LOCAL + 12] = placed.numbers()


def blank_entries(tail: bytearray, directory: int, placed: Sequence[Placed]) -> bool:
    """Blank what follows from the members in the central directory, if all of them have such entries, in their order.

    Args:
        tail: bytes that hold the directory.
        directory: where it begins in them.
        placed: the members, in the order of the archive.
    """
    found = list(_matched(tail, directory, placed))
    if len(found) < len(placed) or any(
        one.offset >> 32
        or max(one.packed, one.size) >> 32
        or tail[at + _ENTRY : at + _ENTRY + 12] != one.numbers()
        or tail[at + _OFFSET : at + _OFFSET + 4] != one.place()
        for at, one in found
    ):
        return False
    for at, _ in found:
        tail[at + _ENTRY : at + _ENTRY + 12] = _BLANK
        tail[at + _OFFSET : at + _OFFSET + 4] = bytes(4)
    return True


def fill_entries(tail: bytearray, directory: int, placed: Sequence[Placed]) -> None:
    """Undo ``blank_entries``."""
    for at, one in list(_matched(tail, directory, placed)):
        tail[at + _ENTRY : at + _ENTRY + 12] = one.numbers()
        tail[at + _OFFSET : at + _OFFSET + 4] = one.place()


def _matched(tail: bytearray, directory: int, placed: Sequence[Placed]) -> Iterator[tuple[int, Placed]]:
    """Yield where the entry of each member begins; entries of others stand between them."""
    pending = iter(placed)
    wanted = next(pending, None)
    for at, name in entries(bytes(tail), directory):
        if wanted is not None and name == wanted.name:
            yield at, wanted
            wanted = next(pending, None)
