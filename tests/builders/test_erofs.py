"""The image of an environment: what the kernel and the tools of the format see in it."""

from __future__ import annotations

import io
import os
import random
import subprocess
from pathlib import Path

import erofs
import pytest

from tests.support.mounts import mounted, needs_root, shown
from tests.support.programs import program

TIME = 1_000_000_000


def image(directory: Path, root: erofs.Directory) -> Path:
    """Write an image, which the format's own program finds sound, and return its path."""
    path = directory / "image.erofs"
    with path.open("wb") as file:
        size = erofs.write(file, root, time=TIME)
    assert path.stat().st_size == size
    checked = subprocess.run([program("fsck.erofs", "erofs-utils"), path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0 and "error" not in checked.stderr.lower(), checked.stderr
    return path


def some_tree(seed: int) -> erofs.Directory:
    """Return a tree of directories, links and files without content, of all sizes of names and directories."""
    chance = random.Random(seed)

    def directory(depth: int) -> erofs.Directory:
        entries: dict[bytes, erofs.Directory | erofs.File | erofs.Link] = {}
        for _ in range(chance.choice([0, 1, 5, 60, 300])):
            name = bytes(chance.choices(b"abcXYZ019.-_+ \xc3\xa9", k=chance.choice([3, 20, 120, 255])))
            if name in (b".", b".."):
                continue
            kind = chance.random()
            if kind < 0.1 and depth:
                entries[name] = directory(depth - 1)
            elif kind < 0.2:
                entries[name] = erofs.Link(b"x" * chance.choice([1, 60, 2000, 4000]))
            else:
                size = chance.choice([0, 1, 4096, 4097, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 40])
                entries[name] = erofs.File(chance.choice([0o644, 0o755]), size, b"/" + b"y" * chance.choice([1, 500]))
        return erofs.Directory(entries)

    root = directory(3)
    root.entries[b"more"] = directory(3)
    return root


def listed(root: Path | str) -> dict[bytes, tuple[object, ...]]:
    """Return what is below a directory: kind, mode, size or target."""
    found: dict[bytes, tuple[object, ...]] = {}
    start = os.fsencode(root)
    for directory, directories, files in os.walk(start):
        for name in [*directories, *files]:
            path = os.path.join(directory, name)  # noqa: PTH118 - bytes
            status = os.lstat(path)
            if os.path.islink(path):  # noqa: PTH114
                found[os.path.relpath(path, start)] = ("link", os.readlink(path))  # noqa: PTH115
            elif name in directories:
                found[os.path.relpath(path, start)] = ("directory", status.st_mode & 0o777, status.st_nlink)
            else:
                found[os.path.relpath(path, start)] = ("file", status.st_mode & 0o777, status.st_size)
            assert (status.st_uid, status.st_gid, status.st_mtime_ns) == (0, 0, TIME * 10**9)
    return found


def expected(node: erofs.Directory, prefix: bytes = b"") -> dict[bytes, tuple[object, ...]]:
    """Return what ``listed`` is to give."""
    found: dict[bytes, tuple[object, ...]] = {}
    for name, entry in node.entries.items():
        path = prefix + name
        if isinstance(entry, erofs.Link):
            found[path] = ("link", entry.target)
        elif isinstance(entry, erofs.File):
            found[path] = ("file", entry.mode, entry.size)
        else:
            inside = sum(isinstance(below, erofs.Directory) for below in entry.entries.values())
            found[path] = ("directory", 0o755, 2 + inside)
            found.update(expected(entry, path + b"/"))
    return found


@needs_root
@pytest.mark.parametrize("seed", range(6))
def test_the_kernel_sees_every_entry(tmp_path: Path, seed: int) -> None:
    """Names, modes, sizes, links and numbers of links are what was written, whatever the directories' sizes."""
    root = some_tree(seed)
    with mounted("-t", "erofs", "-o", "ro", image(tmp_path, root), at=tmp_path / "names") as names:
        assert listed(names) == expected(root)


@needs_root
def test_content_comes_from_the_store(tmp_path: Path) -> None:
    """Under overlayfs a file has the content that it names, with its mode from the image; an empty one needs none."""
    store = tmp_path / "store"
    (store / "tree").mkdir(parents=True)
    (store / "leaf").write_bytes(b"#!/bin/sh\necho it runs\n")
    (store / "tree/inside").write_bytes(b"in a tree")
    (store / "leaf").chmod(0o444)
    root = erofs.Directory(
        {
            b"program": erofs.File(0o755, 23, b"/leaf"),
            b"data": erofs.File(0o644, 9, b"/tree/inside"),
            b"empty": erofs.File(0o644, 0, b""),
        }
    )
    with shown(image(tmp_path, root), store, tmp_path) as place:
        assert subprocess.check_output([place / "program"]) == b"it runs\n"
        assert (place / "data").read_bytes() == b"in a tree"
        assert (place / "empty").read_bytes() == b""
        assert (place / "data").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("seed", range(6))
def test_what_is_written_is_read(seed: int) -> None:
    """Who cannot mount an image reads the same from it."""
    file = io.BytesIO()
    erofs.write(file, some_tree(seed), time=TIME)
    assert erofs.read(file.getvalue()) == some_tree(seed)


def test_equal_trees_give_equal_bytes() -> None:
    """The order in which entries come decides nothing."""
    one, other = io.BytesIO(), io.BytesIO()
    root = some_tree(1)
    erofs.write(one, root, time=TIME)
    erofs.write(other, erofs.Directory(dict(reversed(root.entries.items()))), time=TIME)
    assert one.getvalue() == other.getvalue()


def test_what_the_format_cannot_hold_is_refused() -> None:
    """A name of more than 255 bytes, and a link that no block holds."""
    for node, name in ((erofs.Link(b"x"), b"n" * 256), (erofs.Link(b"x" * 4001), b"n"), (erofs.Link(b"x"), b"")):
        with pytest.raises(ValueError, match="bytes"):
            erofs.write(io.BytesIO(), erofs.Directory({name: node}), time=TIME)
