"""The files of a package's archive, as npm unpacks them."""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path
from typing import Any

import pytest

from nixgen.library import builder_module
from tests.support.npm_locks import make_tgz

archives = builder_module("npm_archive")


def member(name: str, *, kind: bytes = tarfile.REGTYPE, mode: int = 0o644, size: int = 0) -> tarfile.TarInfo:
    """Return a member as it stands in an archive."""
    made = tarfile.TarInfo(name)
    made.type, made.mode, made.size = kind, mode, size
    return made


def read(directory: Path, archive: bytes) -> dict[str, tuple[bytes, bool]]:
    """Return content and whether it is executable of each file of an archive, the last of several."""
    (file := directory / "demo.tgz").write_bytes(archive)
    found = {}
    for one, more in archives.members(str(file)):
        content = b""
        while piece := more():
            content += piece
        assert len(content) == one.size
        found[one.path] = (content, one.executable)
    return found


def test_files(tmp_path: Path) -> None:
    """Each file is below the package, without the first part of its name, and with its owner's x bit."""
    found = read(tmp_path, make_tgz(files={"a/b.js": "x" * 70_000, "c": ""}, executable=["c"], top="whatever"))
    assert found.keys() == {"package.json", "a/b.js", "c"}
    assert found["a/b.js"] == (b"x" * 70_000, False) and found["c"] == (b"", True)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("name", ["package/" + "d" * 90 + "/" + "f" * 90, "package/é.js"], ids=["long", "unicode"])
def test_names_in_every_form(form: int, name: str, tmp_path: Path) -> None:
    """Long names and those outside of ASCII are read in each form of tar."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        archive.addfile(member(name, size=2), io.BytesIO(b"ok"))
        archive.addfile(member("package/next", size=2), io.BytesIO(b"ok"))
    for content in (buffer.getvalue(), gzip.compress(buffer.getvalue())):
        assert read(tmp_path, content) == {name[8:]: (b"ok", False), "next": (b"ok", False)}


def test_what_npm_leaves_out(tmp_path: Path) -> None:
    """Links, devices, directories and what has no name below the first part are no files of the package."""
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE)
    more = [(member(f"package/x{kind.decode()}", kind=kind), b"") for kind in kinds]
    more += [(member("top", size=1), b"x"), (member("package/./a//b", size=1), b"y")]
    assert read(tmp_path, make_tgz(files={}, members=more)).keys() == {"package.json", "a/b"}


def test_ignore_files(tmp_path: Path) -> None:
    """A .gitignore is a .npmignore, unless one came before it, as npm has it."""
    only = [(member("package/a/.gitignore", size=1), b"g")]
    both = [(member("package/.npmignore", size=1), b"n"), (member("package/.gitignore", size=1), b"g")]
    found = read(tmp_path, make_tgz(files={}, members=only + both))
    assert {path: content for path, (content, _) in found.items() if "ignore" in path} == {
        "a/.npmignore": b"g",
        ".npmignore": b"n",
    }


@pytest.mark.parametrize("name", ["package/../../x", "../x", "package/a/../../../etc/passwd"])
def test_names_that_leave_the_package(name: str, tmp_path: Path) -> None:
    """A name with ".." is refused; the lock has refused it before, and a build trusts nobody."""
    with pytest.raises(ValueError, match="leaves the package"):
        read(tmp_path, make_tgz(members=[(member(name, size=1), b"x")]))


def test_absolute_names(tmp_path: Path) -> None:
    """A name from the root on is one of the package, as npm has it."""
    assert "etc/passwd" in read(tmp_path, make_tgz(members=[(member("/etc/passwd", size=1), b"x")]))


@pytest.mark.parametrize("damage", ["cut", "checksum", "no gzip", "bits"])
def test_damaged_archives(damage: str, tmp_path: Path) -> None:
    """What is cut short or no archive is an error, not half a package."""
    whole: Any = make_tgz(files={"a.js": bytes(range(256)) * 4000})
    if damage == "cut":
        whole = whole[: len(whole) // 2]
    elif damage == "checksum":
        plain = bytearray(gzip.decompress(whole))
        plain[0] ^= 1
        whole = gzip.compress(plain)
    elif damage == "no gzip":
        whole = b"<html>not found</html>" * 100
    else:
        whole = whole[:30] + bytes(30) + whole[60:]
    with pytest.raises(ValueError, match=r"short|checksum|invalid|incorrect"):
        read(tmp_path, whole)


def test_a_huge_header_is_refused(tmp_path: Path) -> None:
    """A pax header that says it has gigabytes is refused before it is read."""
    with pytest.raises(ValueError, match="a header of"):
        read(tmp_path, gzip.compress(member("x", kind=tarfile.XHDTYPE, size=1 << 33).tobuf(tarfile.GNU_FORMAT)))
