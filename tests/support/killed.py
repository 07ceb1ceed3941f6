"""Processes that are killed before the step of a number, one after another, until one is not."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator

#: What changes a file system, as Python's audit events have it; "open" does where it is for writing.
_STEPS = {"os.mkdir", "os.rename", "os.link", "os.symlink", "os.remove", "os.rmdir", "os.truncate", "ctypes.dlsym"}


def killed_at_each_step(prepare: Callable[[], None], work: Callable[[], object]) -> Iterator[int]:
    """Run some work again and again, in a process that is killed before its first step, its second, and so on.

    Args:
        prepare: called before each run.
        work: what is done.

    Yields:
        the number of the step, after each kill. The last run, which nobody killed, is not told.
    """
    number = 0
    while True:
        number += 1
        prepare()
        child = os.fork()
        if child == 0:
            _die_before(number)
            work()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            assert os.WEXITSTATUS(status) == 0
            return
        assert os.WTERMSIG(status) == signal.SIGKILL
        yield number


def _die_before(number: int) -> None:
    left = number

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        if event in _STEPS or writes:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(count)
