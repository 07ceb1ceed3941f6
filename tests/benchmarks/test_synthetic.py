"""The made set: the same bytes every time, as many files as promised, all of them right."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from dataclasses import replace
from pathlib import Path

from benchmarks import synthetic
from benchmarks.sets import SYNTHETIC


def test_the_same_bytes_every_time(tmp_path: Path) -> None:
    """A wheel follows from its name; another name has other contents."""
    for directory in ("one", "two"):
        (tmp_path / directory).mkdir()
    first, again = (synthetic.write_wheel(tmp_path / directory, "made000", 100) for directory in ("one", "two"))
    assert first.read_bytes() == again.read_bytes()
    other = synthetic.write_wheel(tmp_path, "made001", 100)
    with zipfile.ZipFile(first) as one, zipfile.ZipFile(other) as two:
        contents = {member.CRC for member in one.infolist() if "/" in member.filename}
        assert not contents & {member.CRC for member in two.infolist() if not member.filename.endswith("WHEEL")}


def test_a_wheel_is_like_a_real_one(tmp_path: Path) -> None:
    """1,000 files, four fifths of them modules that compile, of 1 to 8 KB; every content is another."""
    wheel = synthetic.write_wheel(tmp_path, "made007", synthetic.FILES_A_WHEEL)
    with zipfile.ZipFile(wheel) as archive:
        members = archive.infolist()
        assert len(members) == 1000 and len({member.CRC for member in members}) == 1000
        modules = [member for member in members if member.filename.endswith(".py")]
        assert 0.78 < len(modules) / len(members) < 0.82
        sizes = sorted(member.file_size for member in modules)
        assert 3000 < sizes[len(sizes) // 2] < 6000 and sizes[-1] < 10_000
        for member in modules[:50]:
            compile(archive.read(member), member.filename, "exec")


def test_the_set_has_100_wheels() -> None:
    """A hundred wheels of a thousand files, made and not fetched."""
    assert len(SYNTHETIC.pins) == 100 and SYNTHETIC.make is synthetic.make
    assert len(SYNTHETIC.pins) * synthetic.FILES_A_WHEEL == 100_000


def test_a_set_is_made_once(tmp_path: Path) -> None:
    """A second fetch finds what the first one made; other pins make it anew."""
    made: list[Path] = []

    def make(directory: Path) -> None:
        made.append(synthetic.write_wheel(directory, "made000", 10))

    wheels = replace(SYNTHETIC, pins=("made000==1.0",), make=make)
    assert wheels.fetch(tmp_path) == wheels.fetch(tmp_path) == tmp_path / "synthetic"
    assert len(made) == 1 and made[0].is_file()
    replace(wheels, pins=("made000==1.0", "made001==1.0")).fetch(tmp_path)
    assert len(made) == 2


def test_record_is_right(tmp_path: Path) -> None:
    """RECORD has hash and size of every file but itself: pip and nixgen check them."""
    wheel = synthetic.write_wheel(tmp_path, "made000", 50)
    with zipfile.ZipFile(wheel) as archive:
        rows = [line.split(",") for line in archive.read("made000-1.0.dist-info/RECORD").decode().splitlines()]
        assert [name for name, _, _ in rows] == archive.namelist()
        for name, digest, size in rows[:-1]:
            found = base64.urlsafe_b64encode(hashlib.sha256(archive.read(name)).digest()).decode().rstrip("=")
            assert (digest, int(size)) == (f"sha256={found}", len(archive.read(name)))
