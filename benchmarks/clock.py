"""Run a command and say what it cost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


class CommandFailedError(Exception):
    """A command that was to be measured failed; the text is the command and what it said."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What one run of a command took.

    Attributes:
        seconds: on the wall.
        cpu: seconds of all processors together.
        peak: the largest resident size of any one of its processes, in bytes; 0 where it was not asked.
    """

    seconds: float
    cpu: float
    peak: int = 0


def timed(command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> Sample:
    """Run a command to its end and return what it took, with all processes that it waited for.

    What earlier runs have written there goes to disk first, so that nobody pays for somebody else's files.

    Raises:
        CommandFailedError: its exit code is not 0.
    """
    _sync(cwd)
    _forget_peak()
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            raise CommandFailedError(f"{' '.join(command)}\n{said.read().decode(errors='replace')}")
    # Kilobytes on Linux, bytes on macOS.
    peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Sample(seconds=seconds, cpu=usage.ru_utime + usage.ru_stime, peak=peak)


def _sync(directory: Path) -> None:
    """Write what waits for the disk on a directory's file system: not on all, where others may be at work."""
    if shutil.which("sync") is None or subprocess.run(["sync", "-f", directory], check=False).returncode != 0:
        os.sync()


def _forget_peak() -> None:
    """Let Linux forget the most memory that this process ever had: it counts it as its children's (``vfork``)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def output(command: Sequence[str], *, env: Mapping[str, str], cwd: Path) -> str:
    """Run a command and return what it printed.

    Raises:
        CommandFailedError: its exit code is not 0.
    """
    done = subprocess.run(command, env=dict(env), cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise CommandFailedError(f"{' '.join(command)}\n{done.stderr}")
    return done.stdout
