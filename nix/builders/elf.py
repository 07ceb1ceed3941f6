"""What an ELF file says to the dynamic loader (gABI, chapters 4 and 5): only what placing needs."""

import struct

_DYNAMIC = 2  # PT_DYNAMIC
_LOAD = 1  # PT_LOAD
_STRTAB, _RPATH, _RUNPATH = 5, 15, 29  # DT_*


def run_paths(content):
    """Return the directories of an ELF file's RPATH and RUNPATH, as they are written in it.

    An empty list where it has none, or is no sound ELF file: the loader will say so itself.
    """
    try:
        return _run_paths(content)
    except (struct.error, IndexError, ValueError, StopIteration):
        return []


def _run_paths(content):
    if content[:4] != b"\x7fELF":
        return []
    wide = content[4] == 2
    order = "<" if content[5] == 1 else ">"
    if wide:
        (table,) = struct.unpack_from(order + "Q", content, 32)
        size, count = struct.unpack_from(order + "HH", content, 54)
    else:
        (table,) = struct.unpack_from(order + "I", content, 28)
        size, count = struct.unpack_from(order + "HH", content, 42)
    loads, dynamic = [], None
    for i in range(count):
        at = table + i * size
        if wide:
            kind, _, offset, address, _, length = struct.unpack_from(order + "IIQQQQ", content, at)
        else:
            kind, offset, address, _, length = struct.unpack_from(order + "IIIII", content, at)
        if kind == _LOAD:
            loads.append((address, offset, length))
        elif kind == _DYNAMIC:
            dynamic = (offset, length)
    if dynamic is None:
        return []
    entry = order + ("qQ" if wide else "iI")
    strings, names = None, []
    end = min(dynamic[0] + dynamic[1], len(content))
    for at in range(dynamic[0], end - struct.calcsize(entry) + 1, struct.calcsize(entry)):
        tag, value = struct.unpack_from(entry, content, at)
        if tag == 0:
            break
        if tag == _STRTAB:
            strings = value
        elif tag in (_RPATH, _RUNPATH):
            names.append(value)
    if strings is None:
        return []
    # DT_STRTAB is an address; the segment that is loaded there says where it lies in the file.
    start = next(
        offset + strings - address for address, offset, length in loads if address <= strings < address + length
    )
    found = []
    for name in names:
        text = content[start + name : content.index(b"\0", start + name)]
        found.extend(text.decode("utf-8", "replace").split(":"))
    return [path for path in found if path]
