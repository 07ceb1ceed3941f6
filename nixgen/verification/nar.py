"""What Nix hashes of a store path: its serialisation as an archive, NAR (Nix manual, "Nix Archive (NAR) format")."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

_LENGTH = struct.Struct("<Q")

#: How much of a large file is read at once, in bytes.
PIECE = 1 << 20

#: What is collected before it is hashed, in bytes: names and links are a few bytes each.
_ENOUGH = 1 << 16

#: Modes that Nix gives what it takes into the store.
FILE_MODES, DIRECTORY_MODE = (0o444, 0o555), 0o555


class NotRegularError(OSError):
    """A file of the store is neither a regular file nor a link nor a directory."""


@dataclass(kw_only=True)
class Nar:
    """What serialising a path told.

    Attributes:
        sha256: of the serialisation, hexadecimal: what Nix calls the NAR hash.
        size: of the serialisation, in bytes.
        read: bytes of files that were read.
        named: store paths that its links and small files name, as far as they were asked for.
        modes: paths in it whose mode is not one that Nix gives; "" is the path itself.
    """

    sha256: str = ""
    size: int = 0
    read: int = 0
    named: set[str] = field(default_factory=set)
    modes: list[str] = field(default_factory=list)


def nar(path: str, store_dir: str | None = None, write_to: Callable[[bytes | memoryview], object] | None = None) -> Nar:
    """Serialise a file, a link or a directory, and return what that told; no link is followed.

    Args:
        path: what to serialise.
        store_dir: the directory of the store paths to look for in it; None looks for none.
        write_to: takes the serialisation piece by piece; None where only its hash is wanted.

    Raises:
        OSError: something cannot be read, or is nothing that a store path may hold.
    """
    found = Nar()
    digest = hashlib.sha256()
    pending = bytearray(_text(b"nix-archive-1"))
    prefix = None if store_dir is None else os.fsencode(store_dir) + b"/"
    path_in = None if prefix is None else re.compile(re.escape(prefix) + rb"[0-9a-z]{32}-[0-9A-Za-z+._?=-]+")

    def write(data: bytes | bytearray) -> None:
        nonlocal pending
        pending += data
        if len(pending) >= _ENOUGH:
            flush()

    def flush() -> None:
        nonlocal pending
        digest.update(pending)
        found.size += len(pending)
        if write_to is not None:
            write_to(bytes(pending))
        pending = bytearray()

    def content(piece: memoryview) -> None:
        found.size += len(piece)
        found.read += len(piece)
        digest.update(piece)
        if write_to is not None:
            write_to(piece)

    def look(data: bytes | bytearray) -> None:
        if prefix is not None and path_in is not None and prefix in data:
            found.named.update(map(os.fsdecode, path_in.findall(data)))

    def node(path: str, inside: str) -> None:
        about = os.lstat(path)
        mode = stat.S_IMODE(about.st_mode)
        if stat.S_ISLNK(about.st_mode):
            target = os.fsencode(os.readlink(path))  # noqa: PTH115
            look(target)
            write(_LINK + _text(target) + _CLOSE)
        elif stat.S_ISREG(about.st_mode):
            if mode not in FILE_MODES:
                found.modes.append(inside)
            write(_PROGRAM if mode & stat.S_IXUSR else _FILE)
            write(_LENGTH.pack(about.st_size))
            if about.st_size > _ENOUGH:
                flush()
                size = read_file(path, content)
            else:
                data = bytearray()
                size = read_file(path, data.extend)
                found.read += size
                # Where a package came from is named, and not needed (nix/origin.nix).
                if not path.endswith("/direct_url.json"):
                    look(data)
                write(data)
            if size != about.st_size:
                raise OSError(f"it changed while it was read: {path}")
            write(b"\0" * (-size % 8) + _CLOSE)
        elif stat.S_ISDIR(about.st_mode):
            if mode != DIRECTORY_MODE:
                found.modes.append(inside)
            write(_DIRECTORY)
            for name in sorted(os.listdir(path), key=os.fsencode):  # noqa: PTH208
                write(_ENTRY + _text(os.fsencode(name)) + _NODE)
                node(f"{path}/{name}", f"{inside}/{name}" if inside else name)
                write(_CLOSE)
            write(_CLOSE)
        else:
            raise NotRegularError(f"it is no file, link or directory: {path}")

    node(path, "")
    flush()
    found.sha256 = digest.hexdigest()
    return found


def flat_nar(size: int, *, executable: bool = False) -> tuple[bytes, bytes]:
    """Return what stands before and behind the content of a file that is serialised alone.

    Args:
        size: of the file, in bytes.
        executable: whether it may be run.
    """
    return _text(b"nix-archive-1") + (_PROGRAM if executable else _FILE) + _LENGTH.pack(size), b"\0" * (
        -size % 8
    ) + _CLOSE


def read_file(path: str, take: Callable[[memoryview], None]) -> int:
    """Read a regular file piece by piece, and return its size; a link is not followed, a pipe not waited for.

    Raises:
        OSError: it cannot be read; a link is one of these.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        buffer = memoryview(bytearray(min(max(size, 1), PIECE)))
        done = 0
        while count := os.readv(descriptor, [buffer]):
            take(buffer[:count])
            done += count
        return done
    finally:
        os.close(descriptor)


def _text(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data + b"\0" * (-len(data) % 8)


_NODE = _text(b"node")
_CLOSE = _text(b")")
_ENTRY = _text(b"entry") + _text(b"(") + _text(b"name")
_DIRECTORY = _text(b"(") + _text(b"type") + _text(b"directory")
_LINK = _text(b"(") + _text(b"type") + _text(b"symlink") + _text(b"target")
_REGULAR = _text(b"(") + _text(b"type") + _text(b"regular")
_FILE = _REGULAR + _text(b"contents")
_PROGRAM = _REGULAR + _text(b"executable") + _text(b"") + _text(b"contents")
