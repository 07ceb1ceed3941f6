"""Archives of packages: what npm takes, we take; what nobody packs by mistake is refused by name."""

from __future__ import annotations

import gzip
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nixgen.library import builder_module
from nixgen.npm.archive import ArchiveIndex, RefusedError, read_archive
from tests.support.node import npm
from tests.support.npm import NpmMade, NpmRegistry, tgz

MANIFEST = '{"name": "x", "version": "1.0.0"}'


def _index(directory: Path, content: bytes) -> ArchiveIndex:
    (directory / "x.tgz").write_bytes(content)
    return read_archive(directory / "x.tgz")


def _kind(kind: bytes, target: str = "") -> Callable[[tarfile.TarInfo], None]:
    def change(info: tarfile.TarInfo) -> None:
        info.type, info.linkname = kind, target

    return change


def test_an_archive_says_what_it_is(tmp_path: Path) -> None:
    """Name, version, sizes, install scripts, and what its sources import and it does not declare."""
    manifest = {
        "name": "@s/x",
        "version": "1.2.3",
        "scripts": {"postinstall": "b", "test": "t", "preinstall": "a"},
        "dependencies": {"declared": "1"},
        "peerDependencies": {"peer": "1"},
    }
    content = tgz(
        {
            "package/package.json": json.dumps(manifest),
            "package/index.js": "require('declared'); require('peer/y'); require('@s/x'); require('next/dist')",
            "package/lib/a.mjs": "import 'other'; // import 'not'",
            "package/test/a.js": "require('tape')",
            "package/dist/bundle.js": "(function(){})({1:[function(require,module,exports){require('bundled')},{}]})",
            "package/node_modules/b/package.json": '{"name": "b", "dependencies": {"c": "1"}}',
            "package/node_modules/b/index.js": "require('c'); require('d')",
        }
    )
    index = _index(tmp_path, content)
    assert (index.name, index.version, index.size, index.files) == ("@s/x", "1.2.3", len(content), 7)
    assert list(index.scripts.items()) == [("preinstall", "a"), ("postinstall", "b")]
    assert index.imports == {"": ("next", "other"), "node_modules/b": ("d",)}
    assert index.bundled == ("node_modules/b",)
    assert ArchiveIndex.from_json(json.loads(json.dumps(index.to_json()))) == index


def test_a_binding_is_an_install_script(tmp_path: Path) -> None:
    """What npm builds where a package has a binding.gyp and no script of its own is an install script."""
    index = _index(tmp_path, tgz({"package/package.json": MANIFEST, "package/binding.gyp": "{}"}))
    assert index.scripts == {"install": "node-gyp rebuild"}


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"package/../../evil": ""}, "leaves the archive"),
        ({"../evil": ""}, "leaves the archive"),
        ({"/etc/evil": ""}, "absolute"),
        ({"package/a\\..\\b": ""}, "backslash"),
        ({"package/a\nb": ""}, "control character"),
        ({"package/a": _kind(tarfile.SYMTYPE, "/etc/passwd")}, "leads out of the package"),
        ({"package/a": _kind(tarfile.SYMTYPE, "../../x")}, "leads out of the package"),
        ({"package/a": _kind(tarfile.LNKTYPE, "../x")}, "leads out of the package"),
        ({"package/a": _kind(tarfile.CHRTYPE)}, "character device"),
        ({"package/a": _kind(tarfile.BLKTYPE)}, "block device"),
        ({"package/a": _kind(tarfile.FIFOTYPE)}, "FIFO"),
        ({"package/a": "", "package/a/b": ""}, "a file and a directory at once"),
        ({"package/" + "d/" * 300 + "a": ""}, "parts"),
        ({"package/" + "x" * 300: ""}, "longer than 255"),
        ({"package/node_modules/a b/c.js": ""}, "no name of a package"),
        ({"package/package.json": '{"name": "../evil"}'}, "no name of a package"),
        ({"package/package.json": "{"}, "no JSON"),
        ({"package/package.json": "[]"}, "no table"),
        ({"package/zeros": b"\0" * 40_000_000}, "become more than"),
    ],
)
def test_a_hostile_archive_is_refused_with_its_member(tmp_path: Path, members: dict[str, Any], said: str) -> None:
    """What leaves the package, is no file, has no possible name or swells is refused, and named."""
    with pytest.raises(RefusedError) as caught:
        _index(tmp_path, tgz({"package/package.json": MANIFEST, **members}))
    assert any(said in problem for problem in caught.value.problems), caught.value.problems


def test_all_problems_are_said_at_once(tmp_path: Path) -> None:
    """Each bad member is a line."""
    with pytest.raises(RefusedError) as caught:
        _index(tmp_path, tgz({"package/package.json": MANIFEST, "/a": "", "package/../b": "", "package/c\\": ""}))
    assert len(caught.value.problems) == 3


@pytest.mark.parametrize("cut", [10, 100, 200, -200])
def test_an_archive_that_is_cut_short_is_refused(tmp_path: Path, cut: int) -> None:
    """Wherever the bytes end too early, the archive cannot be read, and nothing of it counts."""
    content = tgz({"package/package.json": MANIFEST, "package/a": bytes(range(256)) * 40})
    with pytest.raises(RefusedError):
        _index(tmp_path, content[:cut])


@pytest.mark.parametrize(
    "content",
    [b"", b"<html>", b"\x1f\x8b garbage", gzip.compress(b"text", mtime=0), b"PK\x03\x04"],
    ids=["nothing", "a page", "a broken stream", "no tar", "a zip"],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    """A page of a server, or anything else, is no package."""
    with pytest.raises(RefusedError):
        _index(tmp_path, content)


def test_names_that_differ_in_case_are_a_warning(tmp_path: Path) -> None:
    """npm takes them, and so do we; macOS cannot hold both."""
    index = _index(tmp_path, tgz({"package/package.json": MANIFEST, "package/A": "", "package/a": ""}))
    assert any("macOS" in warning for warning in index.warnings)


def test_what_npm_installs_of_an_odd_archive_is_what_a_build_unpacks(tmp_path: Path) -> None:
    """Real npm, and our reader: names, contents and x bits are the same, for what archives in the wild have."""
    odd = [
        ("package/package.json", MANIFEST),
        ("package/twice.js", "first"),
        ("other/twice.js", "second"),
        ("package/program", "#!/bin/sh\n"),
        ("package/dir/", _kind(tarfile.DIRTYPE)),
        ("package/a//b/./c.js", "c"),
        ("./package/deep.js", "deep"),
        ("top.js", "left out"),
        ("package/link", _kind(tarfile.SYMTYPE, "twice.js")),
        ("package/hard", _kind(tarfile.LNKTYPE, "package/twice.js")),
        ("package/.gitignore", "ignored"),
        ("package/sub/.npmignore", "npm"),
        ("package/sub/.gitignore", "git"),
        ("package/é ü.js", "unicode"),
        ("package/A", "upper"),
        ("package/a.js", "lower"),
        ("package/" + "long/" * 30 + "x.js", "long"),
        ("package/empty", ""),
    ]
    packed = tgz(odd)
    made = NpmMade(manifest=json.loads(MANIFEST), archive=packed)
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    (project / "package.json").write_text('{"dependencies": {"x": "1.0.0"}}')
    with NpmRegistry([made]) as registry:
        npm("install", "--ignore-scripts", directory=project, home=home, npm_config_registry=registry.url)
    top = project / "node_modules/x"
    theirs = {
        str(path.relative_to(top)): (path.read_bytes(), bool(path.stat().st_mode & 0o100))
        for path in top.rglob("*")
        if path.is_file()
    }
    (tmp_path / "x.tgz").write_bytes(made.archive)
    ours: dict[str, tuple[bytes, bool]] = {}
    for member, read in builder_module("npm_archive").members(str(tmp_path / "x.tgz")):
        ours[member.path] = (b"".join(iter(read, b"")), member.executable)
    assert ours == theirs
    assert not any(path.is_symlink() for path in top.rglob("*"))
    index = read_archive(tmp_path / "x.tgz")
    assert index.files == len(theirs)


def test_an_archive_that_is_not_packed_is_read(tmp_path: Path) -> None:
    """A tar file without gzip is taken, as npm takes it."""
    packed = gzip.decompress(tgz({"package/package.json": MANIFEST}))
    assert _index(tmp_path, packed).name == "x"
