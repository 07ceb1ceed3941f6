"""Room on the machine: how many packages run at once, and within which memory."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Room:
    """Lets packages in while there are jobs and memory left; one that needs more than all runs alone.

    Args:
        jobs: how many at once.
        memory: GiB in all.
    """

    def __init__(self, jobs: int, memory: float) -> None:
        self._jobs = jobs
        self._memory = memory
        self._used: list[float] = []
        self._changed = threading.Condition()

    @contextmanager
    def take(self, memory: float) -> Iterator[None]:
        """Wait for room, and hold it."""
        with self._changed:
            self._changed.wait_for(lambda: self._fits(memory))
            self._used.append(memory)
        try:
            yield
        finally:
            with self._changed:
                self._used.remove(memory)
                self._changed.notify_all()

    def _fits(self, memory: float) -> bool:
        return not self._used or (len(self._used) < self._jobs and sum(self._used) + memory <= self._memory)


def machine_memory() -> float:
    """Return the machine's memory in GiB."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
