"""Temporary directories that a killed process does not leave for good: the next one removes them.

Each holds a ``.gitignore`` that ignores all of it, so that ``git add`` takes nothing where one lies in a project. That
file is locked as long as the process lives, and the system gives the lock back when it ends, however that happens.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from nixgen.mistakes import about

_PREFIX = "nixgen-tmp-"
_NAME = re.compile(rf"\.?{_PREFIX}[a-z0-9_]{{8}}")
_MARK = ".gitignore"
_IGNORE_ALL = b"*\n"


@contextlib.contextmanager
def temporary_directory(parent: Path | None = None) -> Iterator[Path]:
    """Give an empty directory that only its owner may read, and remove it.

    Args:
        parent: where to make it, hidden; None is the system's place (``TMPDIR``), where what processes of this user
            left that are no more is removed first.
    """
    if parent is None:
        parent, prefix = Path(tempfile.gettempdir()), _PREFIX
        sweep(parent)
    else:
        prefix = f".{_PREFIX}"
    with about(parent):
        directory, lock = _made(parent, prefix)
        try:
            yield directory
        finally:
            _remove(directory)
            os.close(lock)


def is_temporary(name: str) -> bool:
    """Tell whether a file name is that of a directory which is made here."""
    return _NAME.fullmatch(name) is not None


def sweep(parent: Path) -> None:
    """Remove what processes of this user that are no more left in a directory; what cannot be removed stays."""
    with contextlib.suppress(OSError), os.scandir(parent) as entries:
        found = [Path(entry.path) for entry in entries if is_temporary(entry.name) and not entry.is_symlink()]
        for directory in found:
            with contextlib.suppress(OSError):
                _remove_dead(directory)


def _made(parent: Path, prefix: str) -> tuple[Path, int]:
    """Make a directory with its lock, and return both."""
    while True:
        directory = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
        try:
            return directory, _marked(directory)
        except (FileNotFoundError, BlockingIOError):  # another process has just swept it
            with contextlib.suppress(OSError):
                directory.rmdir()
        except BaseException:
            _remove(directory)
            raise


def _marked(directory: Path) -> int:
    """Write the file that marks a directory, and return it open and locked."""
    mark = directory / _MARK
    with contextlib.suppress(AttributeError, OSError):  # not Linux, or a file system that has no such files
        return _born_whole(directory, mark)
    file = os.open(mark, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, _IGNORE_ALL)
        _lock(file)
        if mark.stat().st_ino != os.fstat(file).st_ino:
            raise FileNotFoundError(mark)
    except BaseException:
        os.close(file)
        raise
    return file


def _born_whole(directory: Path, mark: Path) -> int:
    """Write it without a name at first, so that it is whole and locked when it has one."""
    file = os.open(directory, os.O_TMPFILE | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, _IGNORE_ALL)
        _lock(file)
        # With a directory it is linkat(), which alone follows a link.
        os.link(f"/proc/self/fd/{file}", mark, src_dir_fd=file, follow_symlinks=True)
    except BaseException:
        os.close(file)
        raise
    return file


def _lock(file: int) -> bool:
    """Lock a file; tell whether its file system has locks.

    Raises:
        BlockingIOError: another process has it.
    """
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:
        return False
    return True


def _remove_dead(directory: Path) -> None:
    """Remove a temporary directory of ours whose process is no more."""
    state = directory.lstat()
    if state.st_uid != os.geteuid():
        return
    try:
        file = os.open(directory / _MARK, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        directory.rmdir()  # made and not marked yet; whoever is about to makes another
        return
    try:
        if _lock(file):
            _remove(directory)
    finally:
        os.close(file)


def _remove_tree(directory: Path) -> None:
    """Remove a directory with all below it, those too that nobody may write to, as builders leave them."""
    shutil.rmtree(directory, ignore_errors=True)
    if directory.exists():
        for place, _, _ in os.walk(directory):
            os.chmod(place, stat.S_IRWXU)  # noqa: PTH101
        shutil.rmtree(directory, ignore_errors=True)


def _remove(directory: Path) -> None:
    """Remove a directory, its mark last: what a kill leaves of it is still marked. What cannot be removed stays."""
    with contextlib.suppress(OSError):
        for path in directory.iterdir():
            if path.is_dir() and not path.is_symlink():
                _remove_tree(path)
            elif path.name != _MARK:
                path.unlink()
        (directory / _MARK).unlink(missing_ok=True)
        directory.rmdir()
