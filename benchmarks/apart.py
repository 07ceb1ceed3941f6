"""A module of the benchmarks that serves something on loopback, in a process of its own: it takes no time of theirs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self


class Apart:
    """Such a process, for as long as the block runs.

    Args:
        module: what to run; the first line that it prints is its host and port.
        words: its arguments.

    Attributes:
        host: host and port, from the begin of the block on.
    """

    def __init__(self, module: str, *words: object) -> None:
        self._command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, words)]
        self.host = ""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command,
            cwd=Path(__file__).parent.parent,
            stdout=subprocess.PIPE,
            stdin=subprocess.PIPE,
            text=True,
        )
        assert self._process.stdout is not None
        self.host = self._process.stdout.readline().strip()
        if not self.host:
            raise RuntimeError(f"{' '.join(self._command)} did not start")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.communicate()
