"""What is measured: ``nixgen`` and stock ``nix-build`` in a project, on a private store."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.clock import Sample, output, timed
from benchmarks.stores import PrivateStore


@dataclass(frozen=True, kw_only=True)
class Project:
    """A directory with a ``pylock.toml`` or ``requirements.in``, and what nixgen makes of it.

    Attributes:
        directory: the project's.
        python: version of its Python, such as ``3.11``.
        wheels: how many an environment of it holds.
    """

    directory: Path
    python: str
    wheels: int

    def lock(self, env: Mapping[str, str], *arguments: str) -> Sample:
        """Lock from nothing (``nixgen lock``), in an environment with uv's variables."""
        (self.directory / "nixgen.lock").unlink(missing_ok=True)
        shutil.rmtree(self.directory / "nix", ignore_errors=True)
        words = [sys.executable, "-m", "nixgen", "lock", "--quiet", *arguments, "--python", self.python]
        return timed(words, env=env, cwd=self.directory)

    def nix_build(self, store: PrivateStore, *arguments: str) -> Sample:
        """Build with nothing but Nix: ``nix-build nix``, into ``./result``."""
        return timed(store.command("nix-build", "nix", *arguments), env=store.env, cwd=self.directory)

    def nixgen_build(self, store: PrivateStore) -> Sample:
        """Build with ``nixgen build``, into ``./result``."""
        words = store.command(sys.executable, "-m", "nixgen", "build", "--python", self.python)
        return timed(words, env=store.env, cwd=self.directory)

    def check(self, store: PrivateStore, imports: tuple[str, ...]) -> None:
        """See that ``./result`` holds every distribution and runs: a broken environment is fast, too.

        Raises:
            CommandFailedError: it does not.
        """
        code = (
            f"import {', '.join(imports)}\nimport importlib.metadata as m\n"
            f"found = sorted(d.name for d in m.distributions())\nassert len(found) == {self.wheels}, found"
        )
        output(store.command("result/bin/python", "-I", "-c", code), env=store.env, cwd=self.directory)
