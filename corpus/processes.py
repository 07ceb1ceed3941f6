"""Processes with a time limit, whose descendants end with them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

#: What is kept of a stream that people read, in bytes.
_KEPT = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a process ended.

    Attributes:
        code: its exit code, the negative of a signal's number; None where its time was up.
        out, err: what it printed.
    """

    code: int | None
    out: str
    err: str


class Processes:
    """Runs processes, each the head of a group of its own, and ends those that still run when asked to."""

    def __init__(self) -> None:
        self._running: set[int] = set()
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self,
        command: Sequence[str | Path],
        *,
        cwd: Path,
        env: Mapping[str, str],
        timeout: float,
        text: str = "",
        whole: bool = False,
    ) -> Done:
        """Run a command to its end, or to that of its time; nothing that it started outlives this.

        Args:
            command: the words.
            cwd: the working directory.
            env: all of its environment variables.
            timeout: in seconds.
            text: its standard input.
            whole: whether all that it prints is kept, because a program reads it, and not its first megabyte.

        Raises:
            KeyboardInterrupt: everything is being stopped.
        """
        # Files, not pipes: a descendant that keeps a pipe open would keep the reader waiting.
        with tempfile.TemporaryFile() as stdin, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            stdin.write(text.encode())
            stdin.seek(0)
            with self._lock:
                if self._stopped:
                    raise KeyboardInterrupt
                process = subprocess.Popen(
                    list(map(str, command)),
                    cwd=cwd,
                    env=dict(env),
                    stdin=stdin,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )
                self._running.add(process.pid)
            try:
                code: int | None = process.wait(timeout)
            except subprocess.TimeoutExpired:
                code = None
            finally:
                _end(process.pid)
                process.wait()
                with self._lock:
                    self._running.discard(process.pid)
            if self._stopped:
                raise KeyboardInterrupt
            streams = []
            for stream in (out, err):
                stream.seek(0)
                streams.append(stream.read(-1 if whole else _KEPT).decode("utf-8", "replace"))
        return Done(code=code, out=streams[0], err=streams[1])

    def stop(self) -> None:
        """End everything that runs, and start nothing any more."""
        with self._lock:
            self._stopped = True
            for pid in self._running:
                _end(pid)


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
