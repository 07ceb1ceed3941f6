"""Processes end in time, with all that they started."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import pytest

from corpus.processes import Processes
from corpus.room import Room

ENV = {"PATH": os.defpath}


def test_output_and_code(tmp_path: Path) -> None:
    """A process' code and both of its streams are returned, and it reads what it is given."""
    done = Processes().run(["sh", "-c", "cat; echo no >&2; exit 3"], cwd=tmp_path, env=ENV, timeout=30, text="hello")
    assert (done.code, done.out, done.err) == (3, "hello", "no\n")


def test_time_is_up(tmp_path: Path) -> None:
    """A process that takes too long ends without a code, and so do its children."""
    start = time.monotonic()
    script = "sleep 60 & echo $! > child; wait"
    done = Processes().run(["sh", "-c", script], cwd=tmp_path, env=ENV, timeout=1)
    assert done.code is None and time.monotonic() - start < 30
    _gone(int((tmp_path / "child").read_text()))


def test_what_is_left_behind_ends(tmp_path: Path) -> None:
    """A server that a process leaves running ends with it, and does not keep its reader waiting."""
    done = Processes().run(["sh", "-c", "sleep 60 & echo $! > child"], cwd=tmp_path, env=ENV, timeout=30)
    assert done.code == 0
    _gone(int((tmp_path / "child").read_text()))


def test_stopping(tmp_path: Path) -> None:
    """Stopping ends what runs, and nothing starts after it."""
    processes = Processes()
    threading.Timer(0.5, processes.stop).start()
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            processes.run(["sleep", "60"], cwd=tmp_path, env=ENV, timeout=90)


def test_room() -> None:
    """No more packages run at once than jobs and memory allow; one that needs more than all runs alone."""
    room = Room(jobs=2, memory=4)
    sizes: list[float] = []
    seen: list[list[float]] = []
    lock = threading.Lock()

    def one(memory: float) -> None:
        with room.take(memory):
            with lock:
                sizes.append(memory)
                seen.append(list(sizes))
            time.sleep(0.02)
            with lock:
                sizes.remove(memory)

    threads = [threading.Thread(target=one, args=(memory,)) for memory in (1, 1, 1, 3, 3, 9, 2, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(seen) == 8 and max(map(len, seen)) <= 2
    assert all(sum(at_once) <= 4 or at_once == [9] for at_once in seen)


def _gone(pid: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return
        if state == "Z":
            return
        time.sleep(0.05)
    raise AssertionError(f"{pid} still runs")
