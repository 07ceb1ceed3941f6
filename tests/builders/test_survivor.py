"""A builder whose Nix is killed."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from tests.support.nix import LIBRARY

STARTS = """
import subprocess, sys
builder = "import sys, time; sys.path.insert(0, sys.argv[1]); import __main__ as m\\n" \\
    "import importlib.util as u; s = u.spec_from_file_location('b', sys.argv[1] + '/__main__.py')\\n" \\
    "b = u.module_from_spec(s); s.loader.exec_module(b); b.die_with_nix(); print('ready', flush=True); time.sleep(60)"
child = subprocess.Popen([sys.executable, "-c", builder, sys.argv[1]], stdout=subprocess.PIPE, start_new_session=True)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux kills a child with its parent")
def test_it_ends_with_its_parent() -> None:
    """It does not write on into an output that the next build makes."""
    parent = subprocess.Popen([sys.executable, "-c", STARTS, LIBRARY / "builders"], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    builder = int(parent.stdout.readline())
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 10
    while _runs(builder):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _runs(process: int) -> bool:
    try:
        with open(f"/proc/{process}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
