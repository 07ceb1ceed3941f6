"""The command line, run as a user runs it: a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(kw_only=True)
class Cli:
    """Runs ``nixgen`` in a directory.

    Attributes:
        directory: the project's directory.
        environment: variables beside those of the test.
        program: what to run; this checkout's nixgen.
    """

    directory: Path
    environment: dict[str, str] = field(default_factory=dict)
    program: tuple[str, ...] = (sys.executable, "-m", "nixgen")

    def __call__(
        self, *arguments: str | Path, code: int = 0, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a verb, check its exit code, and return what it printed."""
        done = subprocess.run(
            [*self.program, *map(str, arguments)],
            cwd=self.directory,
            env=self._environment(environment),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start a verb and do not wait for it."""
        return subprocess.Popen(
            [*self.program, *map(str, arguments)],
            cwd=self.directory,
            env=self._environment(None),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _environment(self, more: Mapping[str, str] | None) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("UV_")}
        return {**inherited, **self.environment, **(more or {})}


def listing(directory: Path) -> dict[str, bytes | str]:
    """Return everything below a directory: content of files, targets of links; hidden and temporary ones too."""
    found: dict[str, bytes | str] = {}
    for path in sorted(directory.rglob("*")):
        name = str(path.relative_to(directory))
        if path.is_symlink():
            found[name] = str(path.readlink())
        elif path.is_file():
            found[name] = path.read_bytes()
    return found
