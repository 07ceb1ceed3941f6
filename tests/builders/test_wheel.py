"""Unpacking a source, and what its build is given."""

from __future__ import annotations

import io
import os
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
import wheel


def write_tar(path: Path, members: Iterable[tuple[str, bytes | None, str]]) -> Path:
    """Write an archive of members: a name, and content or None with what a link points to and how."""
    with tarfile.open(path, "w:gz") as archive:
        for name, content, link in members:
            info = tarfile.TarInfo(name)
            if content is None:
                kind, _, info.linkname = link.partition(":")
                info.type = {"symbolic": tarfile.SYMTYPE, "hard": tarfile.LNKTYPE}[kind]
                archive.addfile(info)
            else:
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
    return path


@pytest.fixture(params=["filter", "no filter"])
def either_python(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unpack as a Python with PEP 706 does, and as one of before it."""
    if request.param == "no filter":
        monkeypatch.delattr(tarfile, "data_filter", raising=False)


@pytest.mark.usefixtures("either_python")
def test_an_archive_is_unpacked(tmp_path: Path) -> None:
    """Its one directory is the source; links inside of it, of either kind, are there."""
    members = [("demo/a.py", b"1", ""), ("demo/b.py", None, "symbolic:a.py"), ("demo/c.py", None, "hard:demo/a.py")]
    source = write_tar(tmp_path / "demo.tar.gz", members)
    found = Path(wheel._unpacked(str(source), str(tmp_path)))
    assert found == tmp_path / "source" / "demo"
    assert {path.name: path.read_text() for path in found.iterdir()} == {"a.py": "1", "b.py": "1", "c.py": "1"}


@pytest.mark.usefixtures("either_python")
@pytest.mark.parametrize(
    "member",
    [
        ("../escaped", b"1", ""),
        ("demo/../../escaped", b"1", ""),
        ("demo/link", None, "symbolic:../../escaped"),
        ("demo/link", None, "symbolic:/etc/passwd"),
        ("demo/link", None, "hard:../escaped"),
    ],
)
def test_a_member_that_escapes_is_refused(tmp_path: Path, member: tuple[str, bytes | None, str]) -> None:
    """Neither a file nor a link leads out of the build's directory; the archive is named."""
    source = write_tar(tmp_path / "demo.tar.gz", [("demo/a.py", b"1", ""), member])
    (tmp_path / "top").mkdir()
    with pytest.raises(SystemExit, match=r"nixgen: the archive demo\.tar\.gz "):
        wheel._unpacked(str(source), str(tmp_path / "top"))
    assert not (tmp_path / "escaped").exists() and not (tmp_path / "top" / "escaped").exists()
    assert not os.path.lexists(tmp_path / "top" / "source" / "demo" / "link")


@pytest.mark.usefixtures("either_python")
def test_links_do_not_lead_out_together(tmp_path: Path) -> None:
    """Two links, each of which stays inside as it is written, and a file through them."""
    members = [
        ("demo/a/b/c.py", b"1", ""),
        ("demo/up", None, "symbolic:a/.."),
        ("demo/top", None, "symbolic:up/.."),
        ("demo/out", None, "symbolic:top/.."),
        ("demo/out/escaped", b"1", ""),
    ]
    (tmp_path / "in" / "top").mkdir(parents=True)
    source = write_tar(tmp_path / "demo.tar.gz", members)
    with pytest.raises(SystemExit, match=r"nixgen: the archive demo\.tar\.gz "):
        wheel._unpacked(str(source), str(tmp_path / "in" / "top"))
    assert not list(tmp_path.rglob("escaped"))


def test_a_zip_archive_that_escapes_is_refused(tmp_path: Path) -> None:
    """As of a tar archive."""
    with zipfile.ZipFile(tmp_path / "demo.zip", "w") as archive:
        archive.writestr("../escaped", "1")
    with pytest.raises(SystemExit, match=r"demo\.zip has a member that escapes: '\.\./escaped'"):
        wheel._unpacked(str(tmp_path / "demo.zip"), str(tmp_path))


def test_programs_of_a_zip_archive_can_be_run(tmp_path: Path) -> None:
    """A file that the archive marks executable is so, and no other; every file has one time."""
    path = tmp_path / "demo.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, mode in (("demo/configure", 0o100755), ("demo/setup.py", 0o100644)):
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            archive.writestr(info, "")
    found = Path(wheel._unpacked(str(path), str(tmp_path)))
    assert {path.name: path.stat().st_mode & 0o111 > 0 for path in found.iterdir()} == {
        "configure": True,
        "setup.py": False,
    }
    wheel._set_times(str(found))
    assert {path.stat().st_mtime for path in found.iterdir()} == {wheel.EPOCH}


def test_what_a_build_is_told(tmp_path: Path) -> None:
    """Paths are those of the whole source, whatever a user adds; a version is told where the source has none."""
    attributes = {
        "name": "a-demo",
        "version": "1.2",
        "unversioned": True,
        "environment": "/environment",
        "programs": ["/opt/tool/bin/tool", "cmake"],
        "prefixes": [],
        "machine": ["/usr/bin"],
        "env": [["CFLAGS", "-O1"], ["RUSTFLAGS", "-g"]],
    }
    told = wheel._environment(attributes, str(tmp_path / "source"), str(tmp_path))
    assert told["CFLAGS"] == f"-O1 -ffile-prefix-map={tmp_path}/source=/build/source"
    assert told["RUSTFLAGS"] == f"-g --remap-path-prefix={tmp_path}/source=/build/source"
    assert told["PATH"].split(":")[:2] == ["/environment/bin", "/opt/tool/bin"]
    assert told["SETUPTOOLS_SCM_PRETEND_VERSION_FOR_A_DEMO"] == "1.2"
    (tmp_path / "again").mkdir()
    again = wheel._environment({**attributes, "unversioned": False}, str(tmp_path), str(tmp_path / "again"))
    assert "SETUPTOOLS_SCM_PRETEND_VERSION" not in again


def test_what_is_no_archive_is_named(tmp_path: Path) -> None:
    """A file that is cut short says so."""
    whole = write_tar(tmp_path / "whole.tar.gz", [("demo/a.py", os.urandom(4096), "")]).read_bytes()
    (tmp_path / "cut.tar.gz").write_bytes(whole[:2000])
    with pytest.raises(SystemExit, match=r"the archive cut\.tar\.gz cannot be unpacked"):
        wheel._unpacked(str(tmp_path / "cut.tar.gz"), str(tmp_path))


def test_a_directory_is_copied_writable(tmp_path: Path) -> None:
    """Of the store nothing can be written; of its copy everything, and what was executable is."""
    (tmp_path / "of_store").mkdir()
    for name, mode in (("a.py", 0o444), ("configure", 0o555)):
        (tmp_path / "of_store" / name).write_text("1")
        (tmp_path / "of_store" / name).chmod(mode)
    (tmp_path / "of_store").chmod(0o555)
    found = Path(wheel._unpacked(str(tmp_path / "of_store"), str(tmp_path)))
    (tmp_path / "of_store").chmod(0o755)
    assert {path.name: path.stat().st_mode & 0o777 for path in found.iterdir()} == {"a.py": 0o644, "configure": 0o755}
    assert found.stat().st_mode & 0o777 == 0o755
