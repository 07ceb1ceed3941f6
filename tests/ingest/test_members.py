"""``nixgen.ingest.members``: a member's bytes, and nothing else."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest

from nixgen.archives.deflate import PIECE, inflated
from nixgen.errors import VerificationError
from nixgen.ingest import members
from nixgen.model import WheelFile, WheelIndex, WheelSource
from tests.support.wheels import make_wheel, nix_sha256

CONTENT = b"".join(b"line %d\n" % number for number in range(300_000))  # several chunks, inflated and not


def archive(
    compression: int, promised: bytes = CONTENT, **fields: int
) -> tuple[io.BytesIO, zipfile.ZipInfo, WheelIndex]:
    file = io.BytesIO(make_wheel("demo", "1.0", {"data.bin": CONTENT}, compression=compression)[1])
    with zipfile.ZipFile(file) as opened:
        info = opened.getinfo("data.bin")
    for name, value in fields.items():
        setattr(info, name, value)
    source = WheelSource(filename="demo-1.0-py3-none-any.whl", path="demo-1.0-py3-none-any.whl")
    return file, info, _index(source, nix_sha256(promised))


def _index(source: WheelSource, sha256: str) -> WheelIndex:
    files = {"data.bin": WheelFile(sha256=sha256, size=1)}
    return WheelIndex(source=source, name="demo", dist_info="demo-1.0.dist-info", files=files)


def by_pieces(file: io.BytesIO, info: zipfile.ZipInfo, index: WheelIndex) -> bytes:
    return b"".join(members.pieces(file, info, index))


@pytest.mark.parametrize("take", [members.read, by_pieces])
@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
class TestBothWays:
    """As a whole and in pieces, stored and deflated."""

    def test_content(self, take: object, compression: int) -> None:
        """The bytes are those of the member."""
        assert callable(take)
        assert take(*archive(compression)) == CONTENT

    def test_another_hash(self, take: object, compression: int) -> None:
        """Other content than the lock promises is refused, with both hashes."""
        assert callable(take)
        with pytest.raises(VerificationError, match="RECORD") as raised:
            take(*archive(compression, promised=b"other"))
        assert nix_sha256(b"other") in str(raised.value) and nix_sha256(CONTENT) in str(raised.value)

    def test_a_directory_that_lies(self, take: object, compression: int) -> None:
        """A member that is longer than its directory says, or is not where it says, is refused."""
        assert callable(take)
        shorter = {"file_size": 1000, "compress_size": 1000} if compression == zipfile.ZIP_STORED else {"file_size": 1}
        with pytest.raises(VerificationError):
            take(*archive(compression, **shorter))
        with pytest.raises(zipfile.BadZipFile):
            take(*archive(compression, header_offset=7))
        with pytest.raises(NotImplementedError):
            take(*archive(compression, compress_type=zipfile.ZIP_LZMA))


def test_damaged_deflate() -> None:
    """What cannot be inflated is one of the errors that callers know."""
    file, info, index = archive(zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(file) as opened, opened.open(info):
        start = info.header_offset + 30 + len(info.filename)
    file.seek(start)
    file.write(b"\xff" * 100)
    with pytest.raises((*members.MEMBER_ERRORS, VerificationError)):
        members.read(file, info, index)


@pytest.mark.parametrize("more", [0, 1, 235, 40_000])
def test_what_a_piece_has_no_room_for(more: int) -> None:
    """The end of a member that inflates to a little more than whole pieces is not lost with the last chunk."""
    content = (b"the same line\n" * 80_000)[: 3 * PIECE + more]
    file = io.BytesIO(make_wheel("demo", "1.0", {"data.bin": content})[1])
    with zipfile.ZipFile(file) as opened:
        info = opened.getinfo("data.bin")
    source = WheelSource(filename="demo-1.0-py3-none-any.whl", path="demo-1.0-py3-none-any.whl")
    assert by_pieces(file, info, _index(source, nix_sha256(content))) == content
    packed = zlib.compress(content, 9, wbits=-15)
    assert b"".join(inflated(packed[start : start + 7] for start in range(0, len(packed), 7))) == content


def test_pieces_stay_small() -> None:
    """A member of any size is inflated a little at a time."""
    assert max(map(len, members.pieces(*archive(zipfile.ZIP_DEFLATED)))) <= 1 << 18
