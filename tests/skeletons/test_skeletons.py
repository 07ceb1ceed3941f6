"""Wheels taken apart and put together again, without a store: their files lie in a directory."""

from __future__ import annotations

import io
import lzma
import random
import struct
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import pytest
from isal import isal_zlib
from zlib_ng import zlib_ng

from nixgen.model import WheelIndex, WheelSource
from nixgen.skeletons import deflate, making, rebuilding
from nixgen.skeletons.making import make_skeleton
from nixgen.skeletons.rebuilding import rebuild
from nixgen.skeletons.skeleton import Deflate, Member, Skeleton
from nixgen.wheels.contents import build_index
from nixgen.wheels.index import read_file
from nixgen.wheels.verify import check_files
from tests.support.wheels import Member as Written
from tests.support.wheels import make_wheel, patch_directory

#: Compresses, so that levels differ, and not too well.
TEXT = "".join(f"def function_{number % 97}(): return {number * 7919}\n" for number in range(4000))

FILES = {"demo/__init__.py": TEXT, "demo/data.bin": bytes(range(256)) * 40, "demo/empty.py": "", "demo/größe.py": "x\n"}


def index_of(wheel: Path) -> WheelIndex:
    """Return the index of a wheel on disk."""
    contents = read_file(wheel.name, wheel)
    source = WheelSource(filename=wheel.name, path=str(wheel), sha256="0" * 64, size=wheel.stat().st_size)
    return build_index(source, contents, check_files(wheel, contents))


def apart(directory: Path, wheel: tuple[str, bytes]) -> tuple[Skeleton | None, Path]:
    """Return a wheel's skeleton, as it is read again, and the directory of its files."""
    name, content = wheel
    (directory / name).write_bytes(content)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(directory / "files")
    skeleton = make_skeleton(directory / name, index_of(directory / name))
    return None if skeleton is None else Skeleton.from_bytes(skeleton.to_bytes()), directory / "files"


def together(skeleton: Skeleton | None, files: Path) -> bytes:
    """Return what comes out."""
    assert skeleton is not None
    with ThreadPoolExecutor(2) as pool:
        return b"".join(rebuild(skeleton, lambda name: files / name, pool))


def zipped(wheel: bytes, **how: int | bool) -> bytes:
    """Write a wheel anew: ``level``, ``stored``, ``streamed`` (with data descriptors), ``memory`` of zlib."""

    class Stream(io.BytesIO):
        def seekable(self) -> bool:
            return not how.get("streamed", False)

        def tell(self) -> int:
            if how.get("streamed", False):
                raise io.UnsupportedOperation
            return super().tell()

    out = Stream()
    method = zipfile.ZIP_STORED if how.get("stored") else zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(io.BytesIO(wheel)) as old, zipfile.ZipFile(out, "w", method) as new:
        new.comment = b"a comment"
        for info in old.infolist():
            copy = zipfile.ZipInfo(info.filename, (2020, 2, 2, 2, 2, 2))
            copy.compress_type, copy.external_attr, copy.create_system = method, info.external_attr, 3
            copy.extra, copy.comment = b"\xfe\xca\x04\x00beef", b"of a member"
            new.writestr(copy, old.read(info), method, how.get("level", 6))
    return out.getvalue()


@pytest.mark.parametrize(
    "how",
    [{"level": 6}, {"level": 9}, {"level": 1}, {"stored": True}, {"streamed": True}, {"streamed": True, "level": 9}],
    ids=str,
)
def test_what_python_writes_comes_out(tmp_path: Path, how: dict[str, int | bool]) -> None:
    """Every level, stored members, data descriptors, extra fields and comments: the same to the byte."""
    name, content = make_wheel(files=FILES, comment=b"ours", members=[Written(name="demo/sub/", recorded=False)])
    skeleton, files = apart(tmp_path, (name, zipped(content, **how)))
    assert together(skeleton, files) == zipped(content, **how)
    assert skeleton is not None and len(skeleton.to_bytes()) < len(zipped(content, **how)) / 10
    # Checksums, sizes and places, which do not compress, are in none of its bytes.
    assert all(member.entry and member.local != how.get("streamed", False) for member in skeleton.members)
    with zipfile.ZipFile(io.BytesIO(zipped(content, **how))) as archive:
        members = [one for one in archive.infolist() if one.file_size]
    numbers = [struct.pack("<3L", one.CRC, one.compress_size, one.file_size) for one in members]
    assert any(packed in skeleton.frames for packed in numbers) == how.get("streamed", False)


def test_large_members_are_never_in_memory_as_a_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They come in pieces, between small ones that threads compress ahead."""
    for module in (making, rebuilding):
        monkeypatch.setattr(module, "WHOLE", 5000)
    for module in (rebuilding, deflate):
        monkeypatch.setattr(module, "CHUNK", 1000)
    wheel = make_wheel(files={**FILES, **{f"demo/m{number}.py": f"{TEXT[:3000]}{number}" for number in range(30)}})
    skeleton, files = apart(tmp_path, wheel)
    assert skeleton is not None and {member.local for member in skeleton.members} == {True, False}
    with ThreadPoolExecutor(2) as pool:
        pieces = list(rebuild(skeleton, lambda name: files / name, pool))
    assert b"".join(pieces) == wheel[1]
    assert len(pieces) > 2 * len(skeleton.members)


def test_other_compressors(tmp_path: Path) -> None:
    """A wheel of another compressor has no skeleton; a few such members are kept as they are."""

    def packed(content: bytes, only: str, compressor: ModuleType = isal_zlib) -> bytes:
        """Compress members with a name that ends so by another library: zipfile does it through zlib's name."""
        out, level = io.BytesIO(), 6 if compressor is zlib_ng else 1
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for info in old.infolist():
                with pytest.MonkeyPatch.context() as patch:
                    if info.filename.endswith(only):
                        patch.setattr(zipfile.zlib, "compressobj", lambda *_: compressor.compressobj(level, 8, -15))
                    new.writestr(zipfile.ZipInfo(info.filename), old.read(info), zipfile.ZIP_DEFLATED)
        return out.getvalue()

    name, content = make_wheel(files=FILES)
    assert apart(tmp_path, (name, packed(content, "")))[0] is None
    other = packed(content, "data.bin")
    assert other != packed(content, "nothing")
    skeleton, files = apart(tmp_path, (name, other))
    (files / "demo" / "data.bin").unlink()
    assert together(skeleton, files) == other
    # uv's wheels are packed so.
    new = packed(content, "", zlib_ng)
    assert new != content
    skeleton, files = apart(tmp_path, (name, new))
    assert together(skeleton, files) == new
    assert skeleton is not None and {member.deflate.library for member in skeleton.members if member.deflate} >= {1}


def test_a_directory_of_its_own_order(tmp_path: Path) -> None:
    """Where the central directory lists members in another order, its numbers stay in the skeleton."""
    name, content = make_wheel(files=FILES)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        start, count = archive.start_dir, len(archive.infolist())
    entries, position = [], start
    for _ in range(count):
        size = 46 + sum(struct.unpack_from("<3H", content, position + 28))
        entries.append(content[position : position + size])
        position += size
    turned = content[:start] + b"".join(reversed(entries)) + content[position:]
    skeleton, files = apart(tmp_path, (name, turned))
    assert skeleton is not None and not any(member.entry for member in skeleton.members)
    assert together(skeleton, files) == turned


def test_bytes_around_the_archive(tmp_path: Path) -> None:
    """What stands before the first member and between others is kept."""
    name, content = make_wheel(files=FILES)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        second = sorted(info.header_offset for info in archive.infolist())[1]
        later = [info.orig_filename for info in archive.infolist() if info.header_offset >= second]
        offsets = {info.orig_filename: info.header_offset for info in archive.infolist()}
    for member in later:
        content = patch_directory(content, member, offset=offsets[member] + 100)
    content = content[:second] + b"?" * 100 + content[second:]
    at = content.rindex(b"PK\5\6") + 16
    content = content[:at] + struct.pack("<L", struct.unpack_from("<L", content, at)[0] + 100) + content[at + 4 :]
    skeleton, files = apart(tmp_path, (name, content))
    assert together(skeleton, files) == content


def test_damaged_skeletons() -> None:
    """Whatever lies in the cache is a skeleton or a ValueError."""
    good = Skeleton(index="a" * 64, size=1, members=(), directory=0, frames=b"PK").to_bytes()
    strange = Member(before=0, deflate=Deflate(level=99), local=True, entry=True)
    strange_bytes = Skeleton(index="a" * 64, size=1, members=(strange,), directory=0, frames=b"PK").to_bytes()
    text = lzma.decompress(good)
    chance = random.Random(7)
    damaged = [strange_bytes, b"", b"\n", text, lzma.compress(b"[]\n"), lzma.compress(b"{}\n"), good + good, good[:-3]]
    damaged += [lzma.compress(text.replace(old, new)) for old, new in _LIES]
    for _ in range(300):
        bent = bytearray(good if chance.random() < 0.5 else text)
        bent[chance.randrange(len(bent))] ^= 1 << chance.randrange(8)
        damaged.append(bytes(bent) if bent[:1] == good[:1] else lzma.compress(bytes(bent)))
    refused = 0
    for content in damaged:
        try:
            Skeleton.from_bytes(content)
        except ValueError:
            refused += 1
    assert refused > 250
    for content in damaged[: 8 + len(_LIES)]:
        with pytest.raises(ValueError):
            Skeleton.from_bytes(content)


_LIES = (
    (b'"skeleton":1', b'"skeleton":2'),
    (b'"size":1', b'"size":-1'),
    (b'"size":1', b'"size":"1"'),
    (b'"before":[]', b'"before":[1]'),
    (b'"blank":[]', b'"blank":null'),
    (b'"index":"aaaa', b'"index":"../a'),
)


def test_a_skeleton_that_lies(tmp_path: Path) -> None:
    """One whose frames are of no archive ends in a ValueError, or in other bytes, and writes nowhere."""
    skeleton, files = apart(tmp_path, make_wheel(files=FILES))
    assert skeleton is not None
    good = together(skeleton, files)
    chance = random.Random(11)
    others = 0
    for _ in range(60):
        frames = bytearray(skeleton.frames)
        frames[chance.randrange(len(frames))] ^= 1 << chance.randrange(8)
        lying = Skeleton(**{**vars(skeleton), "frames": bytes(frames)})
        try:
            others += together(lying, files) != good
        except (ValueError, OSError):
            others += 1
    assert others > 30  # the others bent what is filled in


def test_parameters_are_those_of_zlib() -> None:
    """A stream of level 9 is found, and not taken for one of level 6."""
    from nixgen.skeletons.deflate import Search

    content = TEXT.encode()
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    stream = packer.compress(content) + packer.flush()
    search = Search()
    assert search.find(memoryview(content), memoryview(stream)) == Deflate(level=9)
    assert search.find(memoryview(content), memoryview(stream[:-1])) is None
