"""What an ELF file says to the dynamic loader (gABI, chapters 4 and 5): only what placing and preloading need."""

import collections
import struct

_LOAD, _DYNAMIC, _INTERPRETER = 1, 2, 3  # PT_*
_NEEDED, _STRTAB, _STRSZ, _SONAME, _RPATH, _RUNPATH, _FLAGS_1 = 1, 5, 10, 14, 15, 29, 0x6FFFFFFB  # DT_*
_EXECUTABLE, _SHARED = 2, 3  # ET_EXEC, ET_DYN
_PIE = 0x08000000  # DF_1_PIE: a static program of that type has neither an interpreter nor ET_EXEC

#: What a sound ELF file says.
#:
#: machine: class, byte order and machine, equal for files that one process can load.
#: program: whether it can be run: of the type for that, or with an interpreter of its own, or marked so.
#: library: whether it is a shared library: of the type for them, and no program.
#: soname: its own name, "" where it has none.
#: needed: names of the libraries that it wants loaded, as they are written in it.
#: rpath, runpath: directories to look in, as they are written in it, without empty ones.
#: module: whether it is a module of Python.
#: opens: whether it opens libraries by their paths, and resolves paths.
Elf = collections.namedtuple("Elf", "machine program library soname needed rpath runpath module opens")

#: What resolves links, of the C library.
_RESOLVERS = (b"realpath\0", b"canonicalize_file_name\0", b"__realpath_chk\0", b"readlink\0")


def read(content):
    """Return what an ELF file says as an ``Elf``, None where it is no sound one: the loader will say so itself.

    Args:
        content: its bytes, or a map of them (``mmap``).
    """
    try:
        return _read(content)
    except (struct.error, IndexError, ValueError, OverflowError, StopIteration):
        return None


def run_paths(found):
    """Return the directories of RPATH and RUNPATH, as they are written, of what ``read`` gave; none of None."""
    return [*found.rpath, *found.runpath] if found else []


def machine(head):
    """Return class, byte order and machine of an ELF file, None where it is none; its first 20 bytes say it."""
    if head[:4] != b"\x7fELF" or len(head) < 20:
        return None
    wide = head[4] == 2
    order = "<" if head[5] == 1 else ">"
    return wide, order, struct.unpack_from(order + "H", head, 18)[0]


def _read(content):
    made_for = machine(content)
    if made_for is None:
        return None
    wide, order, _ = made_for
    (kind,) = struct.unpack_from(order + "H", content, 16)
    loads, dynamic, interpreted = _segments(content, wide, order)
    strings, size, names, marked = _dynamic(content, dynamic, wide, order)
    program = kind == _EXECUTABLE or interpreted or marked
    texts, module, opens = {}, False, False
    if names and strings is not None:
        # DT_STRTAB is an address; the segment that is loaded there says where it lies in the file.
        start = next(
            offset + strings - address for address, offset, length in loads if address <= strings < address + length
        )
        for tag, name in names:
            end = content.find(b"\0", start + name)
            if end < 0:
                raise ValueError("a string without an end")
            texts.setdefault(tag, []).append(content[start + name : end].decode("utf-8", "replace"))
        # Names of functions are among the strings: those that it has, and those that it wants.
        functions = content[start : start + size]
        module = b"PyInit_" in functions
        opens = b"dlopen\0" in functions and any(name in functions for name in _RESOLVERS)
    return Elf(
        machine=made_for,
        program=program,
        library=kind == _SHARED and not program,
        soname=texts.get(_SONAME, [""])[0],
        needed=texts.get(_NEEDED, []),
        rpath=_directories(texts.get(_RPATH, [])),
        runpath=_directories(texts.get(_RUNPATH, [])),
        module=module,
        opens=opens,
    )


def _segments(content, wide, order):
    """Return (address, offset, length) of the loaded segments, (offset, length) of the dynamic one or None, and
    whether the file names an interpreter."""
    if wide:
        (table,) = struct.unpack_from(order + "Q", content, 32)
        size, count = struct.unpack_from(order + "HH", content, 54)
    else:
        (table,) = struct.unpack_from(order + "I", content, 28)
        size, count = struct.unpack_from(order + "HH", content, 42)
    loads, dynamic, program = [], None, False
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
        elif kind == _INTERPRETER:
            program = True
    return loads, dynamic, program


def _dynamic(content, dynamic, wide, order):
    """Return the address of the strings, None where there are none, their size, (tag, offset of a string) of the
    entries, and whether the file is marked as a program."""
    strings, size, names, marked = None, 0, [], False
    if dynamic is not None:
        entry = struct.Struct(order + ("qQ" if wide else "iI"))
        offset, length = dynamic
        end = min(offset + length, len(content))
        for at in range(offset, end - entry.size + 1, entry.size):
            tag, value = entry.unpack_from(content, at)
            if tag == 0:
                break
            if tag == _STRTAB:
                strings = value
            elif tag == _STRSZ:
                size = value
            elif tag in (_NEEDED, _SONAME, _RPATH, _RUNPATH):
                names.append((tag, value))
            elif tag == _FLAGS_1:
                marked = bool(value & _PIE)
    return strings, size, names, marked


def _directories(paths):
    return [directory for path in paths for directory in path.split(":") if directory]
