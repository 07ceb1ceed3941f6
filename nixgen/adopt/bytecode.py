"""Bytecode that stays valid while its source becomes a link, or a file again (PEP 552).

Python compares the source's time and size with those in the pyc. A leaf's time is 1, so without this every module would
be compiled anew, at every start where Python cannot write. What is no timestamp pyc does not look at times.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import struct
from typing import IO

from .journal import Journal

#: Magic number, flags (0: compare times), the source's time and its size.
_HEADER = struct.Struct("<4sLLL")

#: module.cpython-311.pyc, module.cpython-311.opt-1.pyc
_NAME = re.compile(r"(.+)\.(?!opt-)[^.]+(?:\.opt-[^.]+)?\.pyc", re.DOTALL)


class Bytecode:
    """The bytecode of an environment; remembers what each ``__pycache__`` has.

    Args:
        journal: of the environment.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._below = journal.below
        self._names: dict[str, dict[str, list[str]]] = {}

    def carry_over(self, source: str, size: int, before: float, after: float) -> None:
        """Make what is valid for a source valid after its time changes.

        To be done first: until the source follows, Python compiles it anew, which is right too. What would become
        valid by chance is removed. What cannot be written stays, and Python compiles anew.

        Args:
            source: path of the source, below the environment.
            size: in bytes.
            before: its time of modification.
            after: the one that it is about to have.
        """
        directory, _, name = source.rpartition("/")
        if not name.endswith(".py") or _field(before) == _field(after):
            return
        cache = f"{directory}/__pycache__".lstrip("/")
        for pyc in self._of(cache, name.removesuffix(".py")):
            with contextlib.suppress(OSError):
                self._change(f"{cache}/{pyc}", _field(size), _field(before), _field(after))

    def _change(self, pyc: str, size: int, before: int, after: int) -> None:
        with self._below.open(pyc) as file:
            status, header = os.fstat(file.fileno()), file.read(_HEADER.size)
            if len(header) < _HEADER.size:
                return
            magic, flags, time, length = _HEADER.unpack(header)
            if flags or length != size:
                return
            if time == before:
                new, copy = self._journal.new()
                with copy:
                    copy.write(_HEADER.pack(magic, flags, after, length))
                    shutil.copyfileobj(file, copy)
                    copy.flush()
                    give_status(copy, status)
                self._below.replace(pyc, new)
            elif time == after:
                self._below.unlink(pyc)

    def _of(self, cache: str, stem: str) -> list[str]:
        """Return the names of a source's bytecode, of every Python and level of optimization."""
        if cache not in self._names:
            found = self._names[cache] = {}
            for name in self._below.names(cache):
                if match := _NAME.fullmatch(name):
                    found.setdefault(match[1], []).append(name)
        return self._names[cache].get(stem, [])


def give_status(file: IO[bytes], status: os.stat_result) -> None:
    """Give an open file the permissions, the times and, for root, the owner that another one had."""
    if os.geteuid() == 0:
        os.fchown(file.fileno(), status.st_uid, status.st_gid)
    os.fchmod(file.fileno(), status.st_mode & 0o777)
    os.utime(file.fileno(), ns=(status.st_atime_ns, status.st_mtime_ns))


def _field(value: float) -> int:
    return int(value) & 0xFFFFFFFF
