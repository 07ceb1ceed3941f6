"""Programs that nixgen starts: they end with the work that they were started for."""

from __future__ import annotations

import contextlib
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

#: How long a program may clean up after itself, in seconds. Nix ends its builders, and removes what they wrote.
_PATIENCE = 20.0


@contextlib.contextmanager
def ending(process: subprocess.Popen[Any]) -> Iterator[None]:
    """End a program where the work with it is given up, as by a signal that reached nixgen alone.

    Args:
        process: the program; what it still says is read and forgotten, so that it does not wait for a reader.
    """
    try:
        yield
    except subprocess.TimeoutExpired:  # it has had its time
        process.kill()
        raise
    except BaseException:
        end(process)
        raise


def end(process: subprocess.Popen[Any]) -> None:
    """Ask a program to end, wait until it has, and kill it where it takes too long."""
    if process.poll() is not None:
        return
    process.terminate()
    if process.stderr is not None:
        threading.Thread(target=_drain, args=(process.stderr,), daemon=True).start()
    try:
        process.wait(_PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def run(
    command: Sequence[str | os.PathLike[str]],
    *,
    given: str | None = None,
    timeout: float | None = None,
    captured: bool = True,
    executable: str | None = None,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    **options: Any,
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, as ``subprocess.run`` does, but ask it to end where that is given up, and wait for it.

    Args:
        command: the program and its arguments.
        given: what it reads, None for nothing.
        timeout: seconds after which it is ended.
        captured: whether what it prints and says is returned.
        executable, env, cwd, options: as ``subprocess.Popen`` takes them.

    Raises:
        OSError: it cannot be started.
        subprocess.TimeoutExpired: it took longer.
    """
    pipe = subprocess.PIPE if captured else None
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
        stdout=pipe,
        stderr=pipe,
        encoding="utf-8",
        errors="replace",
        executable=executable,
        env=env,
        cwd=cwd,
        **options,
    )
    with process, ending(process):
        printed, said = process.communicate(given, timeout=timeout)
    return subprocess.CompletedProcess(command, process.returncode, printed, said)


def _drain(stream: Any) -> None:
    with contextlib.suppress(OSError, ValueError):
        while stream.read(1 << 16):
            pass
