"""What tools do with files that are real: a debugger, coverage, a watcher, git, another environment out of this one."""

from __future__ import annotations

import ctypes
import json
import mmap
import os
import select
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.builders.conftest import Workbench
from tests.support.mounts import own_places, unmount_below
from tests.support.owner import as_root
from tests.support.wheels import make_wheel
from tests.venv.conftest import Venv, demo_wheel, said

pytestmark = as_root

LARGE = b"0123456789abcdef" * 16384
STEPS = "def double(x):\n    y = 2 * x\n    return y\n"


@pytest.fixture(scope="module")
def mounted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venv]:
    """The environment of a project, in the project's checkout."""
    root = tmp_path_factory.mktemp("tools")
    workbench = Workbench(root)
    image = workbench.mounted(demo_wheel(), make_wheel("steps", "1.0", {"steps.py": STEPS, "large.txt": LARGE}))
    subprocess.run(["git", "init", "-q", root / "project"], check=True)
    venv = Venv(directory=root / "project/.venv", env=image)
    venv.environment = own_places(root)
    venv("--mounted")
    yield venv
    unmount_below(root)


def _git(mounted: Venv) -> str:
    return subprocess.run(
        ["git", "status", "--porcelain"], cwd=mounted.directory.parent, capture_output=True, text=True, check=True
    ).stdout


def test_git(mounted: Venv) -> None:
    """git sees nothing of DIR, mounted or not; a .gitignore of the user's own stays, as does that there is none."""
    assert _git(mounted) == ""
    mounted("--unmount")
    assert _git(mounted) == ""
    mounted("--heal")
    (mounted.directory / ".gitignore").write_text("bin\nlib*\n")
    mounted("--unmount")
    mounted("--mounted")
    assert (mounted.directory / ".gitignore").read_text() == "bin\nlib*\n"
    (mounted.directory / ".gitignore").unlink()
    mounted("--unmount")
    mounted("--mounted")
    assert not (mounted.directory / ".gitignore").exists()
    mounted("--reset")
    assert _git(mounted) == ""


def test_an_environment_out_of_it(mounted: Venv, tmp_path: Path) -> None:
    """``python -m venv`` of its Python makes an environment of the same interpreter, which is none of nixgen's."""
    said(mounted.directory / "bin/python", "-m", "venv", "--without-pip", tmp_path / "v")
    code = "import importlib.util as u, sys; print(sys.prefix, sys.base_prefix, u.find_spec('demo'))"
    base = mounted.python("import sys; print(sys.base_prefix)")
    assert said(tmp_path / "v/bin/python", "-c", code) == f"{tmp_path}/v {base} None"


@pytest.mark.registry
def test_coverage(mounted: Venv, tmp_path: Path) -> None:
    """coverage, installed into DIR by uv, measures what is imported below a directory of DIR, and names it there."""
    interpreter = mounted.directory / "bin/python"
    subprocess.run([find_uv_bin(), "pip", "install", "-q", "--python", interpreter, "coverage"], check=True)
    (tmp_path / "run.py").write_text("import steps; steps.double(1)")

    def run(*words: str | Path) -> str:
        command = [mounted.directory / "bin/coverage", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    run("run", f"--source={mounted.site}", "run.py")
    found = json.loads(run("json", "-q", "-o", "-"))["files"]
    (name,) = [name for name in found if name.endswith("/steps.py")]
    assert (tmp_path / name).resolve() == mounted.site / "steps.py"
    assert found[name]["summary"]["percent_covered"] == 100
    mounted("--reset")


def test_debugger(mounted: Venv) -> None:
    """A breakpoint by a file's path in DIR is hit, and the debugger shows that path."""
    commands = f"break {mounted.site}/steps.py:3\ncontinue\np y\ncontinue\nq\n"
    code = "import pdb; pdb.set_trace(); import steps; steps.double(21)"
    done = subprocess.run(
        [mounted.directory / "bin/python", "-c", code], input=commands, capture_output=True, text=True, check=False
    )
    assert f"> {mounted.site}/steps.py(3)double()" in done.stdout and "(Pdb) 42" in done.stdout, done


def test_watcher(mounted: Venv) -> None:
    """inotify(7) tells of the first change of a file, which moves it to the layer, and of those that follow."""
    libc = ctypes.CDLL(None, use_errno=True)
    watcher = libc.inotify_init1(os.O_NONBLOCK)
    modified, created, moved = 0x2, 0x100, 0x80
    assert libc.inotify_add_watch(watcher, os.fsencode(mounted.site), modified | created | moved) > 0
    try:
        for text in ("x = 1\n", "x = 22\n"):
            (mounted.site / "steps.py").write_text(text)
            assert (modified, "steps.py") in _events(watcher)
        (mounted.site / "new.py").touch()
        assert (created, "new.py") in _events(watcher)
        (mounted.site / "new.py").rename(mounted.site / "steps.py")
        assert (moved, "steps.py") in _events(watcher)
    finally:
        os.close(watcher)


def _events(watcher: int) -> list[tuple[int, str]]:
    """Return what has happened, as soon as anything has."""
    assert select.select([watcher], [], [], 5)[0]
    data, found = os.read(watcher, 65536), []
    while data:
        _, what, _, length = struct.unpack_from("iIII", data)
        found.append((what, data[16 : 16 + length].rstrip(b"\0").decode()))
        data = data[16 + length :]
    return found


def test_directories_share_memory(mounted: Venv) -> None:
    """What one directory has read is in memory for another, and for the store: each page once (mincore(2))."""
    other = mounted.directory.with_name("other")
    subprocess.run(
        [mounted.env / "bin/nixgen-venv", "--mounted", other], env=mounted.variables(), check=True, capture_output=True
    )
    name = mounted.site.relative_to(mounted.directory) / "large.txt"
    (leaf,) = (path for path in mounted.env.parent.iterdir() if path.is_file() and path.read_bytes() == LARGE)
    places = [mounted.directory / name, other / name, leaf]
    with leaf.open("rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if _pages_in_memory(leaf):
        pytest.skip("this file system lies in memory, and drops nothing of it")
    assert places[0].read_bytes() == LARGE
    assert [_pages_in_memory(place) for place in places] == [len(LARGE) // mmap.PAGESIZE] * 3


def _pages_in_memory(path: Path) -> int:
    """Return how many pages of a file are in memory."""
    libc, size = ctypes.CDLL(None, use_errno=True), path.stat().st_size
    found = ctypes.create_string_buffer(-(-size // mmap.PAGESIZE))
    with path.open("rb") as file, mmap.mmap(file.fileno(), size, access=mmap.ACCESS_COPY) as mapped:
        start = ctypes.c_char.from_buffer(mapped)
        assert libc.mincore(ctypes.c_void_p(ctypes.addressof(start)), ctypes.c_size_t(size), found) == 0
        del start
    return sum(page & 1 for page in found.raw)
