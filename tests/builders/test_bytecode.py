"""Bytecode as the environment's own Python would cache it."""

from __future__ import annotations

import importlib.util
import os
import struct
from pathlib import Path

import bytecode
import pytest


def test_bytecode_is_hash_based_and_unchecked(tmp_path: Path) -> None:
    """The flags of PEP 552 say: a hash, never compared; nothing depends on the source's time."""
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    found = bytecode.compile_source(str(source))
    assert found == importlib.util.cache_from_source(str(source))
    magic, flags = struct.unpack_from("<4sI", Path(found).read_bytes())
    assert magic == importlib.util.MAGIC_NUMBER
    assert flags == 0b01


def test_bytecode_does_not_depend_on_time(tmp_path: Path) -> None:
    """The same source gives the same bytes whenever it was written."""
    source = tmp_path / "a.py"
    source.write_text("def f(): return {'a', 'b'}\n")
    first = Path(bytecode.compile_source(str(source))).read_bytes()
    os.utime(source, (1, 1))
    assert Path(bytecode.compile_source(str(source))).read_bytes() == first


def test_an_empty_source_compiles(tmp_path: Path) -> None:
    """An empty ``__init__.py`` has bytecode too."""
    source = tmp_path / "__init__.py"
    source.touch()
    assert bytecode.compile_source(str(source))


@pytest.mark.parametrize(
    "content", [b"print 'old'\n", b"x = '\0'\n", b"# coding: none-such\n", b"x = '\xff'\n", b"(" * 5000]
)
def test_what_does_not_compile_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """A source for another Python, or no source at all, has no bytecode and is no error."""
    source = tmp_path / "a.py"
    source.write_bytes(content)
    assert bytecode.compile_source(str(source)) is None
    assert source.read_bytes() == content
    assert list(tmp_path.rglob("*.pyc")) == []


def test_warnings_are_not_shown(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """What the compiler warns of is the package's affair."""
    source = tmp_path / "a.py"
    source.write_text(r"x = '\d' is 1" + "\n")
    assert bytecode.compile_source(str(source))
    assert not recwarn.list
