"""Verifying and repairing, in a real store that is damaged for real."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.leaf import leaf_path
from tests.support.cli import listing

from .conftest import Built, alter, delete, environment_of, relink, truncate

pytestmark = pytest.mark.nix


def found(built: Built, *arguments: str, code: int = 5) -> set[tuple[str, str, str, str]]:
    """Verify, and return kind, what, path and file of each finding."""
    said = json.loads(built.cli("verify", "--json", *arguments, code=code).stdout)
    return {(one["kind"], one["what"], one["path"], one["file"]) for one in said["findings"]}


def test_all_is_well(built: Built) -> None:
    """What was just built has nothing wrong, and nothing is changed."""
    before = listing(built.store)
    assert found(built, code=0) == set()
    assert {name for name in listing(built.store).keys() ^ before.keys() if not name.endswith(".drv")} == set()
    assert built.cli("verify").stderr.startswith("all is well: ")
    done = built.cli("verify", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")
    assert found(built, "--all", code=0) == set()


def inside(tree: Path, path: Path) -> str:
    return str(path.relative_to(tree))


def test_names_each(built: Built) -> None:
    """An altered leaf, a deleted one and a truncated .pyc of one tree are named, each with its file."""
    altered, deleted, cut = built.leaf("demo/big.bin"), built.leaf("demo/data.txt"), built.bytecode()
    alter(altered)
    deleted.unlink()
    truncate(cut)
    assert found(built) == {
        ("altered", "leaf", str(altered), "demo/big.bin"),
        ("missing", "leaf", str(deleted), "demo/data.txt"),
        ("altered", "tree", str(built.tree()), inside(built.tree(), cut)),
    }
    text = built.cli("verify", code=5)
    assert "demo 1.0: demo/big.bin" in text.stdout and "nixgen verify --repair" in text.stderr


def link_elsewhere(built: Built) -> tuple[str, Path]:
    (path,) = built.tree().glob("lib/python*/site-packages/demo/other.py")
    relink(path, "/nonexistent")
    return "altered", path


def copy_of(built: Built) -> Path:
    (path,) = built.tree().glob("lib/python*/site-packages/demo/__init__.py")
    return path


def change_copy(built: Built) -> tuple[str, Path]:
    path = copy_of(built)
    content = path.read_bytes()
    delete(path)  # it may be its leaf's file
    path.parent.chmod(0o755)
    path.write_bytes(content)
    path.parent.chmod(0o555)
    alter(path)
    return "altered", path


def add_file(built: Built) -> tuple[str, Path]:
    directory = next(built.tree().glob("lib/python*/site-packages/demo"))
    directory.chmod(0o755)
    (directory / "more.py").write_text("")
    (directory / "more.py").chmod(0o444)
    directory.chmod(0o555)
    return "extra", directory / "more.py"


def test_images(built: Built) -> None:
    """The image of an environment, once there is one, is compared and restored as its trees are."""
    image = Path(built.cli("build", "--mounted", "--no-out-link").stdout.strip())
    assert found(built, code=0) == set()
    alter(image / "image.erofs")
    damage = ("altered", "image", str(image))
    assert found(built) == {(*damage, "image.erofs")}
    assert {one[:3] for one in found(built, "--all")} == {damage}
    assert built.cli("verify", "--repair").returncode == 0
    assert found(built, code=0) == set()


@pytest.mark.parametrize("damage", [link_elsewhere, change_copy, add_file])
def test_trees(built: Built, damage: Callable[[Built], tuple[str, Path]]) -> None:
    """A link that leads elsewhere, a changed copy, a file too many: named, and repaired."""
    before = listing(built.tree())
    kind, path = damage(built)
    assert found(built) == {(kind, "tree", str(built.tree()), inside(built.tree(), path))}
    built.cli("verify", "--repair")
    assert listing(built.tree()) == before
    assert found(built, code=0) == set()


def test_a_copy_that_is_its_leaf(built: Built) -> None:
    """What Nix has once, as a leaf and as a copy of it, is damaged as both, restored as both, and is one file again."""
    copy = copy_of(built)
    leaf = Path(leaf_path(copy.name, hashlib.sha256(copy.read_bytes()).digest(), str(built.store)))
    if not copy.samefile(leaf):
        pytest.skip("the builder could not make the copy one more name of the leaf")
    before = listing(built.tree())
    alter(copy)
    assert found(built) == {
        ("altered", "leaf", str(leaf), "demo/__init__.py"),
        ("altered", "tree", str(built.tree()), ""),
    }
    built.cli("verify", "--repair")
    assert found(built, code=0) == set()
    assert listing(built.tree()) == before
    assert copy_of(built).samefile(leaf)


def damage_everything(built: Built) -> None:
    alter(built.leaf("demo/big.bin"))
    built.leaf("demo/data.txt").unlink()
    truncate(built.bytecode())
    alter(built.index())
    (built.environment / "bin").chmod(0o755)
    delete(built.environment / "pyvenv.cfg")
    built.leaf("demo/other.py").chmod(0o644)


def test_repairs_all(built: Built) -> None:
    """Everything at once is repaired to what it was, and the second run has nothing to do."""
    before = listing(built.store)
    damage_everything(built)
    assert len({path for _, _, path, _ in found(built)}) >= 5
    said = json.loads(built.cli("verify", "--repair", "--json").stdout)
    assert said["findings"] == [] and said["problems"] == [] and len(said["repaired"]) >= 6
    after = listing(built.store)
    assert {name for name in before if after.get(name) != before[name]} == set()
    assert not list(built.store.glob(".nixgen-*"))
    assert found(built, code=0) == set() == found(built, "--all", code=0)


@pytest.mark.parametrize("what", ["leaf", "index", "tree", "environment"])
def test_missing_rows(built: Built, what: str) -> None:
    """What Nix's database has lost is named and told it again, with the references of what needs it."""
    paths = {
        "leaf": built.leaf("demo/data.txt"),
        "index": built.index(),
        "tree": built.tree(),
        "environment": built.environment,
    }
    built.forget(paths[what])
    assert ("unregistered", what, str(paths[what])) in {one[:3] for one in found(built)}
    built.cli("verify", "--repair")
    assert found(built, code=0) == set()
    subprocess.run(["nix-store", "--gc"], env=environment_of(built), check=True, capture_output=True)
    assert found(built, code=0) == set()
    subprocess.run(["nix-store", "--verify", "--check-contents"], env=environment_of(built), check=True)


def test_a_whole_tree_is_gone(built: Built) -> None:
    """A deleted tree comes back."""
    tree = built.tree("other-2.0")
    before = listing(tree)
    for directory in [tree, *(path for path in tree.rglob("*") if path.is_dir() and not path.is_symlink())]:
        directory.chmod(0o755)
    shutil.rmtree(tree)
    assert ("missing", "tree", str(tree), "") in found(built)
    built.cli("verify", "--repair")
    assert listing(tree) == before and found(built, code=0) == set()


#: Maps a library, holds a file open, and reads both again whenever it is told to.
_PROGRAM = """
import ctypes, mmap, sys, demo
from importlib.resources import files
opened = open(files("demo") / "data.txt", "rb")
mapped = open(files("demo") / "big.bin", "rb")
mapped = mmap.mmap(mapped.fileno(), 0, prot=mmap.PROT_READ)
first = opened.read(), bytes(mapped)
for line in sys.stdin:
    opened.seek(0)
    from importlib import import_module, reload
    import other.code
    reload(other.code)
    print((opened.read(), bytes(mapped)) == first, flush=True)
"""


def test_others_run_meanwhile(built: Built) -> None:
    """A program that has leaves open and mapped goes on while they, its tree and its environment are replaced."""
    big, data = built.leaf("demo/big.bin"), built.leaf("demo/data.txt")
    inodes = {path: path.stat().st_ino for path in (big, data, built.tree())}
    with subprocess.Popen(
        [built.environment / "bin/python", "-c", _PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdin is not None and program.stdout is not None

        def goes_on() -> bool:
            print(file=program.stdin, flush=True)
            return program.stdout.readline() == "True\n"  # type: ignore[union-attr]

        assert goes_on()
        # What is damaged is not what the program has open: that would be what it sees.
        for path in (big, data):
            content = bytearray(path.read_bytes())
            content[0] ^= 1
            other = path.with_name("other")
            other.write_bytes(content)
            other.chmod(0o444)
            other.replace(path)
        truncate(built.bytecode())
        repair = built.cli.start("verify", "--repair")
        while repair.poll() is None:
            assert goes_on()
        assert repair.wait() == 0
        repair.communicate()
        assert goes_on()
        program.stdin.close()
    assert all(path.stat().st_ino != inode for path, inode in inodes.items())
    assert found(built, code=0) == set()


def test_the_store_is_never_without(built: Built) -> None:
    """While a tree is restored again and again, its files can be opened at any time."""
    stop = built.cli.directory / "stop"
    module = next(built.tree().glob("lib/python*/site-packages/demo/other.py"))
    watch = f"""
import os, sys
opened = 0
while not os.path.exists({str(stop)!r}):
    for path in ({str(module)!r}, {str(built.leaf("demo/data.txt"))!r}):
        with open(path, "rb") as file: file.read()
    opened += 1
print(opened)
"""
    with subprocess.Popen([sys.executable, "-c", watch], stdout=subprocess.PIPE, text=True) as watching:
        for _ in range(3):
            truncate(built.bytecode())
            built.leaf("demo/data.txt").chmod(0o644)
            built.leaf("demo/data.txt").write_bytes(b"dat4\n")
            built.cli("verify", "--repair")
        stop.touch()
        assert int(watching.communicate()[0]) > 100
    assert watching.returncode == 0


def test_a_killed_repair_leaves_old_or_new(built: Built) -> None:
    """However early it is killed, each path is what it was or what it should be, and the next repair succeeds."""
    leaf, good = built.leaf("demo/big.bin"), built.leaf("demo/big.bin").read_bytes()
    for delay in (0.6, 0.9, 1.1, 1.3):
        alter(leaf)
        truncate(built.bytecode())
        states = {path: {path.read_bytes()} for path in (leaf, built.bytecode())}
        repair = built.cli.start("verify", "--repair")
        time.sleep(delay)
        repair.kill()
        repair.communicate()
        assert leaf.read_bytes() in (good, *states[leaf]) and built.bytecode().is_file()
        built.cli("verify", "--repair")
        assert leaf.read_bytes() == good
    assert found(built, code=0) == set()


def test_linked_by_nix(built: Built) -> None:
    """What ``auto-optimise-store`` has made one of, and is damaged, is not given to others after a repair."""
    subprocess.run(["nix-store", "--optimise"], env=environment_of(built), check=True, capture_output=True)
    leaf, links = built.leaf("demo/big.bin"), built.store / ".links"
    good = leaf.read_bytes()
    shared = [path for path in links.iterdir() if path.lstat().st_ino == leaf.stat().st_ino]
    alter(leaf)
    truncate(built.bytecode())
    built.cli("verify", "--repair")
    assert leaf.read_bytes() == good and len(shared) == 1 and not shared[0].exists()
    subprocess.run(["nix-store", "--optimise"], env=environment_of(built), check=True, capture_output=True)
    assert found(built, code=0) == set()
