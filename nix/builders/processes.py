"""Several processes for one list of tasks.

Forks and pipes alone: the standard library's pools need POSIX semaphores, which a build does not have where /dev/shm is
missing or closed (containers, chroots).
"""

import os
import sys


def in_processes(function, tasks, workers):
    """Return ``[function(task) for task in tasks]``, computed by several processes.

    Args:
        function: what it returns can be pickled.
        tasks: each process takes every ``workers``-th one.
        workers: how many processes; with fewer than 2, everything happens in this one.

    Raises:
        SystemExit: where a task fails; its traceback stands on standard error.
    """
    if workers < 2:
        return [function(task) for task in tasks]
    sys.stdout.flush()
    sys.stderr.flush()
    children, builder = [], os.getpid()
    for first in range(workers):
        receive, send = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(receive)
            _die_with(builder)
            _work(function, tasks[first::workers], send)
        os.close(send)
        children.append((child, receive))
    shares = [_collect(child, receive) for child, receive in children]
    if None in shares:
        sys.exit("nixgen: a part of the build failed; see above")
    results = [None] * len(tasks)
    for first, share in enumerate(shares):
        results[first::workers] = share
    return results


def _die_with(builder):
    """Have Linux kill this process with its parent, as Nix has it kill the builder with Nix.

    One that survives writes into the output of the next build, which fails.
    """
    if sys.platform != "linux":
        return
    try:
        # What the module ctypes is made of, which by itself takes 3 ms longer to import.
        import _ctypes

        prctl = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")
        _ctypes.call_function(prctl, (1, 9))  # PR_SET_PDEATHSIG, SIGKILL
    except (ImportError, AttributeError, OSError, TypeError):
        return  # a Python without it builds as well
    if os.getppid() != builder:  # it was killed meanwhile
        os._exit(1)


def _work(function, tasks, send):
    """Do a share of the tasks, send the results, and end this process."""
    import pickle
    import traceback

    status = 1
    try:
        with os.fdopen(send, "wb") as pipe:
            pickle.dump([function(task) for task in tasks], pipe)
        status = 0
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def _collect(child, receive):
    """Return what a process sends, None where it failed."""
    import pickle

    with os.fdopen(receive, "rb") as pipe:
        sent = pipe.read()
    _, status = os.waitpid(child, 0)
    return pickle.loads(sent) if status == 0 else None
