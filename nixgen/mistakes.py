"""What the system refuses, as an error that a user can do something about."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Iterator
from pathlib import Path

from nixgen.errors import MachineError

_NO_ROOM = "make room there, or set TMPDIR to a directory with room if it is a temporary one"
_NO_RIGHTS = "give yourself the right to write there (who owns it?), or work in a directory of your own"
_TOO_MANY = "end other programs of this user, or raise the limit (`ulimit -n`; `-u` and `-v` for processes)"
_NO_MEMORY = "end other programs, raise the limit (`ulimit -v`), or use a machine with more memory"

#: What a user does about an error of the system.
_TODO = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _NO_ROOM),
    errno.EROFS: "make it writable, or work in another directory",
    **dict.fromkeys((errno.EACCES, errno.EPERM), _NO_RIGHTS),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE, errno.EAGAIN), _TOO_MANY),
    errno.ENOMEM: _NO_MEMORY,
    errno.EIO: "look at the disk: the system's log says more",
    **dict.fromkeys((errno.EEXIST, errno.ENOTDIR, errno.EISDIR, errno.ENOTEMPTY), "move away what is there"),
    **dict.fromkeys((errno.ENAMETOOLONG, errno.ELOOP), "use another path"),
    # What was a link when it was looked at, and is none any more.
    errno.EINVAL: "run it again: somebody has put something else there meanwhile",
    errno.EXDEV: "use one file system",
    errno.ENOENT: "make it, or give another; somebody may have removed it meanwhile",
}

#: How programs in Rust name an error of the system.
_SAID = re.compile(r"\(os error (?P<os>\d+)\)(?: at path \"(?P<path>[^\"]+)\")?|\bOs \{ code: (?P<code>\d+)")

#: What ``tempfile`` says where it could write nowhere: the disk is full, or all is for reading only.
_NO_TEMPORARY = re.compile(r"No usable temporary directory found in \[(?P<tried>.*)\]")

_OF_A_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}

#: Those that a step has no file name for, and what they are about instead.
_OF_THE_PROCESS = {
    errno.EMFILE: "this process",
    errno.EAGAIN: "this user's processes",
    errno.ENFILE: "this machine",
    errno.ENOMEM: "this machine",
}


def mistake(error: BaseException) -> MachineError | None:
    """Return what to tell a user of an error that the system gave, None where it is no ordinary one.

    Errors that were caught and raised as others count, and so do those of a group.
    """
    if isinstance(error, BaseExceptionGroup):
        return next(filter(None, map(mistake, error.exceptions)), None)
    if isinstance(error, MemoryError):
        return MachineError("there is too little memory", where=_OF_THE_PROCESS[errno.ENOMEM], todo=_NO_MEMORY)
    if isinstance(error, RuntimeError) and "can't start new thread" in str(error):
        return MachineError("no thread can be started", where=_OF_THE_PROCESS[errno.EAGAIN], todo=_TOO_MANY)
    if isinstance(error, FileNotFoundError) and (none := _NO_TEMPORARY.match(error.strerror or "")) is not None:
        return MachineError(
            "no temporary directory can be written to",
            where=none["tried"],
            todo="make room in one of them, or set TMPDIR to a directory with room that you may write to",
        )
    if isinstance(error, OSError) and error.errno in _TODO:
        where = _OF_THE_PROCESS.get(error.errno) or _place(error)
        if where is not None:
            what = "no process can be started" if error.errno == errno.EAGAIN else os.strerror(error.errno).lower()
            return MachineError(what, where=where, todo=_TODO[error.errno])
    inner = error.__cause__ or error.__context__
    return mistake(inner) if isinstance(error, OSError) and inner is not None else None


def of_a_program(said: str, where: str = "the files of uv: its cache (UV_CACHE_DIR) and TMPDIR") -> MachineError | None:
    """Return the same of what another program said of an error of the system, by its number.

    Args:
        said: what it printed.
        where: what the error is about, where the program does not say it.
    """
    for match in _SAID.finditer(said):
        number = int(match["os"] or match["code"])
        if number in {*_OF_THE_PROCESS, *_OF_A_DISK, errno.EACCES, errno.EPERM, errno.EROFS}:
            return mistake(OSError(number, os.strerror(number), match["path"] or where))
    return None


def limit(error: BaseException) -> MachineError | None:
    """Return the same where an error came of a limit of the machine, which is not its file's fault or a server's."""
    while not isinstance(error, OSError | MemoryError):
        inner = error.__cause__ or error.__context__
        if inner is None:
            return None
        error = inner
    if isinstance(error, OSError) and error.errno not in {*_OF_THE_PROCESS, *_OF_A_DISK}:
        return None
    return mistake(error)


@contextlib.contextmanager
def about(path: Path) -> Iterator[None]:
    """Give an error that comes of a full or broken disk, and names no file, the name of one: a write knows none."""
    try:
        yield
    except OSError as error:
        if error.filename is None and error.errno in _OF_A_DISK:
            error.filename = os.fspath(path)
        raise


def _place(error: OSError) -> str | None:
    """Return the path that an error of the system is about; of a temporary one, the directory that it is made in."""
    if error.filename is None or isinstance(error.filename, int):
        return None
    # Imported here: few errors are about a temporary directory.
    from nixgen.temporary import is_temporary

    path = Path(os.fsdecode(error.filename))
    parents = [place.parent for place in (path, *path.parents) if is_temporary(place.name)]
    return str(parents[-1] if parents else path)
