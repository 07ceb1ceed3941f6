"""The sparse file, the ranges, and archives that are none."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from io import BytesIO

import pytest

from nixgen.wheels.archive import (
    MERGE_GAP,
    DamagedError,
    MissingBytes,
    Range,
    SparseFile,
    member_ranges,
    merge,
    open_archive,
    read_member,
)
from tests.support.wheels import make_wheel, patch_directory

Problems = Callable[[tuple[str, bytes]], str]


def test_reading_fetched_bytes_gives_them() -> None:
    """A read that lies in fetched segments gives their bytes, across seams and overlaps too."""
    file = SparseFile(10)
    file.feed(4, b"ef")
    file.feed(2, b"cdef")
    file.feed(6, b"ghij")
    file.seek(2)
    assert file.read(6) == b"cdefgh"
    assert file.read() == b"ij"
    assert file.read() == b""


def test_reading_unfetched_bytes_says_which() -> None:
    """A read that meets unfetched bytes raises the range that is missing, and moves nothing."""
    file = SparseFile(10)
    file.feed(8, b"ij")
    file.seek(5)
    with pytest.raises(MissingBytes) as caught:
        file.read()
    assert caught.value.range == Range(5, 8)
    assert file.tell() == 5


def test_feeding_outside_the_file_is_refused() -> None:
    """A segment that does not lie inside the file is refused."""
    with pytest.raises(ValueError, match="outside"):
        SparseFile(3).feed(2, b"ab")


def test_missing_gives_the_gaps() -> None:
    """The missing parts of a range are the gaps between fetched segments."""
    file = SparseFile(100)
    file.feed(10, b"x" * 10)
    file.feed(50, b"x" * 10)
    assert file.missing(Range(0, 100)) == [Range(0, 10), Range(20, 50), Range(60, 100)]
    assert file.missing(Range(12, 18)) == []


def test_merging_joins_near_ranges() -> None:
    """Ranges that overlap, touch or lie a small gap apart become one; empty ones vanish."""
    assert merge([Range(20, 30), Range(0, 10), Range(12, 20), Range(99, 99)], gap=1) == [
        Range(0, 10),
        Range(12, 30),
    ]
    assert merge([Range(20, 30), Range(0, 10)], gap=10) == [Range(0, 30)]
    assert merge([Range(0, 40), Range(10, 20)]) == [Range(0, 40)]


def drive(wheel: bytes, names: list[str], tail: int) -> tuple[dict[str, bytes], list[Range]]:
    """Read members of a wheel that starts with ``tail`` bytes; give them and what was fetched."""
    file = SparseFile(len(wheel))
    file.feed(len(wheel) - tail, wheel[len(wheel) - tail :])
    fetched: list[Range] = []

    def fetch(ranges: list[Range]) -> None:
        for span in ranges:
            fetched.append(span)
            file.feed(span.start, wheel[span.start : span.stop])

    steps = open_archive(file)
    while True:
        try:
            fetch(next(steps))
        except StopIteration as stop:
            archive: zipfile.ZipFile = stop.value
            break
    fetch(member_ranges(archive, [archive.getinfo(name) for name in names], file))
    contents = {}
    for name in names:
        reading = read_member(archive, archive.getinfo(name))
        try:
            fetch(next(reading))
            raise AssertionError("the ranges of a member did not suffice")
        except StopIteration as stop:
            contents[name] = stop.value
    return contents, fetched


def big_wheel(comment: bytes = b"") -> bytes:
    """Make a wheel whose two wanted members lie far apart from each other and from the end."""
    noise = random.Random(0)
    files = {"a.txt": "first", **{f"f{n}": noise.randbytes(20_000) for n in range(9)}, "z.txt": "last"}
    return make_wheel(files=files, comment=comment)[1]


def test_members_are_read_through_few_ranges() -> None:
    """Members far apart are read through one small range each, and nothing else is fetched."""
    wheel = big_wheel()
    contents, fetched = drive(wheel, ["a.txt", "z.txt"], tail=100)
    assert contents == {"a.txt": b"first", "z.txt": b"last"}
    directory, first, last = fetched
    assert directory.stop == len(wheel) - 100
    assert first.start == 0
    assert sum(span.stop - span.start for span in fetched) < 3 * MERGE_GAP
    assert last.start > first.stop + MERGE_GAP


def test_a_comment_behind_the_directory_is_no_obstacle() -> None:
    """An archive comment longer than the tail is read through, and members are found."""
    contents, _ = drive(big_wheel(comment=b"c" * 40_000), ["a.txt"], tail=100)
    assert contents == {"a.txt": b"first"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"PK", "not a readable zip"),
        (b"<html>not here</html>" * 100, "not a readable zip"),
        (b"PK\x05\x06" + b"\xff" * 18, "not a readable zip"),
        (b"PK\x05\x06" + b"\x00" * 8 + b"\xff\xff\xff\x7f" * 2 + b"\x00\x00", "not a readable zip"),
        (make_wheel()[1][:-30], "not a readable zip"),
        (make_wheel()[1][200:], ""),
        (make_wheel()[1].replace(b"PK\x01\x02", b"PK\x01\x03"), "not a readable zip"),
    ],
    ids=[
        "empty",
        "short",
        "html",
        "nonsense end",
        "huge directory",
        "cut at end",
        "cut at start",
        "bad magic",
    ],
)
def test_what_is_no_zip_is_an_error(content: bytes, said: str, problems_of: Problems) -> None:
    """A file that is empty, cut or no zip archive at all is an error of the wheel, never a traceback."""
    assert said in problems_of(("demo-1.0-py3-none-any.whl", content))


def test_a_name_that_is_not_utf8_is_an_error(problems_of: Problems) -> None:
    """A member whose name claims UTF-8 and is not makes the archive unreadable."""
    wheel = make_wheel(files={"demo/ü.py": ""})[1].replace("ü".encode(), b"\xff\xff")
    assert "not a readable zip" in problems_of(("demo-1.0-py3-none-any.whl", wheel))


@pytest.mark.parametrize(
    "fields",
    [
        {"crc": 1},
        {"size": 3},
        {"offset": 7},
        {"compressed": 3},
        {"flags": 1},
        {"method": 12},
        {"size": 70_000_000},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_a_directory_that_lies_about_record_is_an_error(fields: dict[str, int], problems_of: Problems) -> None:
    """A central directory that lies about RECORD in any field is an error that names RECORD."""
    name, wheel = make_wheel()
    wheel = patch_directory(wheel, "demo-1.0.dist-info/RECORD", **fields)
    assert "demo-1.0.dist-info/RECORD" in problems_of((name, wheel))


def test_broken_compressed_data_is_an_error(problems_of: Problems) -> None:
    """Compressed data that is no deflate stream is an error that names the member."""
    name, wheel = make_wheel()
    with zipfile.ZipFile(BytesIO(wheel)) as archive:
        info = archive.getinfo("demo-1.0.dist-info/METADATA")
    start = info.header_offset + 30 + len(info.filename)
    broken = wheel[:start] + b"\xff" * info.compress_size + wheel[start + info.compress_size :]
    assert "demo-1.0.dist-info/METADATA" in problems_of((name, broken))


def test_a_huge_piece_is_not_read() -> None:
    """A read of more than the largest piece is refused before anything is fetched."""
    file = SparseFile(10**12)
    with pytest.raises(zipfile.BadZipFile, match="too large"):
        file.read()


def test_an_overlong_member_is_not_unpacked() -> None:
    """A member that declares more than the largest piece is refused without being unpacked."""
    info = zipfile.ZipInfo("RECORD")
    info.file_size = 10**9
    with pytest.raises(DamagedError, match="too large"):
        next(read_member(zipfile.ZipFile(BytesIO(make_wheel()[1])), info))
