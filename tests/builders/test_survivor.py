"""A builder's own processes, where the builder is killed, as Nix's system does when Nix is."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.nix import LIBRARY

BUILDER = """
import os, sys, time
sys.path.insert(0, sys.argv[1])
from processes import in_processes

def task(number):
    with open(f"{sys.argv[2]}/{number}", "w") as file:
        file.write(f"{os.getpid()}.")
    time.sleep(60)

in_processes(task, [0, 1], 2)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_they_end_with_it(tmp_path: Path) -> None:
    """None of them writes on into an output that the next build makes."""
    command = [sys.executable, "-c", BUILDER, LIBRARY / "builders", tmp_path]
    builder = subprocess.Popen(command, start_new_session=True)
    files = [tmp_path / "0", tmp_path / "1"]
    _until(lambda: all(file.exists() and file.read_text().endswith(".") for file in files))
    builder.kill()
    builder.wait()
    processes = [int(file.read_text().rstrip(".")) for file in files]
    _until(lambda: not any(map(_runs, processes)))


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
