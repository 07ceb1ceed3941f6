"""A hostile user: swaps what is in his directory for links to what is root's, as fast as he can, until he is ended.

Run as that user, with the standard library alone: ``python racer.py SEED HOME PRECIOUS``.
"""

# ruff: noqa: PTH118, PTH104, PTH211, PTH108, PTH208, PTH114, PTH112
# os.path, not pathlib: this is a race.

from __future__ import annotations

import contextlib
import os
import random
import sys
import time


def main(seed: str, home: str, precious: str) -> None:
    """Swap without an end, some seeds slower than others; HOME is this user's, PRECIOUS root's with a file in it."""
    chance = random.Random(f"{seed} racer")
    targets = [precious, os.path.join(precious, "file"), os.path.join(precious, "deep"), "/", os.devnull]
    # Without a pause, hardly a verb gets as far as to what it has to do.
    pause = chance.choice([0, 0.002, 0.02])
    while True:
        time.sleep(pause * chance.random())
        with contextlib.suppress(OSError):
            chance.choice(STEPS)(chance, home, chance.choice(targets))


def swap(chance: random.Random, home: str, target: str) -> None:
    """Put a link in the place of something that is there, for a moment."""
    path = _any(chance, home)
    kept = f"{path}.was-{os.getpid()}"
    os.rename(path, kept)
    try:
        os.symlink(target, path)
        os.unlink(path)
    finally:
        _back(kept, path)


def exchange(chance: random.Random, home: str, target: str) -> None:
    """Leave a link in the place of something for as long as other steps take."""
    path = _any(chance, home)
    kept = f"{path}.was-{os.getpid()}"
    os.rename(path, kept)
    os.symlink(target, path)
    for _ in range(chance.randrange(200)):
        os.lstat(path)
    with contextlib.suppress(OSError):
        os.unlink(path)
    _back(kept, path)


def new(chance: random.Random, home: str, target: str) -> None:
    """Put links in the place of what root has just made: names of what is written before it is renamed."""
    directory = os.path.join(home, chance.choice([".nixgen", "bin", "lib", "."]))
    for name in os.listdir(directory):
        if name.startswith(("new-", "lock", ".nixgen-tmp", "nixgen-tmp", "tmp")):
            path = os.path.join(directory, name)
            os.rename(path, os.path.join(directory, f"was-{name}"))
            os.symlink(target, path)


def pipe(chance: random.Random, home: str, _target: str) -> None:
    """Put a pipe that nobody writes to in the place of a file, for a moment."""
    path = _any(chance, home)
    kept = f"{path}.was-{os.getpid()}"
    os.rename(path, kept)
    try:
        os.mkfifo(path)
        os.unlink(path)
    finally:
        _back(kept, path)


def hard(chance: random.Random, home: str, target: str) -> None:
    """Give what is root's another name in this user's directory, where the system lets him."""
    path = os.path.join(home, f"hard-{chance.randrange(3)}")
    with contextlib.suppress(OSError):
        os.unlink(path)
    os.link(target, path, follow_symlinks=False)


STEPS = (swap, swap, exchange, new, new, pipe, hard)


def _any(chance: random.Random, home: str) -> str:
    """Return a path below the directory, its most interesting ones more often than others."""
    if chance.random() < 0.6:
        return os.path.join(home, chance.choice([".nixgen", ".nixgen/roots", "bin", "lib", "pyvenv.cfg", "bin/python"]))
    path = home
    while True:
        names = os.listdir(path)
        path = os.path.join(path, chance.choice(names))
        if os.path.islink(path) or not os.path.isdir(path) or chance.random() < 0.2:
            return path


def _back(kept: str, path: str) -> None:
    with contextlib.suppress(OSError):
        os.rename(kept, path)


if __name__ == "__main__":
    main(*sys.argv[1:])
