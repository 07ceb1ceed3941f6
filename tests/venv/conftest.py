"""Virtual environments on top of environments that the builders made, and the shells that make and heal them."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.builders.conftest import Workbench
from tests.support.cli import listing
from tests.support.programs import program
from tests.support.wheels import make_wheel

#: Shells with what makes them one. Busybox brings its own mv, cp and the rest, too.
SHELLS = {"dash": (), "bash": ("--posix",), "busybox": ("ash",)}


@functools.cache
def shell_command(name: str) -> list[str]:
    """Return the command of one of ``SHELLS``: of this machine, else of its Debian."""
    found = Path(program(name, "busybox-static" if name == "busybox" else None))
    if found.parent.name == "programs":
        # The program itself: busybox is called by other names.
        found = next(path for path in (found.parents[1] / part / name for part in ("bin", "usr/bin")) if path.exists())
    return [str(found), *SHELLS[name]]


#: A package with a command, data and a file that Python reads at its start.
DEMO = {
    "demo/__init__.py": "import sys\nversion = 1\n\ndef main():\n    print(version, sys.prefix, *sys.argv[1:])\n",
    "demo/data.txt": "data\n",
    "demo.pth": "import sys; sys.from_pth = getattr(sys, 'from_pth', 0) + 1\n",
}
POINTS = {"console_scripts": {"tool": "demo:main"}}
PROGRAM = {"scripts/program": b"\x7fELF no Python, and never run", "scripts/shell": "#!/bin/sh\necho shell $1\n"}


def demo_wheel(version: str = "1.0", *requires: str) -> tuple[str, bytes]:
    """Return the wheel ``demo`` with a command ``tool`` and programs."""
    files = dict(DEMO)
    files["demo/__init__.py"] = files["demo/__init__.py"].replace("version = 1", f"version = {version!r}")
    return make_wheel(
        "demo",
        version,
        files,
        metadata=[f"Requires-Dist: {name}" for name in requires],
        entry_points=POINTS,
        data=PROGRAM,
    )


@dataclass(kw_only=True)
class Venv:
    """A directory, and the program that makes it a virtual environment.

    Attributes:
        directory: what is made.
        env: the environment of the store.
        shell: what reads the program.
        environment: variables for the program.
    """

    directory: Path
    env: Path
    shell: Sequence[str] = ("/bin/sh",)
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str | Path, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run the program on the directory, check its exit code and return what it said."""
        done = self.start(*arguments)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run the program, whatever its exit code."""
        command = [*self.shell, self.env / "bin" / "nixgen-venv", *arguments, self.directory]
        return subprocess.run(command, env=self.variables(), capture_output=True, text=True, check=False)

    def variables(self) -> dict[str, str]:
        """Return the variables that the program gets."""
        kept = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONPATH")}
        busybox = Path(self.shell[0]).name == "busybox"
        programs = _programs(self.env.parent.parent, self.shell[0] if busybox else None)
        # The store of these tests, which is what Nix's own is elsewhere.
        return {**kept, "PATH": str(programs), "NIX_STORE_DIR": str(self.env.parent), **self.environment}

    def python(self, code: str) -> str:
        """Return what its Python prints."""
        return said(self.directory / "bin" / "python", "-c", code)

    @property
    def site(self) -> Path:
        """Its site-packages."""
        (found,) = self.directory.glob("lib/python*/site-packages")
        return found

    def listing(self) -> dict[str, bytes | str]:
        """What it holds."""
        return listing(self.directory)


def _programs(root: Path, busybox: str | None) -> Path:
    """Return a directory of links to what the program may need: to busybox, or to the machine's own programs.

    Nix is not among them: it would make links that nobody waits for.
    """
    directory = root / ("busybox" if busybox else "programs")
    if not directory.exists():
        directory.mkdir()
        for name in (
            "cat",
            "chmod",
            "cp",
            "id",
            "ln",
            "mkdir",
            "mv",
            "readlink",
            "rm",
            "rmdir",
            "sed",
            "sh",
            "sleep",
            "stat",
            "touch",
        ):
            (directory / name).symlink_to(busybox or shutil.which(name, path="/usr/bin:/bin") or name)
    return directory


def said(*command: str | Path) -> str:
    """Return what a command prints, without the caller's Python settings."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    return subprocess.run(command, env=clean, capture_output=True, text=True, check=True).stdout.rstrip("\n")


@pytest.fixture
def workbench(tmp_path: Path) -> Workbench:
    """Give a workbench below the test's directory."""
    return Workbench(tmp_path)


@pytest.fixture
def venv(workbench: Workbench, tmp_path: Path) -> Venv:
    """A directory that is not there yet, for the environment of one package."""
    return Venv(directory=tmp_path / "project" / ".venv", env=workbench.env(demo_wheel()))


def snapshot(directory: Path) -> dict[str, tuple[object, ...]]:
    """Return what every file and link below a directory is: content or target, mode and time of change."""
    found: dict[str, tuple[object, ...]] = {}
    for path in sorted(directory.rglob("*")):
        status = path.lstat()
        content = str(path.readlink()) if path.is_symlink() else path.read_bytes() if path.is_file() else ""
        found[str(path.relative_to(directory))] = (content, status.st_mode, status.st_mtime_ns)
    return found
