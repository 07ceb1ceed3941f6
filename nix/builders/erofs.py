"""Write a file system of names, sizes, modes and links, without the content of its files: an EROFS image.

The kernel's documentation describes the format (Documentation/filesystems/erofs.rst, fs/erofs/erofs_fs.h); what is used
of it here is read by Linux 5.15 and newer. A file's content is a hole; two attributes of it tell overlayfs where in
another layer to find the real one (Documentation/filesystems/overlayfs.rst, "Data-only lower layers", Linux 6.5), as
composefs has it. No program that runs unprivileged on every Debian writes this: mkfs.erofs 1.5 takes the attributes of
real files, and a build in Nix cannot set any.
"""

import collections
import hashlib
import struct

#: A directory: ``entries``, a dict from names (bytes) to nodes.
Directory = collections.namedtuple("Directory", "entries")

#: A file: its ``mode`` (permissions), its ``size`` in bytes, and its ``content``'s path in the data layer, from "/" on;
#: b"" for an empty file.
File = collections.namedtuple("File", "mode size content")

#: A symbolic link: its ``target`` (bytes).
Link = collections.namedtuple("Link", "target")

_BLOCK = 4096
_SLOT = 32
_SUPERBLOCK = 1024
_MAGIC = 0xE0F5E1E2

# What a reader may ignore (a checksum of the first block; times are of the content), and what it must know.
_COMPATIBLE = 0x1 | 0x2
_CHUNKED_FILES = 0x4

# Where a file's data lies: in blocks; in blocks, and its last part behind the inode; in chunks, here always one hole.
_PLAIN, _INLINE, _CHUNKED = 0, 2, 4
_HOLE = struct.pack("<I", 0xFFFFFFFF)

_DIRECTORY, _FILE, _LINK = 0o040000, 0o100000, 0o120000
_TYPES = {_FILE: 1, _DIRECTORY: 2, _LINK: 7}

#: The index of the prefix "trusted.".
_TRUSTED = 4
_REDIRECT = b"overlay.redirect"

#: The attribute that all files with content have is kept once, behind the superblock.
_METACOPY = struct.pack("<BBH", 16, _TRUSTED, 0) + b"overlay.metacopy"
_SHARED = _SUPERBLOCK + 128
_FIRST = _SHARED + _SLOT

#: Links to a directory, and sizes, that an inode of 32 bytes holds.
_MANY_LINKS, _LARGE = 1 << 16, 1 << 32


class _Inode:
    """A node on its way to the image."""

    __slots__ = ("attributes", "blocks", "children", "extended", "inline", "kind", "links", "node", "offset", "parent")

    def __init__(self, node, parent):
        self.node = node
        self.parent = parent or self
        self.kind = _DIRECTORY if isinstance(node, Directory) else _FILE if isinstance(node, File) else _LINK
        self.children = {}
        self.attributes = b""
        self.blocks = 0
        self.inline = 0
        self.links = 1
        self.extended = False


def write(file, root, *, time):
    """Write an image.

    Args:
        file: opened for writing bytes, empty.
        root: a ``Directory``.
        time: of all that is in it, in seconds of the epoch.

    Returns:
        the image's size in bytes.

    Raises:
        ValueError: a name is longer than 255 bytes, or a link's target than 4,000.
    """
    inodes = _inodes(root)
    end = _place(inodes)
    data = -(-end // _BLOCK)
    image = bytearray(data * _BLOCK)
    behind = []
    used = data
    for inode in inodes:
        content = _content(inode)
        blocks, tail = content[: inode.blocks * _BLOCK], content[inode.blocks * _BLOCK :]
        first = used if inode.blocks else 0xFFFFFFFF
        if inode.blocks:
            behind.append(blocks.ljust(inode.blocks * _BLOCK, b"\0"))
            used += inode.blocks
        packed = _pack(inode, first, len(content), time) + inode.attributes
        if inode.kind == _FILE:
            packed += _HOLE if inode.node.size else b""
        image[inode.offset : inode.offset + len(packed) + len(tail)] = packed + tail
    image[_SHARED : _SHARED + len(_METACOPY)] = _METACOPY
    # What overlayfs tells file systems apart by.
    identity = hashlib.sha256(image + b"".join(behind)).digest()[:16]
    image[_SUPERBLOCK : _SUPERBLOCK + 128] = _superblock(inodes, used, time, identity)
    image[_SUPERBLOCK + 4 : _SUPERBLOCK + 8] = struct.pack("<I", _crc32c(image[_SUPERBLOCK:_BLOCK]))
    file.write(image)
    for blocks in behind:
        file.write(blocks)
    return used * _BLOCK


def _inodes(root):
    """Return the inodes of a tree, each directory's together and behind it."""
    found = [_Inode(root, None)]
    for inode in found:  # it grows on the way
        if inode.kind == _DIRECTORY:
            inode.links = 2
            for name, node in sorted(inode.node.entries.items()):
                if not 0 < len(name) < 256:
                    raise ValueError(f"a name has no bytes, or more than 255: {name!r}")
                child = inode.children[name] = _Inode(node, inode)
                inode.links += child.kind == _DIRECTORY
                found.append(child)
    return found


def _place(inodes):
    """Give each inode its place; return where the last one ends."""
    at = _FIRST
    for inode in inodes:
        inode.extended = inode.links >= _MANY_LINKS or (inode.kind == _FILE and inode.node.size >= _LARGE)
        size = 64 if inode.extended else 32
        if inode.kind == _FILE:
            inode.attributes = _attributes(inode.node.content)
            size += len(inode.attributes) + (len(_HOLE) if inode.node.size else 0)
        else:
            length = _directory_size(inode) if inode.kind == _DIRECTORY else len(inode.node.target)
            inode.blocks, inode.inline = divmod(length, _BLOCK)
            if inode.kind == _LINK and length > 4000:
                raise ValueError(f"a link leads to more than 4,000 bytes: {inode.node.target!r}")
            if size + inode.inline > _BLOCK:
                inode.blocks, inode.inline = inode.blocks + 1, 0
            # What is behind an inode lies in the same block.
            if inode.inline and at % _BLOCK + size + inode.inline > _BLOCK:
                at += -at % _BLOCK
            size += inode.inline
        inode.offset = at
        at += size + -size % _SLOT
    return at


def _attributes(content):
    """Return the attributes of a file: that its content is elsewhere, and where."""
    if not content:
        return b""
    entry = struct.pack("<BBH", len(_REDIRECT), _TRUSTED, len(content)) + _REDIRECT + content
    header = struct.pack("<IB7xI", 0, 1, _SHARED // 4)
    return header + entry + b"\0" * (-len(entry) % 4)


def _blocks(inode):
    """Yield the names of a directory, of each of its blocks."""
    names, size = [], 0
    for name in sorted([b".", b"..", *inode.children]):
        if size + 12 + len(name) > _BLOCK:
            yield names, size
            names, size = [], 0
        names.append(name)
        size += 12 + len(name)
    yield names, size


def _directory_size(inode):
    blocks = list(_blocks(inode))
    return (len(blocks) - 1) * _BLOCK + blocks[-1][1]


def _content(inode):
    """Return the bytes of a directory or a link, without what fills its last block."""
    if inode.kind == _FILE:
        return b""
    if inode.kind == _LINK:
        return inode.node.target
    content = b""
    for names, _ in _blocks(inode):
        content += b"\0" * (-len(content) % _BLOCK)
        place = 12 * len(names)
        for name in names:
            to = inode if name == b"." else inode.parent if name == b".." else inode.children[name]
            content += struct.pack("<QHBx", to.offset // _SLOT, place, _TYPES[to.kind])
            place += len(name)
        content += b"".join(names)
    return content


def _pack(inode, first, length, time):
    """Return an inode; ``first`` is the first of its blocks, ``length`` that of its content."""
    if inode.kind == _FILE:
        mode, length = inode.node.mode, inode.node.size
        layout, first = (_CHUNKED, max(0, (length - 1).bit_length() - 12)) if length else (_PLAIN, 0xFFFFFFFF)
    else:
        mode = 0o755 if inode.kind == _DIRECTORY else 0o777
        layout = _INLINE if inode.inline else _PLAIN
    count = 1 + (len(inode.attributes) - 12) // 4 if inode.attributes else 0
    number = inode.offset // _SLOT
    start = layout << 1 | inode.extended, count, inode.kind | mode
    if inode.extended:
        return struct.pack("<HHHxxQIIIIQII16x", *start, length, first, number, 0, 0, time, 0, inode.links)
    return struct.pack("<HHHHIIIIHHI", *start, inode.links, length, 0, first, number, 0, 0, 0)


def _superblock(inodes, blocks, time, identity):
    """Return the superblock, without its checksum."""
    return struct.pack(
        "<IIIBBHQQIIII16s16sIHHHBBIQ24x",
        *(_MAGIC, 0, _COMPATIBLE, 12, 0, inodes[0].offset // _SLOT, len(inodes), time, 0, blocks, 0, 0),
        *(identity, b"nixgen", _CHUNKED_FILES, 0, 0, 0, 0, 0, 0, 0),
    )


def _crc32c(data):
    """Return the checksum that the kernel compares: CRC-32C, begun with ones, not inverted."""
    table = []
    for number in range(256):
        for _ in range(8):
            number = number >> 1 ^ (0x82F63B78 if number & 1 else 0)
        table.append(number)
    checksum = 0xFFFFFFFF
    for byte in data:
        checksum = checksum >> 8 ^ table[(checksum ^ byte) & 0xFF]
    return checksum


def read(content):
    """Return the ``Directory`` of an image that ``write`` made, as bytes; for who cannot mount it."""
    (root,) = struct.unpack_from("<H", content, _SUPERBLOCK + 14)
    return _read(content, root * _SLOT)


def _read(content, offset):
    start, count, mode = struct.unpack_from("<HHH", content, offset)
    extended, layout = start & 1, start >> 1 & 7
    size, first = struct.unpack_from("<QI" if extended else "<I4xI", content, offset + 8)
    behind = offset + (64 if extended else 32)
    kind = mode & 0o170000
    if kind == _FILE:
        return File(mode & 0o7777, size, _read_redirect(content, behind) if count else b"")
    blocks, tail = divmod(size, _BLOCK)
    data = content[first * _BLOCK : first * _BLOCK + size] if blocks or layout == _PLAIN else b""
    if layout == _INLINE:
        data = data[: blocks * _BLOCK] + content[behind : behind + tail]
    if kind == _LINK:
        return Link(data)
    entries = {}
    for place in range(0, len(data), _BLOCK):
        for name, at in _read_block(data[place : place + _BLOCK]):
            if name not in (b".", b".."):
                entries[name] = _read(content, at * _SLOT)
    return Directory(entries)


def _read_redirect(content, behind):
    """Return the value of the attribute behind an inode, which a header and the shared one precede."""
    at = behind + 16
    name, _, size = struct.unpack_from("<BBH", content, at)
    return content[at + 4 + name : at + 4 + name + size]


def _read_block(block):
    """Yield the names of a block of a directory, with the numbers of their inodes."""
    (first,) = struct.unpack_from("<H", block, 8)
    places = [struct.unpack_from("<QH", block, place) for place in range(0, first, 12)]
    for (number, start), (_, end) in zip(places, [*places[1:], (0, len(block))]):  # noqa: B905 - unknown to 3.9
        yield block[start:end].rstrip(b"\0"), number
