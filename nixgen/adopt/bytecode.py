"""Bytecode that stays valid while its source becomes a link, or a file again (PEP 552).

Python compares the source's time and size with those in the pyc. A leaf's time is 1, so without this every module would
be compiled anew, at every start where Python cannot write. What is no timestamp pyc does not look at times.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
import struct
from pathlib import Path

#: Magic number, flags (0: compare times), the source's time and its size.
_HEADER = struct.Struct("<4sLLL")

#: module.cpython-311.pyc, module.cpython-311.opt-1.pyc
_NAME = re.compile(r"(.+)\.(?!opt-)[^.]+(?:\.opt-[^.]+)?\.pyc", re.DOTALL)


class Bytecode:
    """The bytecode of an environment; remembers what each ``__pycache__`` has.

    Args:
        temporary: a path for a file that will be renamed.
    """

    def __init__(self, temporary: Path) -> None:
        self._temporary = temporary
        self._names: dict[Path, dict[str, list[str]]] = {}

    def carry_over(self, source: Path, size: int, before: float, after: float) -> None:
        """Make what is valid for a source valid after its time changes.

        To be done first: until the source follows, Python compiles it anew, which is right too. What would become
        valid by chance is removed. What cannot be written stays, and Python compiles anew.

        Args:
            source: path of the source.
            size: in bytes.
            before: its time of modification.
            after: the one that it is about to have.
        """
        if source.suffix != ".py" or _field(before) == _field(after):
            return
        for name in self._of(source):
            with contextlib.suppress(OSError):
                self._change(source.parent / "__pycache__" / name, _field(size), _field(before), _field(after))

    def _change(self, pyc: Path, size: int, before: int, after: int) -> None:
        status = pyc.lstat()
        content = pyc.read_bytes() if stat.S_ISREG(status.st_mode) else b""
        if len(content) < _HEADER.size:
            return
        magic, flags, time, length = _HEADER.unpack_from(content)
        if flags or length != size:
            return
        if time == before:
            self._temporary.unlink(missing_ok=True)
            self._temporary.write_bytes(_HEADER.pack(magic, flags, after, length) + content[_HEADER.size :])
            give_status(self._temporary, status)
            self._temporary.replace(pyc)
        elif time == after:
            pyc.unlink()

    def _of(self, source: Path) -> list[str]:
        """Return the names of a source's bytecode, of every Python and level of optimization."""
        cache = source.parent / "__pycache__"
        if cache not in self._names:
            found = self._names[cache] = {}
            for name in os.listdir(cache) if cache.is_dir() and not cache.is_symlink() else ():  # noqa: PTH208
                if match := _NAME.fullmatch(name):
                    found.setdefault(match[1], []).append(name)
        return self._names[cache].get(source.stem, [])


def give_status(path: Path, status: os.stat_result) -> None:
    """Give a file the mode, the times and, for root, the owner that another one had."""
    if os.geteuid() == 0:
        os.chown(path, status.st_uid, status.st_gid)
    path.chmod(stat.S_IMODE(status.st_mode))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _field(value: float) -> int:
    return int(value) & 0xFFFFFFFF
