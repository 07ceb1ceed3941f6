"""What is measured: ``nixgen`` and stock ``nix-build`` in a project, on a private store."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.clock import CommandFailedError, Sample, output, timed
from benchmarks.stores import PrivateStore
from nixgen.indexes import indexes_of_lock
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME


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

    def lock(self, env: Mapping[str, str], *arguments: str, anew: bool = True) -> Sample:
        """Lock (``nixgen lock``), in an environment with uv's variables.

        Args:
            env: the variables.
            arguments: further ones of the command.
            anew: as if there were no lock; else the one that is there is renewed.
        """
        if anew:
            (self.directory / "nixgen.lock").unlink(missing_ok=True)
            shutil.rmtree(self.directory / "nix", ignore_errors=True)
        words = [sys.executable, "-m", "nixgen", "lock", "--quiet", *arguments, "--python", self.python]
        return timed(words, env=env, cwd=self.directory)

    def nix_build(self, store: PrivateStore, *arguments: str) -> Sample:
        """Build with nothing but Nix: ``nix-build nix``, into ``./result``."""
        return timed(store.command("nix-build", "nix", *arguments), env=store.env, cwd=self.directory)

    def nix_instantiate(self, store: PrivateStore, *arguments: str) -> Sample:
        """Evaluate and build nothing: ``nix-instantiate nix``."""
        return timed(store.command("nix-instantiate", "nix", *arguments), env=store.env, cwd=self.directory)

    def nixgen_build(self, store: PrivateStore) -> Sample:
        """Build with ``nixgen build``, into ``./result``."""
        words = store.command(*self.nixgen_build_words())
        return timed(words, env=store.env, cwd=self.directory)

    def nixgen_fetch(self, store: PrivateStore) -> Sample:
        """Put the leaves into the store and build nothing: ``nixgen fetch``."""
        words = store.command(sys.executable, "-m", "nixgen", "fetch", "--python", self.python)
        return timed(words, env=store.env, cwd=self.directory)

    def on(self, store: PrivateStore) -> dict[str, Any]:
        """Return where and with what environment a command of the project runs on a store."""
        return {"env": store.env, "cwd": self.directory}

    def nixgen_build_words(self) -> list[str]:
        """Return the words of ``nixgen build``."""
        return [sys.executable, "-m", "nixgen", "build", "--python", self.python]

    def files(self) -> int:
        """Return how many files the lock's wheels have."""
        return sum(files_of_wheels(self.directory).values())

    def repeat(self, store: PrivateStore, script: str, runs: int, *arguments: str) -> Sample:
        """Run a line of shell several times, and return what one run took.

        Args:
            store: the store to run on.
            script: sees the run's number as ``$n`` and the arguments as ``$1`` and so on.
            runs: how many.
            arguments: of the script.
        """
        loop = f"n=0; while [ $n -lt {runs} ]; do {{ {script}; }} || exit; n=$((n + 1)); done"
        sample = timed(store.command("sh", "-c", loop, "sh", *arguments), env=store.env, cwd=self.directory)
        return Sample(seconds=sample.seconds / runs, cpu=sample.cpu / runs)

    def wait_for_roots(self, pattern: str, count: int) -> None:
        """Wait until Nix keeps what virtual environments stand on: that goes on when they are made.

        Raises:
            CommandFailedError: it does not within a minute.
        """
        deadline = time.monotonic() + 60
        while len(list(self.directory.glob(f"{pattern}/.nixgen/roots/*"))) < count:
            if time.monotonic() > deadline:
                raise CommandFailedError(f"Nix keeps less than {count} of {pattern}")
            time.sleep(0.1)

    def check(self, store: PrivateStore, imports: tuple[str, ...]) -> None:
        """See that ``./result`` holds every distribution and runs: a broken environment is fast, too.

        Raises:
            CommandFailedError: it does not.
        """
        code = "".join(f"import {name}\n" for name in imports) + "import importlib.metadata as m\n"
        code += f"found = sorted(d.name for d in m.distributions())\nassert len(found) == {self.wheels}, found"
        output(store.command("result/bin/python", "-I", "-c", code), env=store.env, cwd=self.directory)


def files_of_wheels(directory: Path) -> dict[str, int]:
    """Return how many files each wheel of a project's lock has, by the wheel's file name."""
    wheels = Lock.from_file(directory / LOCK_NAME).wheels.values()
    return {name: len(index.files) for name, index in indexes_of_lock(wheels, base=directory).items()}
