"""What nixgen is measured against: pip and uv, on the same wheels, from the same server, with the same Python."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import uv

from benchmarks.clock import Sample, output, timed


def pip_to_first_line(wheels: Path, pins: Sequence[str], venv: Path, program: str, python: str) -> Sample:
    """Make a new environment with ``venv``, install wheels of a directory with pip, and run a program in it.

    Nothing is resolved or downloaded: that is pip with its cache warm, at its best.

    Args:
        wheels: the directory.
        pins: what to install, all of it.
        venv: where to make the environment.
        program: for ``python -c``.
        python: the interpreter of the environment.
    """
    script = '"$0" -m venv --without-pip "$2" && "$1" -m pip --python "$2/bin/python" install -q --no-deps --no-index '
    script += '--find-links "$3" -r "$4" && "$2/bin/python" -c "$5"'
    requirements = venv.with_name(f"{venv.name}.txt")
    requirements.write_text("".join(f"{pin}\n" for pin in pins))
    words = [python, sys.executable, str(venv), str(wheels), str(requirements), program]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    env["PIP_DISABLE_PIP_VERSION_CHECK"] = "1"
    return timed(["sh", "-c", script, *words], env=env, cwd=venv.parent)


class Pip:
    """pip with a cache of its own.

    Args:
        root: directory for the cache and environments.
        python: the interpreter that environments are made of.
        index: URL of the only index.
    """

    def __init__(self, root: Path, python: str, index: str) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self._python = python
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
        self.env = {
            **kept,
            "PIP_CACHE_DIR": str(root / "cache"),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_INDEX_URL": index,
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        }

    def install(self, pins: Sequence[str], name: str, *options: str) -> Sample:
        """Install wheels into a fresh environment, which exists before the clock starts.

        Args:
            pins: what to install, all of it.
            name: of the environment, which must not exist.
            options: further ones for ``pip install``.
        """
        venv = self.venv(name)
        output([self._python, "-m", "venv", "--without-pip", str(venv)], env=self.env, cwd=self.root)
        requirements = venv.with_name(f"{name}.txt")
        requirements.write_text("".join(f"{pin}\n" for pin in pins))
        command = [sys.executable, "-m", "pip", "--python", str(venv / "bin" / "python"), "install", "-q", "--no-deps"]
        return timed([*command, "-r", str(requirements), *options], env=self.env, cwd=self.root)

    def venv(self, name: str) -> Path:
        """Return where an environment lies."""
        return self.root / name


class Uv:
    """uv with a cache of its own.

    Args:
        root: directory for the cache and environments, on the file system of the private stores.
        python: the interpreter that environments are made of, and that compiles their bytecode.

    Attributes:
        root: that directory.
        cache: the cache's.
        env: environment variables for its commands.
    """

    def __init__(self, root: Path, python: str) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self.root = root
        self.cache = root / "cache"
        self._python = python
        self._uv = uv.find_uv_bin()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("UV_", "PIP_"))}
        self.env = {
            **kept,
            "UV_CACHE_DIR": str(self.cache),
            "UV_NO_CONFIG": "1",
            "UV_NO_PROGRESS": "1",
            "UV_PYTHON_DOWNLOADS": "never",
        }

    def install(self, lock: Path, name: str, *options: str, bytecode: bool = True) -> Sample:
        """Install what a ``pylock.toml`` says into a fresh environment, which exists before the clock starts.

        Args:
            lock: the lock.
            name: of the environment; an older one of that name gives way.
            options: further ones for ``uv pip install``.
            bytecode: whether it compiles.
        """
        venv = self.venv(name)
        shutil.rmtree(venv, ignore_errors=True)
        output([self._uv, "venv", "--quiet", "--python", self._python, str(venv)], env=self.env, cwd=self.root)
        return self.install_again(lock, name, *options, *(["--compile-bytecode"] if bytecode else []))

    def install_again(self, lock: Path, name: str, *options: str) -> Sample:
        """Install into an environment that stays as it is before."""
        python = str(self.venv(name) / "bin" / "python")
        command = [self._uv, "pip", "install", "--quiet", "--python", python, "-r", str(lock), *options]
        return timed(command, env=self.env, cwd=self.root)

    def to_first_line(self, lock: Path, name: str, program: str) -> Sample:
        """Make a new environment with ``uv venv`` and ``uv pip sync``, and run a program in it.

        Args:
            lock: a ``pylock.toml``.
            name: of the environment, which must not exist.
            program: for ``python -c``.
        """
        script = '"$0" venv -q --python "$1" "$2" && "$0" pip sync -q --python "$2" "$3" && "$2/bin/python" -c "$4"'
        words = [self._uv, self._python, str(self.venv(name)), str(lock), program]
        return timed(["sh", "-c", script, *words], env=self.env, cwd=self.root)

    def venv(self, name: str) -> Path:
        """Return where an environment lies."""
        return self.root / name

    def run_again(self, pins: Sequence[str], index: str, runs: int, *command: str) -> Sample:
        """Make a project of some wheels, lock and install it, and say what ``uv run`` of a command takes then.

        Args:
            pins: what the project requires.
            index: URL of the only index.
            runs: how many runs the value is the mean of.
            command: what is run.
        """
        project = self.write_project(pins, "project")
        words = [self._uv, "run", "--quiet", "--python", self._python, "--default-index", index, *command]
        output(words, env=self.env, cwd=project)
        loop = f'n=0; while [ $n -lt {runs} ]; do "$@" || exit; n=$((n + 1)); done'
        sample = timed(["sh", "-c", loop, "sh", *words], env=self.env, cwd=project)
        return Sample(seconds=sample.seconds / runs, cpu=sample.cpu / runs)

    def lock(self, pins: Sequence[str], index: str, name: str) -> Sample:
        """Lock a new project that requires some wheels (``uv lock``).

        Args:
            pins: what it requires.
            index: URL of the only index.
            name: of the project, which must not exist.
        """
        project = self.write_project(pins, name)
        words = [self._uv, "lock", "--quiet", "--python", self._python, "--default-index", index]
        return timed(words, env=self.env, cwd=project)

    def write_project(self, pins: Sequence[str], name: str) -> Path:
        """Write a project that requires some wheels, and return its directory."""
        project = self.root / name
        project.mkdir()
        said = f'[project]\nname = "{name}"\nversion = "1"\nrequires-python = ">=3.11"\n'
        (project / "pyproject.toml").write_text(f"{said}dependencies = {json.dumps(list(pins))}\n")
        return project

    def build(self, source: Path, index: str) -> Sample:
        """Build a wheel of a source distribution, isolated.

        Args:
            source: its archive.
            index: URL of the only index, for what the build needs.
        """
        command = [self._uv, "build", "--quiet", "--wheel", str(source), "--python", self._python]
        out = self.root / "built"
        return timed([*command, "--default-index", index, "--out-dir", str(out)], env=self.env, cwd=self.root)

    def resolve(self, requirements: Sequence[str], index: str, directory: Path, *, pinned: bool = False) -> Sample:
        """Write ``requirements.in`` and, as ``uv pip compile`` resolves it, ``pylock.toml``.

        Args:
            requirements: lines.
            index: URL of the only index.
            directory: where both go; made where it is missing.
            pinned: whether the requirements are all there is.
        """
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "requirements.in").write_text("".join(f"{line}\n" for line in requirements))
        command = [self._uv, "pip", "compile", "--quiet", "requirements.in", "--python", self._python]
        command += [
            "--universal",
            "--no-build",
            "--no-header",
            "--default-index",
            index,
            "--output-file",
            "pylock.toml",
        ]
        (directory / "pylock.toml").unlink(missing_ok=True)
        return timed([*command, *(["--no-deps"] if pinned else [])], env=self.env, cwd=directory)
