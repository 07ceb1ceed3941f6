"""What ELF files say to the loader."""

from __future__ import annotations

import struct

import elf
import pytest

from tests.support.elf import EXECUTABLE, make_elf


@pytest.mark.parametrize(("wide", "order"), [(True, "<"), (True, ">"), (False, "<"), (False, ">")])
def test_run_paths_are_read(wide: bool, order: str) -> None:
    """RUNPATH and RPATH are read from files of 32 and 64 bits in either byte order."""
    content = make_elf(run_path="$ORIGIN/../a:/opt/lib", old_run_path="${ORIGIN}/b", wide=wide, order=order)
    assert sorted(elf.run_paths(elf.read(content))) == ["$ORIGIN/../a", "${ORIGIN}/b", "/opt/lib"]


def test_empty_parts_are_no_directories() -> None:
    """An empty part of a run path, which the loader reads as the current directory, is left out."""
    assert elf.run_paths(elf.read(make_elf(run_path=":$ORIGIN::"))) == ["$ORIGIN"]


def test_a_library_without_run_path_has_none() -> None:
    """No tag, no directories."""
    assert elf.run_paths(elf.read(make_elf(soname="liba.so"))) == []


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\n", b"\x7fELF" + b"\xff" * 200, b"\xcf\xfa\xed\xfe"])
def test_what_is_no_elf_file_has_none(content: bytes) -> None:
    """Text, other formats and garbage behind the magic number give nothing, and no error."""
    assert elf.run_paths(elf.read(content)) == []


def test_a_damaged_file_has_none_or_less() -> None:
    """A library cut at any byte gives what is left or nothing, and no error."""
    content = make_elf(run_path="$ORIGIN/../a", needed=["libb.so"])
    found = [elf.run_paths(elf.read(content[:length])) for length in range(len(content))]
    assert all(paths in ([], ["$ORIGIN/../a"]) for paths in found)


def test_offsets_that_lead_nowhere_give_none() -> None:
    """Program headers beyond the end of the file give nothing."""
    content = bytearray(make_elf(run_path="$ORIGIN/a"))
    struct.pack_into("<Q", content, 32, 1 << 60)
    assert elf.run_paths(elf.read(bytes(content))) == []


@pytest.mark.parametrize(("wide", "order"), [(True, "<"), (True, ">"), (False, "<"), (False, ">")])
def test_names_are_read(wide: bool, order: str) -> None:
    """SONAME, needs in their order and both run paths are read, and what machine the file is for."""
    content = make_elf(
        soname="liba.so.1",
        needed=["libz.so.1", "libm.so.6"],
        run_path="/run",
        old_run_path="/old",
        wide=wide,
        order=order,
    )
    found = elf.read(content)
    assert (found.soname, found.needed, found.rpath, found.runpath, found.library) == (
        "liba.so.1",
        ["libz.so.1", "libm.so.6"],
        ["/old"],
        ["/run"],
        True,
    )
    assert found.machine[:2] == (wide, order)
    assert found.machine == elf.machine(content[:20])


def test_a_file_that_names_nothing_is_read() -> None:
    """A library without needs, run paths and a name is one all the same."""
    found = elf.read(make_elf())
    assert (found.soname, found.needed, found.rpath, found.runpath, found.library) == ("", [], [], [], True)


def test_programs_are_no_libraries() -> None:
    """A file of the type for programs, or with an interpreter, is a program."""
    assert not elf.read(make_elf(kind=EXECUTABLE)).library
    assert not elf.read(make_elf(interpreter="/lib/ld.so")).library


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\n", b"\xcf\xfa\xed\xfe" * 10])
def test_what_is_no_elf_file_is_for_no_machine(content: bytes) -> None:
    """Text and other formats are for no machine, and are nothing to the loader."""
    assert elf.machine(content) is None
    assert elf.read(content) is None


def test_every_byte_may_be_nonsense() -> None:
    """A file with any byte replaced is read as something or as nothing, and never fails."""
    content = make_elf(soname="liba.so", needed=["libb.so"], run_path="$ORIGIN")
    for at in range(len(content)):
        for value in (0, 0x7F, 0xFF):
            changed = content[:at] + bytes([value]) + content[at + 1 :]
            found = elf.read(changed)
            assert found is None or all(isinstance(name, str) for name in found.needed)
