"""A second user: whose directory root works in, and who puts things in the way meanwhile; for tests run as root."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

#: Nobody has this number.
UID = 54321

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="takes root, as CI has")


@contextmanager
def open_directory() -> Iterator[Path]:
    """Give a directory of root's that everybody can enter: pytest's own cannot be."""
    made = Path(tempfile.mkdtemp(prefix="nixgen-test-")).resolve()
    made.chmod(0o755)
    try:
        yield made
    finally:
        shutil.rmtree(made)


def give(directory: Path) -> Path:
    """Give a directory with all in it to the user."""
    for path in (directory, *directory.rglob("*")):
        os.chown(path, UID, UID, follow_symlinks=False)
    return directory


def as_owner(code: Callable[[], object]) -> None:
    """Run a function as the user, and wait for it."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            _become()
            code()
            status = 0
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0


@contextmanager
def meanwhile(step: Callable[[], object]) -> Iterator[None]:
    """Have the user do something again and again, as fast as he can, whether it works or not."""
    child = os.fork()
    if child == 0:
        _become()
        while True:
            with contextlib.suppress(OSError):
                step()
    try:
        yield
    finally:
        os.kill(child, 9)
        os.waitpid(child, 0)


def _become() -> None:
    os.setgroups([])
    os.setgid(UID)
    os.setuid(UID)


def python() -> str:
    """Return an interpreter of this version that the user can run."""
    name = "python{}.{}".format(*sys.version_info)
    for found in (os.path.realpath(sys.executable), f"/usr/bin/{name}", f"/usr/local/bin/{name}"):
        with suppress(OSError):
            if subprocess.run([found, "-c", ""], user=UID, group=UID, extra_groups=[], cwd="/").returncode == 0:
                return found
    pytest.skip(f"the second user can run no {name}")
