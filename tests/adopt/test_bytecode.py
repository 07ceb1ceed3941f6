"""``nixgen.adopt.bytecode``: which pyc belongs to which source, and which of them change."""

from __future__ import annotations

import os
import struct
from pathlib import Path

import pytest

from nixgen.adopt.below import Below
from nixgen.adopt.bytecode import Bytecode
from nixgen.adopt.journal import Journal

BEFORE, AFTER, SIZE = 1_700_000_000, 1, 20


def write(path: Path, time: int = BEFORE, *, flags: int = 0, size: int = SIZE) -> bytes:
    """Write a pyc without code and return its bytes."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(struct.pack("<4sLLL", b"\xa7\r\r\n", flags, time, size) + b"code")
    return path.read_bytes()


def carry_over(directory: Path, name: str = "module.py") -> None:
    (directory / ".nixgen").mkdir(exist_ok=True)
    journal = Journal(directory, Below(os.open(directory, os.O_RDONLY)))
    Bytecode(journal).carry_over(name, SIZE, BEFORE, AFTER)


@pytest.mark.parametrize("name", ["module.cpython-311.pyc", "module.cpython-38.opt-2.pyc", "module.pypy39.pyc"])
def test_what_is_valid_stays_valid(name: str, tmp_path: Path) -> None:
    """The time in the header becomes that of the source, for every Python; mode and times of the file stay."""
    pyc = tmp_path / "__pycache__" / name
    content = write(pyc)
    pyc.chmod(0o640)
    os.utime(pyc, ns=(5, 7))
    carry_over(tmp_path)
    assert pyc.read_bytes() == content[:8] + struct.pack("<L", AFTER) + content[12:]
    assert (pyc.stat().st_mode & 0o777, pyc.stat().st_mtime_ns) == (0o640, 7)
    assert not list((tmp_path / ".nixgen").iterdir())


def test_what_is_not_the_sources_stays(tmp_path: Path) -> None:
    """Bytecode of other sources, of other times and sizes, with hashes, and what is no bytecode is left alone."""
    cache = tmp_path / "__pycache__"
    for name in ("module.other.cpython-311.pyc", "other.cpython-311.pyc", "module.pyc", "module"):
        write(cache / name)
    write(cache / "module.cpython-310.pyc", BEFORE - 5)
    write(cache / "module.cpython-311.pyc", size=SIZE + 1)
    write(cache / "module.cpython-312.pyc", flags=3)
    (cache / "module.cpython-313.pyc").write_bytes(b"short")
    before = {path: path.read_bytes() for path in cache.iterdir()}
    carry_over(tmp_path)
    assert {path: path.read_bytes() for path in cache.iterdir()} == before


def test_what_would_become_valid_by_chance_goes(tmp_path: Path) -> None:
    """A pyc with the new time and the size is of something else."""
    pyc = tmp_path / "__pycache__" / "module.cpython-311.pyc"
    write(pyc, AFTER)
    carry_over(tmp_path)
    assert not pyc.exists()


def test_links_are_not_written_through(tmp_path: Path) -> None:
    """A pyc that is a link, or whose directory is one, is left alone."""
    real = tmp_path / "real" / "module.cpython-311.pyc"
    content = write(real)
    (tmp_path / "__pycache__").symlink_to("real")
    carry_over(tmp_path)
    (tmp_path / "__pycache__").unlink()
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / real.name).symlink_to(real)
    carry_over(tmp_path)
    assert real.read_bytes() == content
