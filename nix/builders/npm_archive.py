"""The files of a package's archive, as npm unpacks them (pacote, ``lib/fetcher.js``; node-tar, ``lib/unpack.js``).

A tar file of its own reading: ``tarfile`` takes as long to import as a small package to unpack, and this runs once for
each of a thousand packages. POSIX.1-2001 (pax) and ustar, and the long names of GNU tar.
"""

import sys
import zlib

_BLOCK = 512
_PIECE = 1 << 16
#: A name or a pax header of more bytes is no honest one's.
_LONGEST = 1 << 20

_FILES = (b"0", b"\0", b"7")


class Member:
    """A file of an archive.

    Attributes:
        path: where npm puts it, below the package's directory.
        executable: whether its owner may run it.
        size: in bytes.
    """

    __slots__ = ("executable", "path", "size")

    def __init__(self, path, executable, size):
        self.path = path
        self.executable = executable
        self.size = size


class Entry:
    """Anything of an archive, as it says itself.

    Attributes:
        kind: its type flag: b"0" a file, b"1" and b"2" links, b"5" a directory, …
        name: as it stands there.
        mode: its rights.
        size: in bytes.
        target: where a link leads.
    """

    __slots__ = ("kind", "mode", "name", "size", "target")

    def __init__(self, kind, name, mode, size, target):
        self.kind = kind
        self.name = name
        self.mode = mode
        self.size = size
        self.target = target

    @property
    def is_file(self):
        """Whether npm makes a file of it: a name that ends in a slash is a directory's, as old archives have it."""
        return self.kind in _FILES and not self.name.endswith("/")


def entries(archive):
    """Yield each entry of an archive and a function that reads its next bytes, b"" at its end.

    Args:
        archive: path of the ``.tgz``.

    Raises:
        ValueError: it is no such archive, or is cut short.
    """
    with open(archive, "rb") as file:
        stream = _Stream(file)
        said, everywhere = {}, {}
        while True:
            header = stream.read(_BLOCK)
            if len(header) < _BLOCK or not header.strip(b"\0"):
                if header.strip(b"\0"):
                    raise ValueError("it is cut short")
                return
            _check(header)
            kind, size = header[156:157], _number(header[124:136])
            if kind in (b"x", b"g", b"L", b"K"):
                if size > _LONGEST:
                    raise ValueError(f"a header of {size} bytes")
                content = stream.exactly(size)
                stream.skip(-size % _BLOCK)
                if kind == b"g":
                    everywhere.update(_pax(content))
                elif kind == b"x":
                    said.update(_pax(content))
                else:
                    said["path" if kind == b"L" else "linkpath"] = _text(content)
                continue
            said = {**everywhere, **said}
            name = said.get("path") or _name(header)
            size = int(said.get("size", size))
            target = said.get("linkpath") or _text(header[157:257])
            said = {}
            if kind == b"5":
                size = 0  # of a directory it is said, and nothing follows
            left = [size]
            yield Entry(kind, name, _number(header[100:108]), size, target), lambda left=left: _next(stream, left)
            if stream.skip(left[0]):
                raise ValueError("it is cut short")
            stream.skip(-size % _BLOCK)


def members(archive):
    """Yield each file of an archive and a function that reads its next bytes, b"" at its end.

    npm's own changes are made: the first part of each name is dropped, whatever it is; links, devices and directories
    are left out; a ``.gitignore`` is a ``.npmignore``, unless one came before.

    Args:
        archive: path of the ``.tgz``.

    Raises:
        ValueError: it is no such archive, is cut short, or has a name that leaves the package.
    """
    ignores = set()
    for entry, read in entries(archive):
        path = placed(entry.name, ignores) if entry.is_file else None
        if path is not None:
            yield Member(path, bool(entry.mode & 0o100), entry.size), read


def placed(name, ignores):
    """Return where npm puts a file, below the package's directory; None where it puts it nowhere.

    Args:
        name: of the file, as the archive has it.
        ignores: where the files called ``.npmignore`` so far are; a further one is added.

    Raises:
        ValueError: the name leaves the package.
    """
    path = _placed(name)
    return None if path is None else _ignoring(path, ignores)


class _Stream:
    """The bytes of a gzip file, or of a file that is none, one after the other."""

    def __init__(self, file):
        self._file = file
        self._inflate = None
        start = file.read(2)
        file.seek(0)
        self._packed = start == b"\x1f\x8b"
        self._ready = b""

    def read(self, size):
        """Return the next bytes, fewer than ``size`` at the end."""
        pieces, got = [], 0
        while got < size:
            if not self._ready:
                self._ready = self._more()
                if not self._ready:
                    break
            piece = self._ready[: size - got]
            self._ready = self._ready[len(piece) :]
            pieces.append(piece)
            got += len(piece)
        return b"".join(pieces)

    def some(self, size):
        """Return at most ``size`` of the next bytes, b"" at the end."""
        if not self._ready:
            self._ready = self._more()
        piece, self._ready = self._ready[:size], self._ready[size:]
        return piece

    def exactly(self, size):
        """Return the next bytes, all of them."""
        found = self.read(size)
        if len(found) < size:
            raise ValueError("it is cut short")
        return found

    def skip(self, size):
        """Leave out the next bytes; return how many there are not."""
        while size > 0:
            piece = self.some(size)
            if not piece:
                break
            size -= len(piece)
        return size

    def _more(self):
        if not self._packed:
            return self._file.read(_PIECE)
        while True:
            if self._inflate is None or self._inflate.eof:
                rest = self._inflate.unused_data if self._inflate else b""
                rest = rest or self._file.read(_PIECE)
                if not rest or (self._inflate and rest[:2] != b"\x1f\x8b"):
                    return b""  # what is behind the last member is nobody's
                self._inflate = zlib.decompressobj(31)
            else:
                rest = self._inflate.unconsumed_tail or self._file.read(_PIECE)
            try:
                found = self._inflate.decompress(rest, _PIECE * 4)
            except zlib.error as error:
                raise ValueError(str(error)) from None
            if found:
                return found
            if not rest and not self._inflate.eof:
                raise ValueError("it is cut short")


def _next(stream, left):
    if not left[0]:
        return b""
    piece = stream.some(min(left[0], _PIECE))
    if not piece:
        raise ValueError("it is cut short")
    left[0] -= len(piece)
    return piece


def _check(header):
    # The checksum is of the header with blanks in its own place.
    said = _number(header[148:156])
    if said != sum(header[:148]) + sum(header[156:]) + 8 * 32:
        raise ValueError("it is no tar file: a header has another checksum")


def _number(field):
    if field[0] & 0x80:
        return int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
    text = field.strip(b" \0").split(b"\0")[0]
    return int(text, 8) if text else 0


def _name(header):
    name = header[:100].split(b"\0")[0]
    if header[257:262] == b"ustar" and header[345]:
        name = header[345:500].split(b"\0")[0] + b"/" + name
    return name.decode("utf-8", "replace")


def _text(field):
    return field.split(b"\0")[0].decode("utf-8", "replace")


def _pax(content):
    """Return the records of a pax header: "LENGTH KEY=VALUE\\n" each."""
    found = {}
    while content:
        length, blank, _ = content.partition(b" ")
        if not blank or not length.isdigit() or not int(length):
            break
        record, content = content[len(length) + 1 : int(length)], content[int(length) :]
        key, _, value = record.rstrip(b"\n").partition(b"=")
        found[key.decode("utf-8", "replace")] = value.decode("utf-8", "replace")
    return found


def _placed(name):
    """Return where npm puts a member, None where it puts it nowhere."""
    parts = name.replace("\\", "/").split("/") if sys.platform == "win32" else name.split("/")
    if ".." in parts or "\0" in name:
        raise ValueError(f"a name leaves the package: {name!r}")
    # What begins with "/" is below the root, which node-tar takes away after the first part.
    return "/".join(part for part in parts[1:] if part not in ("", ".")) or None


def _ignoring(path, ignores):
    around, slash, base = path.rpartition("/")
    instead = f"{around}{slash}.npmignore"
    if base == ".npmignore":
        ignores.add(path)
    elif base == ".gitignore":
        return None if instead in ignores else instead
    return path
