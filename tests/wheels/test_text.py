"""A wheel's index as bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.model import WheelIndex
from nixgen.wheels.text import index_bytes, index_hash, parse_index
from tests.builders.conftest import index as builder
from tests.support.indexes import make_index
from tests.support.wheels import make_wheel

INDEX = make_index(
    "demo",
    {"demo/__init__.py": "", "demo/größe $(x) ${y}.txt": "2", "demo/run": "#!/bin/sh\n", "a-b/c": "1", "a/b": "1"},
    console={"tool": "demo:main"},
    gui={"window": "demo:window"},
    executable=["demo/run"],
)


def test_an_index_survives_its_bytes() -> None:
    """What is read from the bytes is the index that they were made of."""
    read = parse_index(index_bytes(INDEX), INDEX.source, INDEX.name)
    assert {path: file for path, file in read.files.items() if file.size} == {
        path: file for path, file in INDEX.files.items() if file.size
    }
    assert read.files["demo/__init__.py"].size == 0
    assert (read.dist_info, read.data_dir, read.console_scripts, read.gui_scripts) == (
        INDEX.dist_info,
        INDEX.data_dir,
        INDEX.console_scripts,
        INDEX.gui_scripts,
    )
    assert index_bytes(read) == index_bytes(INDEX)
    assert index_hash(INDEX) == hashlib.sha256(index_bytes(INDEX)).hexdigest()


def test_each_file_begins_a_line() -> None:
    """A file more is a line more, so that the indexes of two releases can be compared; names are sorted."""
    lines = index_bytes(INDEX).decode().splitlines()
    assert lines[0] == '{"index":1,' and lines[-1] == "}}"
    names = list(json.loads("".join(lines))["files"])
    assert names == ["a", "a-b", "demo", "demo-1.0.dist-info"]
    assert sum("$(x)" in line for line in lines) == 1


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"index":2}', b'{"index":1,"distInfo":"d","files":{"a":["short",1]}}', b"\xff", b"null"],
)
def test_what_is_no_index_is_refused(content: bytes) -> None:
    """Bytes that are none, of another format, or with a file without a hash are refused."""
    with pytest.raises(ValueError):
        parse_index(content, INDEX.source, INDEX.name)


def test_the_builder_describes_what_was_read(
    index_of: Callable[[tuple[str, bytes]], WheelIndex], tmp_path: Path
) -> None:
    """The index that a build makes of an unpacked wheel is that which locking has read, byte for byte."""
    import unpack

    wheel = make_wheel(
        "Demo.Pkg",
        "1.0",
        {"demo/__init__.py": "", "demo/a.py": "1", "ü/x y.txt": "2", "demo/run": "#!x", "demo/tool": bytes(1 << 20)},
        entry_points={
            "console_scripts": {"tool": " demo.a : main [x] ", "s": "demo:s"},
            "gui_scripts": {"w": "demo:w"},
            "other": {"x": "y:z"},
        },
        data={"scripts/s": "#!python\n", "scripts/t": "#!python\n", "data/share/x": "1"},
        executable=["demo/run", "demo/tool"],
    )
    index = index_of(wheel)
    path = tmp_path / "wheel.whl"
    path.write_bytes(wheel[1])
    unpack.unpack(str(path), str(tmp_path / "out"))
    made = (tmp_path / "out/index.json").read_bytes()
    assert made == index_bytes(index)
    assert "Demo.Pkg-1.0.data/scripts/s" not in index.files and "Demo.Pkg-1.0.data/scripts/t" in index.files
    assert json.loads(made)["scripts"]["console"] == {"s": "demo:s", "tool": "demo.a:main"}
    assert builder.FORMAT == 1
