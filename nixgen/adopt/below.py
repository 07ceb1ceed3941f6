"""Files below a directory, by descriptors: no link is followed on the way, whatever happens there meanwhile."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections import OrderedDict
from io import BufferedReader
from pathlib import Path
from typing import IO

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
#: O_NONBLOCK: a pipe in the place of a file waits for nobody.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

#: How many directories stay open; most systems let a process have 1024.
_OPEN = 64

_DEPTH = 400


class Below:
    """What lies below one directory. Paths are relative to it, with no link, ``.`` or ``..`` in them.

    Every method raises OSError where a directory of the path is none, or a link.

    Args:
        root: a descriptor of the directory, which this takes over.
    """

    def __init__(self, root: int) -> None:
        self._root = root
        self._directories: OrderedDict[str, int] = OrderedDict()

    def __del__(self) -> None:
        self.forget()
        os.close(self._root)

    def forget(self) -> None:
        """Open directories anew from now on: another tool may have put new ones in their place."""
        while self._directories:
            os.close(self._directories.popitem()[1])

    def directory(self, path: str) -> int:
        """Return a descriptor of a directory, valid until the next call; ``""`` is the root."""
        if not path:
            return self._root
        if path in self._directories:
            self._directories.move_to_end(path)
            return self._directories[path]
        above, _, name = path.rpartition("/")
        if name in ("", ".", "..") or path.startswith("/") or path.count("/") > _DEPTH:
            raise NotADirectoryError(f"not below the directory: {path}")
        opened = os.open(name, _DIRECTORY, dir_fd=self.directory(above))
        self._directories[path] = opened
        if len(self._directories) > _OPEN:
            os.close(self._directories.popitem(last=False)[1])
        return opened

    def status(self, path: str) -> os.stat_result | None:
        """Return what a file or a link is itself; None where there is none."""
        try:
            directory, name = self._place(path)
            return os.stat(name, dir_fd=directory, follow_symlinks=False)
        except (OSError, ValueError):
            return None

    def target(self, path: str) -> str | None:
        """Return what a link names; None where there is no link."""
        try:
            directory, name = self._place(path)
            return os.readlink(name, dir_fd=directory)
        except (OSError, ValueError):
            return None

    def open(self, path: str) -> BufferedReader:
        """Open a real file for reading."""
        directory, name = self._place(path)
        return regular(os.open(name, _FILE, dir_fd=directory), path)

    def names(self, path: str) -> list[str]:
        """Return the names in a directory; none where it is none."""
        try:
            return os.listdir(self.directory(path))  # noqa: PTH208 - of a descriptor
        except OSError:
            return []

    def make_directory(self, name: str) -> None:
        """Make a directory in the root where it is missing; what is there must be one."""
        with contextlib.suppress(FileExistsError):
            os.mkdir(name, dir_fd=self._root)
        self._directories.pop(name, None)
        self.directory(name)

    def remove_directory(self, name: str) -> None:
        """Remove a directory of the root where it is empty."""
        with contextlib.suppress(OSError):
            os.rmdir(name, dir_fd=self._root)
            os.close(self._directories.pop(name, -1))

    def unlink(self, path: str) -> None:
        """Remove a file or a link where there is one."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            directory, name = self._place(path)
            os.unlink(name, dir_fd=directory)

    def is_writable(self, path: str) -> bool:
        """Tell whether names can be made and replaced in a directory."""
        try:
            return os.access(".", os.W_OK | os.X_OK, dir_fd=self.directory(path))
        except OSError:
            return False

    def new(self, directory: str, prefix: str) -> tuple[str, IO[bytes]]:
        """Make a file that was not there, of a name that nobody guesses; return its path, and it for writing."""
        path = f"{directory}/{prefix}{secrets.token_hex(12)}"
        place, name = self._place(path)
        return path, os.fdopen(os.open(name, _NEW, 0o600, dir_fd=place), "wb")

    def new_link(self, directory: str, prefix: str, target: str) -> str:
        """Make a link that was not there, of a name that nobody guesses; return its path."""
        path = f"{directory}/{prefix}{secrets.token_hex(12)}"
        place, name = self._place(path)
        os.symlink(target, name, dir_fd=place)
        return path

    def chown_link(self, path: str, uid: int, gid: int) -> None:
        """Give a link away, where nobody else can have put another one in its place: it has no descriptor."""
        directory, name = self._place(path)
        around = os.fstat(directory)
        if around.st_uid == os.geteuid() and not around.st_mode & 0o022:
            os.chown(name, uid, gid, dir_fd=directory, follow_symlinks=False)

    def replace(self, path: str, by: str) -> None:
        """Put a file or link in the place of another one, at once."""
        source, _, old = by.rpartition("/")
        kept = os.dup(self.directory(source))
        try:
            directory, name = self._place(path)
            os.rename(old, name, src_dir_fd=kept, dst_dir_fd=directory)
        finally:
            os.close(kept)

    def _place(self, path: str) -> tuple[int, str]:
        above, _, name = path.rpartition("/")
        if name in ("", ".", "..") or path.startswith("/"):
            raise FileNotFoundError(f"not below the directory: {path}")
        return self.directory(above), name


def regular(descriptor: int, path: str) -> BufferedReader:
    """Return what a descriptor reads, which must be a regular file; takes it over."""
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"not a regular file: {path}")
    return os.fdopen(descriptor, "rb")


def open_regular(path: Path) -> BufferedReader:
    """Open a file anywhere for reading, which must be a regular one itself."""
    return regular(os.open(path, _FILE), str(path))
