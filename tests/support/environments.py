"""Virtual environments made by the tools themselves, of wheels in memory."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from .wheels import write_wheel

_UV = Path(sys.executable).parent / "uv"

Wheel = tuple[str, bytes]


def make_environment(directory: Path, *wheels: Wheel, tool: str = "uv", python: str = sys.executable) -> Path:
    """Make a virtual environment with some wheels in it.

    Args:
        directory: to make.
        wheels: what to install.
        tool: ``uv`` or ``pip``.
        python: the interpreter.
    """
    run(_UV, "venv", "--quiet", "--python", os.path.realpath(python), directory)
    if wheels:
        install(directory, *wheels, tool=tool)
    return directory


def install(
    environment: Path, *wheels: Wheel, tool: str = "uv", options: Iterable[str] = (), link_mode: str = "copy"
) -> None:
    """Install wheels with a tool, without an index; uv copies out of its cache, or as ``link_mode`` says."""
    store = environment.parent / "wheels"
    files = [write_wheel(store / hashlib.sha256(content).hexdigest()[:8], (name, content)) for name, content in wheels]
    if tool == "uv":
        fixed = ("--no-index", "--no-deps", "--link-mode", link_mode, "--cache-dir", environment.parent / "uv-cache")
        run(_UV, "pip", "install", "--quiet", "--python", environment / "bin/python", *fixed, *options, *files)
    else:
        run(*pip(environment), "install", "--quiet", "--no-index", "--no-deps", *options, *files)


def uninstall(environment: Path, *names: str, tool: str) -> None:
    """Uninstall distributions with a tool."""
    if tool == "uv":
        run(_UV, "pip", "uninstall", "--quiet", "--python", environment / "bin/python", *names)
    else:
        run(*pip(environment), "uninstall", "--quiet", "--yes", *names)


def pip(environment: Path) -> list[str | Path]:
    """Return how to run this checkout's pip on an environment."""
    general = ["--disable-pip-version-check", "--no-input"]
    return [sys.executable, "-m", "pip", *general, "--python", environment / "bin/python"]


def run(*command: str | Path) -> str:
    """Run a command that has to succeed, and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def site_packages(environment: Path) -> Path:
    """Return the environment's site-packages."""
    (found,) = environment.glob("lib/python*/site-packages")
    return found


def snapshot(directory: Path) -> dict[str, tuple[str, int, int]]:
    """Return all files below a directory: content's hash or link's target, mode, and time in nanoseconds."""
    found = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            found[str(path.relative_to(directory))] = str(path.readlink()), 0, 0
        elif stat.S_ISREG(status.st_mode):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(directory))] = digest, stat.S_IMODE(status.st_mode), status.st_mtime_ns
    return found
