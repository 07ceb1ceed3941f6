"""Unpacking a wheel for the ingest."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import unpack

from tests.builders.conftest import listing
from tests.support.wheels import Member, make_wheel, write_wheel, write_zip


@pytest.mark.parametrize("threads", [1, 3, 50])
def test_files_lie_as_in_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """Every non-empty file stands where the archive has it, whatever the number of threads."""
    monkeypatch.setattr(unpack, "_WORTH_THREADS", 0)
    files = {f"demo/{number}/a.py": f"x = {number}\n" * number for number in range(1, 8)}
    wheel = write_wheel(tmp_path, make_wheel(files={**files, "demo/empty.py": "", "demo/ü ${x}.txt": b"\0\xff"}))
    out = tmp_path / "out"
    unpack.unpack(str(wheel), str(out), threads=threads)
    out = out / "files"
    assert {path: (out / path).read_bytes() for path in files} == {path: text.encode() for path, text in files.items()}
    assert (out / "demo/ü ${x}.txt").read_bytes() == b"\0\xff"
    info = [f"demo-1.0.dist-info/{name}" for name in ("METADATA", "RECORD", "WHEEL")]
    assert sorted(listing(out)) == sorted([*files, "demo/ü ${x}.txt", *info])


@pytest.mark.parametrize("threads", [1, 3])
def test_flat_files_are_named_by_their_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int) -> None:
    """Flat, every non-empty file lies in one directory, under the SHA-256 of its path in the archive."""
    monkeypatch.setattr(unpack, "_WORTH_THREADS", 0)
    files = {"demo/a.py": "1", "demo/empty.py": "", "demo/100% ü?#.txt": "2"}
    wheel = write_wheel(tmp_path, make_wheel(files=files))
    monkeypatch.setattr(unpack, "cores", lambda: threads)
    unpack.build({"wheel": str(wheel), "flat": True}, str(tmp_path / "out"))
    there = {path.name: path.read_text() for path in (tmp_path / "out/files").iterdir()}
    assert len(there) == 5
    for path in ("demo/a.py", "demo/100% ü?#.txt"):
        assert there[hashlib.sha256(path.encode()).hexdigest()] == files[path]


def test_empty_files_and_directories_are_left_out(tmp_path: Path) -> None:
    """What is no leaf is not unpacked: empty files, and members that stand for directories."""
    members = [Member(name="demo/"), Member(name="demo/empty.py"), Member(name="d.dist-info/RECORD", content=b"1")]
    wheel = write_wheel(tmp_path, ("demo.whl", write_zip(members)))
    unpack.unpack(str(wheel), str(tmp_path / "out"))
    assert listing(tmp_path / "out") == ["files/d.dist-info/RECORD", "index.json"]
    assert not (tmp_path / "out/files/demo").exists()
    assert json.loads((tmp_path / "out/index.json").read_text())["files"]["demo"] == {"empty.py": ""}


def test_what_is_no_wheel_stops_the_build(tmp_path: Path) -> None:
    """Without one .dist-info directory there is nothing to say what the wheel is."""
    wheel = write_wheel(tmp_path, ("demo.whl", write_zip([Member(name="full.py", content=b"1")])))
    with pytest.raises(SystemExit, match=r"0 \.dist-info directories"):
        unpack.unpack(str(wheel), str(tmp_path / "out"))


@pytest.mark.parametrize("name", ["../escaped", "/escaped", "a/../../escaped", "a//b", "./a", "a\\b", "a/.."])
def test_a_member_that_escapes_stops_the_build(tmp_path: Path, name: str) -> None:
    """A build trusts no lock: a name that leaves the directory stops it, with wheel and member, before any file."""
    wheel = write_wheel(
        tmp_path, ("bad.whl", write_zip([Member(name="good", content=b"1"), Member(name=name, content=b"1")]))
    )
    with pytest.raises(SystemExit) as caught:
        unpack.unpack(str(wheel), str(tmp_path / "out"))
    assert str(wheel) in str(caught.value)
    assert repr(name) in str(caught.value)
    assert listing(tmp_path) == ["bad.whl"]


def test_the_builder_takes_its_wheel_from_the_attributes(tmp_path: Path) -> None:
    """``build`` unpacks the wheel that the derivation names."""
    wheel = write_wheel(tmp_path, make_wheel())
    unpack.build({"wheel": str(wheel)}, str(tmp_path / "out"))
    assert (tmp_path / "out/files/demo/__init__.py").read_text() == "answer = 42\n"
