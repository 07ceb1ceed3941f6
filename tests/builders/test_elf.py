"""Run paths of ELF files."""

from __future__ import annotations

import struct

import elf
import pytest

from tests.support.elf import make_elf


@pytest.mark.parametrize(("wide", "order"), [(True, "<"), (True, ">"), (False, "<"), (False, ">")])
def test_run_paths_are_read(wide: bool, order: str) -> None:
    """RUNPATH and RPATH are read from files of 32 and 64 bits in either byte order."""
    content = make_elf(run_path="$ORIGIN/../a:/opt/lib", old_run_path="${ORIGIN}/b", wide=wide, order=order)
    assert sorted(elf.run_paths(content)) == ["$ORIGIN/../a", "${ORIGIN}/b", "/opt/lib"]


def test_empty_parts_are_no_directories() -> None:
    """An empty part of a run path, which the loader reads as the current directory, is left out."""
    assert elf.run_paths(make_elf(run_path=":$ORIGIN::")) == ["$ORIGIN"]


def test_a_library_without_run_path_has_none() -> None:
    """No tag, no directories."""
    assert elf.run_paths(make_elf(soname="liba.so")) == []


@pytest.mark.parametrize("content", [b"", b"\x7fELF", b"#!/bin/sh\n", b"\x7fELF" + b"\xff" * 200, b"\xcf\xfa\xed\xfe"])
def test_what_is_no_elf_file_has_none(content: bytes) -> None:
    """Text, other formats and garbage behind the magic number give nothing, and no error."""
    assert elf.run_paths(content) == []


def test_a_damaged_file_has_none_or_less() -> None:
    """A library cut at any byte gives what is left or nothing, and no error."""
    content = make_elf(run_path="$ORIGIN/../a", needed=["libb.so"])
    found = [elf.run_paths(content[:length]) for length in range(len(content))]
    assert all(paths in ([], ["$ORIGIN/../a"]) for paths in found)


def test_offsets_that_lead_nowhere_give_none() -> None:
    """Program headers beyond the end of the file give nothing."""
    content = bytearray(make_elf(run_path="$ORIGIN/a"))
    struct.pack_into("<Q", content, 32, 1 << 60)
    assert elf.run_paths(bytes(content)) == []
