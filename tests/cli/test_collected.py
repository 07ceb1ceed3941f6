"""Garbage collections that go on beside a build."""

from __future__ import annotations

import os
import subprocess
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.cli import Cli
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
            empty_store("run", "--", "python", "-c", "; ".join(f"import p{name}.m7" for name in names))
            assert len(collections) > before, "nothing was collected meanwhile"
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
        while len(collections) < before + 2:
            time.sleep(0.1)
        for number in range(3):
            python = empty_store.directory / f"venv{number}/bin/python"
            subprocess.run([python, "-c", "import demo.m7"], check=True)
