"""What nixgen is measured against: uv, on the same lock, from the same server, with the same Python."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import uv

from benchmarks.clock import Sample, output, timed


class Uv:
    """uv with a cache of its own.

    Args:
        root: directory for the cache and environments, on the file system of the private stores.
        python: the interpreter that environments are made of, and that compiles their bytecode.

    Attributes:
        cache: its directory.
        env: environment variables for its commands.
    """

    def __init__(self, root: Path, python: str) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root
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
        output([self._uv, "venv", "--quiet", "--python", self._python, str(venv)], env=self.env, cwd=self._root)
        return self.install_again(lock, name, *options, *(["--compile-bytecode"] if bytecode else []))

    def install_again(self, lock: Path, name: str, *options: str) -> Sample:
        """Install into an environment that stays as it is before."""
        python = str(self.venv(name) / "bin" / "python")
        command = [self._uv, "pip", "install", "--quiet", "--python", python, "-r", str(lock), *options]
        return timed(command, env=self.env, cwd=self._root)

    def venv(self, name: str) -> Path:
        """Return where an environment lies."""
        return self._root / name

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
