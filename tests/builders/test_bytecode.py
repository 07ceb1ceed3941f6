"""Bytecode as the environment's own Python would cache it."""

from __future__ import annotations

import importlib.util
import marshal
import os
import py_compile
import struct
import subprocess
import sys
from pathlib import Path

import bytecode
import pytest

from tests.builders.conftest import BUILDERS
from tests.support.interpreters import interpreters


def test_bytecode_is_of_a_file_of_the_store(tmp_path: Path) -> None:
    """Python takes it for a source of the store's time and of that size, and for no other: an edit shows."""
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    found = bytecode.compile_source(str(source), source.read_bytes(), "a.py")
    assert found == importlib.util.cache_from_source(str(source))
    assert Path(found).read_bytes()[:16] == importlib.util.MAGIC_NUMBER + struct.pack("<LLL", 0, 1, 6)
    os.utime(source, (1, 1))
    code = "import sys; sys.dont_write_bytecode = True; import a; print(a.x)"
    said = subprocess.run([sys.executable, "-v", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert f"{found} matches {source}" in said.stderr
    source.write_text("x = 2\n")
    said = subprocess.run([sys.executable, "-v", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "stale" in said.stderr and said.stdout == "2\n"


def test_bytecode_does_not_depend_on_time(tmp_path: Path) -> None:
    """The same source gives the same bytes whenever it was written."""
    source = tmp_path / "a.py"
    source.write_text("def f(): return {'a', 'b'}\n")
    first = Path(bytecode.compile_source(str(source), source.read_bytes(), "a.py")).read_bytes()
    os.utime(source, (1, 1))
    assert Path(bytecode.compile_source(str(source), source.read_bytes(), "a.py")).read_bytes() == first


def test_an_empty_source_compiles(tmp_path: Path) -> None:
    """An empty ``__init__.py`` has bytecode too."""
    source = tmp_path / "__init__.py"
    source.touch()
    assert bytecode.compile_source(str(source), source.read_bytes(), "a.py")


@pytest.mark.parametrize(
    "content", [b"print 'old'\n", b"x = '\0'\n", b"# coding: none-such\n", b"x = '\xff'\n", b"(" * 5000]
)
def test_what_does_not_compile_is_left_alone(tmp_path: Path, content: bytes) -> None:
    """A source for another Python, or no source at all, has no bytecode and is no error."""
    source = tmp_path / "a.py"
    source.write_bytes(content)
    assert bytecode.compile_source(str(source), source.read_bytes(), "a.py") is None
    assert source.read_bytes() == content
    assert list(tmp_path.rglob("*.pyc")) == []


def test_warnings_are_not_shown(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    """What the compiler warns of is the package's affair."""
    source = tmp_path / "a.py"
    source.write_text(r"x = '\d' is 1" + "\n")
    assert bytecode.compile_source(str(source), source.read_bytes(), "a.py")
    assert not recwarn.list


#: Compiles a file in a process that has strings of it interned already, or has not.
_COMPILE = """
import sys
sys.path.insert(0, sys.argv[1])
import bytecode
interned = [sys.intern(name) for name in sys.argv[3:]]
with open(sys.argv[2], "rb") as file:
    bytecode.compile_source(sys.argv[2], file.read(), "a.py")
"""


#: What was written differently once, by what is interned before: names that are shared, sets, nested classes, letters.
_SPLIT = {
    "names": "def f(x, zq1=1): return x.zq2\n",
    "sets": "def f(x): return x in {'zq1', 'zq2'}\ndef g(x): return x in {'zq1', 'zq2'} or 1.5\n",
    "order of a set": "x in {" + ", ".join(f"'zq{number}'" for number in range(1, 65)) + "}\n",
    "defaults": "def f(*, zq1=1, zq2='zq1'): return f(zq2=('zq1', b'z', '', 1, -9, 1000, ()), zq1=2)\n",
    "a package": "import zq1.zq2\nfrom . import zq1\nx = 'zq1.zq2', ''\n",
    "classes": "class zq1:\n    class zq2:\n        pass\n",
    "letters": "x = '\xe9'\ny = ['\xe8', '\xe9']\n",
}
_INTERNED = ["zq1", "zq2", "zq1.zq2", "\xe9", "zq7", "zq23", "zq42"]


@pytest.mark.parametrize("version", interpreters())
@pytest.mark.parametrize("content", _SPLIT.values(), ids=_SPLIT)
def test_bytecode_does_not_depend_on_what_the_process_did_before(content: str, version: str, tmp_path: Path) -> None:
    """On every Python here the bytes are the same whether other modules have the same names and strings or not."""
    source = tmp_path / "a.py"
    source.write_text(content, encoding="utf-8")
    found = set()
    for names in ([], _INTERNED):
        command = [interpreters()[version], "-S", "-B", "-X", "utf8", "-c", _COMPILE, str(BUILDERS), str(source)]
        subprocess.run([*command, *names], check=True, env={"PYTHONHASHSEED": "0"})
        (compiled,) = (tmp_path / "__pycache__").iterdir()
        found.add(compiled.read_bytes())
    assert len(found) == 1


def test_bytecode_is_what_py_compile_writes(tmp_path: Path) -> None:
    """But for the marks of what is referred to, the bytecode is that of py_compile."""
    source = tmp_path / "a.py"
    source.write_text("def f(x, y=(1, 'a')):\n    return {**x, 'b': lambda: y}\n")
    os.utime(source, (bytecode.TIME, bytecode.TIME))
    mode = py_compile.PycInvalidationMode.TIMESTAMP
    theirs = py_compile.compile(str(source), str(tmp_path / "theirs"), invalidation_mode=mode)
    ours = Path(bytecode.compile_source(str(source), source.read_bytes(), "a.py")).read_bytes()
    expected = Path(theirs).read_bytes()
    assert ours[:16] == expected[:16]
    assert marshal.loads(ours[16:]) == marshal.loads(expected[16:])
