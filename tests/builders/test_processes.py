"""``processes``: a list of tasks in several processes."""

from __future__ import annotations

import os

import processes
import pytest


@pytest.mark.parametrize("workers", [0, 1, 2, 3, 7])
@pytest.mark.parametrize("count", [0, 1, 5, 20])
def test_results_keep_the_order_of_the_tasks(workers: int, count: int) -> None:
    """Every task is done once, and its result stands where the task stood."""
    assert processes.in_processes(lambda task: task * task, list(range(count)), workers) == [
        task * task for task in range(count)
    ]


def test_tasks_are_shared_by_processes() -> None:
    """Two workers are two processes, neither of them this one."""
    done = processes.in_processes(lambda _: os.getpid(), list(range(10)), 2)
    assert len(set(done)) == 2 and os.getpid() not in done


def test_results_larger_than_a_pipe_holds() -> None:
    """A process that has more to send than a pipe takes does not wait for ever."""
    done = processes.in_processes(lambda task: "x" * 200_000 + str(task), list(range(8)), 4)
    assert [len(text) for text in done] == [200_001] * 8


def test_a_failing_task_fails_the_build(capfd: pytest.CaptureFixture[str]) -> None:
    """Where a task raises, the whole fails, with its traceback, and no process is left behind."""

    def fail(task: int) -> int:
        return 1 // (task - 3)

    with pytest.raises(SystemExit, match="failed"):
        processes.in_processes(fail, list(range(6)), 2)
    assert "ZeroDivisionError" in capfd.readouterr().err
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_no_semaphores_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It works where the machine has no POSIX semaphores, as in a container without /dev/shm."""

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError

    monkeypatch.setattr("_multiprocessing.SemLock", refuse)
    assert processes.in_processes(str, [1, 2, 3, 4], 2) == ["1", "2", "3", "4"]
