"""Garbage collections that go on beside a build."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.programs import program
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

Serve = Callable[..., WheelServer]

pytestmark = pytest.mark.nix


@contextmanager
def collecting(nixgen: Cli) -> Iterator[list[str]]:
    """Collect garbage again and again; gives what each collection so far complained of, empty where it succeeded."""
    over = threading.Event()
    complaints: list[str] = []

    def collect() -> None:
        while not over.is_set():
            done = subprocess.run(
                ["nix-store", "--gc"], env={**os.environ, **nixgen.environment}, capture_output=True, text=True
            )
            complaints.append(done.stderr if done.returncode else "")

    thread = threading.Thread(target=collect)
    thread.start()
    try:
        yield complaints
    finally:
        over.set()
        thread.join()


def _wait_for(more: int, collections: list[str], before: int) -> None:
    """Wait until so many more collections have ended than before: on a busy machine a build is quicker than one."""
    deadline = time.monotonic() + 120
    while len(collections) < before + more:
        assert time.monotonic() < deadline, "nothing was collected meanwhile"
        time.sleep(0.1)


def test_a_collection_beside_builds(empty_store: Cli, serve: Serve, tmp_path: Path) -> None:
    """Collections in an endless loop take nothing from builds: of what is new, was collected, or is there."""
    wheels = [
        make_wheel(f"p{name}", "1.0", {f"p{name}/m{n}.py": f"name = '{name}{n} {tmp_path}'\n" for n in range(150)})
        for name in "abcd"
    ]
    server = serve(*wheels)
    with collecting(empty_store) as collections:
        for names in ("ab", "abcd", "bd"):
            (empty_store.directory / "requirements.in").write_text("".join(f"p{name}\n" for name in names))
            empty_store("lock", "--default-index", server.index)
            (empty_store.directory / "result").unlink(missing_ok=True)
            before = len(collections)
            empty_store("build")
            _wait_for(2, collections, before)  # one of them may have begun before
            empty_store("run", "--", "python", "-c", "; ".join(f"import p{name}.m7" for name in names))
    # Nix's collector gives up where another process takes a file from under it: that is no failure of the build.
    assert collections.count("") > len(collections) / 2
    for complaint in filter(None, collections):
        warnings.warn(complaint, stacklevel=1)


def test_a_collection_beside_virtual_environments(empty_store: Cli, serve: Serve, tmp_path: Path) -> None:
    """What a virtual environment stands on has no link until that is made: it is there all the same, and stays."""
    server = serve(make_wheel("demo", "1.0", {f"demo/m{n}.py": f"name = '{n} {tmp_path}'\n" for n in range(50)}))
    (empty_store.directory / "requirements.in").write_text("demo\n")
    empty_store("lock", "--default-index", server.index)
    with collecting(empty_store) as collections:
        for number in range(3):
            empty_store("venv", f"venv{number}")
        before = len(collections)
        _wait_for(2, collections, before)
        for number in range(3):
            python = empty_store.directory / f"venv{number}/bin/python"
            subprocess.run([python, "-c", "import demo.m7"], check=True)


def test_a_collection_that_has_read_the_roots(empty_store: Cli, serve: Serve, tmp_path: Path) -> None:
    """It reads which paths are in use when Nix has made the link and is gone: what was built stays all the same."""
    strace, places = program("strace"), {**os.environ, **empty_store.environment}
    in_use = Path(places["NIX_STATE_DIR"]) / "temproots"
    (empty_store.directory / "requirements.in").write_text("demo\n")
    empty_store("lock", "--default-index", serve(make_wheel()).index)
    # Nix says that it uses the environment, and waits before it makes the link.
    linking = tmp_path / "linking"
    slow = "inject=symlink,symlinkat:delay_enter=1500000:when=1"
    command = (
        strace,
        "-f",
        "-qq",
        "-o",
        str(linking),
        "-e",
        "trace=symlink,symlinkat",
        "-e",
        slow,
        *empty_store.program,
    )
    build = replace(empty_store, program=command).start("build")
    while f"{empty_store.directory}/result" not in (linking.read_text() if linking.exists() else ""):
        assert build.poll() is None
        time.sleep(0.02)
    # Meanwhile a collection reads the roots, and waits before it reads who uses what.
    late = ("-e", "trace=openat", "-e", "inject=openat:delay_enter=3000000", "-P", str(in_use))
    subprocess.run(
        [strace, "-f", "-qq", "-o", tmp_path / "collecting", *late, "nix-store", "--gc"], env=places, check=True
    )
    said = build.communicate(timeout=60)
    assert build.returncode == 0, said
    assert "DELAYED" in (tmp_path / "collecting").read_text()
    subprocess.run([empty_store.directory / "result/bin/python", "-c", "import demo"], check=True)
