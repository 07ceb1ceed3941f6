"""Taking turns: of several nixgen processes of a user, one at a time takes a wheel apart."""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from nixgen.cache import cache_directory


class Turns:
    """A file in the user's cache directory, one byte of which is locked for each wheel that is being worked on.

    The system gives a lock back when its process ends, however that happens. Where no such file can be made everybody
    works alone: the store holds the same in the end, but wheels may be fetched twice.
    """

    def __init__(self) -> None:
        self._file: int | None = None

    def __enter__(self) -> Self:
        path = cache_directory() / "turns.lock"
        with suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            os.close(self._file)

    @contextmanager
    def turn(self, filename: str) -> Iterator[bool]:
        """Try to be the only one at a wheel; true for who is.

        Args:
            filename: the wheel's.
        """
        if self._file is None:
            yield True
            return
        byte = int.from_bytes(hashlib.sha256(filename.encode()).digest()[:7], "big")
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, byte)
        except (BlockingIOError, PermissionError):  # taken; which of them it is, POSIX leaves open
            yield False
            return
        except OSError:  # a file system without locks
            yield True
            return
        try:
            yield True
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, byte)
