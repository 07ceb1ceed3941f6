"""A directory that holds store paths as an image is to hold them: each content once."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path

from nixgen.caches.narinfo import base_name, content_of_flat
from nixgen.leaf import flat_path
from nixgen.verification.leaves import Counter


class Staging:
    """Puts store paths into a directory, as hard links to the store's own files where that can be done.

    Files of the same content and mode become one file with several names, however the store keeps them: whether it was
    optimised does not change the image.

    Args:
        directory: where to put them, there and empty.
        store: the directory that the paths begin with.
    """

    def __init__(self, directory: Path, store: str) -> None:
        self._directory, self._store = directory, store
        self._first: dict[tuple[bytes, bool], Path] = {}

    def add(self, paths: Iterable[str], counter: Counter) -> dict[str, str]:
        """Put store paths there.

        Args:
            paths: which.
            counter: counts them.

        Returns:
            of each path that is a flat fixed output how Nix writes that.

        Raises:
            OSError: one cannot be read, or the directory not be written.
        """
        contents = {}
        for path in sorted(paths):
            name = base_name(path)
            digest = self._place(Path(path), self._directory / name)
            if digest is not None and flat_path(name[33:], digest, self._store) == path:
                contents[path] = content_of_flat(digest.hex())
            counter.add(1, 0)
        return contents

    def _place(self, source: Path, target: Path) -> bytes | None:
        """Put a file, link or directory there; return the SHA-256 of a file that is not executable."""
        status = source.lstat()
        if stat.S_ISLNK(status.st_mode):
            target.symlink_to(source.readlink())
        elif stat.S_ISDIR(status.st_mode):
            target.mkdir()
            for inner in sorted(source.iterdir()):
                self._place(inner, target / inner.name)
            target.chmod(0o555)
        else:
            return self._file(source, target, status)
        return None

    def _file(self, source: Path, target: Path, status: os.stat_result) -> bytes | None:
        executable = bool(status.st_mode & stat.S_IXUSR)
        with source.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").digest()
        if status.st_size == 0:
            # Without content there is nothing to share, and a file system allows only so many links to one file.
            _copy(source, target, executable)
        else:
            _link(self._first.get((digest, executable), source), target, executable)
            self._first.setdefault((digest, executable), target)
        return None if executable else digest


def _link(source: Path, target: Path, executable: bool) -> None:
    """Make a hard link to a file, or a copy of it where none can be made."""
    try:
        # Another mode would be another image, and a file of the store must not get one.
        if stat.S_IMODE(source.lstat().st_mode) == _mode(executable):
            target.hardlink_to(source)
            return
    except OSError:  # another file system, too many links, a file of somebody else
        pass
    _copy(source, target, executable)


def _copy(source: Path, target: Path, executable: bool) -> None:
    shutil.copyfile(source, target)
    target.chmod(_mode(executable))


def _mode(executable: bool) -> int:
    return 0o555 if executable else 0o444
