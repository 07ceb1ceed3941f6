"""ELF files made in memory: small, and sound enough that the dynamic loader takes those of this machine."""

from __future__ import annotations

import platform
import struct
from collections.abc import Sequence

#: What kind of file it says to be: ET_EXEC, ET_DYN.
EXECUTABLE, SHARED = 2, 3

_LOAD, _DYNAMIC, _INTERPRETER, _STACK = 1, 2, 3, 0x6474E551
_MACHINES = {"x86_64": 62, "aarch64": 183, "riscv64": 243, "ppc64le": 21}


def make_elf(
    *,
    run_path: str | None = None,
    old_run_path: str | None = None,
    needed: Sequence[str] = (),
    soname: str | None = None,
    interpreter: str | None = None,
    flags: int = 0,
    functions: Sequence[str] = (),
    kind: int = SHARED,
    wide: bool = True,
    order: str = "<",
) -> bytes:
    """Make an ELF file without code.

    Args:
        run_path: of DT_RUNPATH, separated by colons.
        old_run_path: of DT_RPATH.
        needed: SONAMEs of the libraries that it wants loaded.
        soname: its own.
        interpreter: of PT_INTERP, which makes a program of it.
        flags: of DT_FLAGS_1.
        functions: names of functions that it has or wants; no symbols are made of them.
        kind: ``EXECUTABLE`` or ``SHARED``.
        wide: 64 bits, else 32.
        order: ``<`` for little-endian, ``>`` for big-endian.
    """
    strings = b"\0"
    dynamic: list[tuple[int, int]] = []
    for tag, text in [
        *((1, name) for name in needed),
        *([(14, soname)] if soname else []),
        *([(15, old_run_path)] if old_run_path else []),
        *([(29, run_path)] if run_path else []),
    ]:
        dynamic.append((tag, len(strings)))
        strings += text.encode() + b"\0"
    strings += b"".join(name.encode() + b"\0" for name in functions)
    header_size, program_size = (64, 56) if wide else (52, 32)
    symbol_size = 24 if wide else 16
    programs = 4 if interpreter else 3
    hash_at = header_size + programs * program_size
    symbols_at = hash_at + 16
    strings_at = symbols_at + symbol_size
    interpreter_at = strings_at + len(strings)
    asked = (interpreter or "").encode() + b"\0"
    dynamic_at = (interpreter_at + len(asked) + 15) // 16 * 16
    dynamic += [(0x6FFFFFFB, flags)] if flags else []
    dynamic += [(4, hash_at), (5, strings_at), (6, symbols_at), (10, len(strings)), (11, symbol_size), (0, 0)]
    entry = struct.Struct(order + ("qQ" if wide else "iI"))
    table = b"".join(entry.pack(*pair) for pair in dynamic)
    size = dynamic_at + len(table)

    def program(kind: int, at: int, length: int, align: int) -> bytes:
        if wide:
            return struct.pack(order + "IIQQQQQQ", kind, 6, at, at, at, length, length, align)
        return struct.pack(order + "IIIIIIII", kind, at, at, at, length, length, 6, align)

    headers = program(_LOAD, 0, size, 0x10000) + program(_DYNAMIC, dynamic_at, len(table), 8)
    headers += program(_STACK, 0, 0, 16)
    if interpreter:
        headers += program(_INTERPRETER, interpreter_at, len(asked), 1)
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1 if order == "<" else 2, 1]) + bytes(9)
    machine = _MACHINES.get(platform.machine(), 0)
    numbers = (kind, machine, 1, 0, header_size, 0, 0, header_size, program_size, programs, 0, 0, 0)
    header = ident + struct.pack(order + ("HHIQQQIHHHHHH" if wide else "HHIIIIIHHHHHH"), *numbers)
    body = header + headers + struct.pack(order + "4I", 1, 1, 0, 0) + bytes(symbol_size) + strings + asked
    return body.ljust(dynamic_at, b"\0") + table
