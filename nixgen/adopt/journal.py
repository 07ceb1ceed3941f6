"""What nixgen keeps in an environment that it adopted: which files became links, and what they were.

``.nixgen/adopted.json`` is written before the first file is replaced. What an entry says is true where its path is a
link to its leaf; elsewhere the replacing did not come that far, or another tool has put a file there since.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from nixgen.errors import InputError, MachineError

from .below import Below

_FORMAT = 1

_DIRECTORY = ".nixgen"
_JOURNAL = f"{_DIRECTORY}/adopted.json"
_LINK = f"{_DIRECTORY}/adopted"

#: What the name of a file begins with that will be renamed. What an interrupted command left is removed.
_NEW = "adopted.new-"

#: How long a journal may be, in bytes; one of 16,647 files has 2.4 MB.
_LIMIT = 1 << 28


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file that became a link.

    Attributes:
        leaf: the store path that it links to.
        mode: the file's permissions, without the bits that give its owner's rights away: whoever owns the environment
            owns the journal.
        mtime: its time of modification, in nanoseconds.
    """

    leaf: str
    mode: int
    mtime: int


class Journal:
    """The directory ``.nixgen`` of an environment.

    Attributes:
        root: the environment.
        below: its files.
        link: the link to the list of leaves in the store, which keeps them from garbage collection.
    """

    def __init__(self, root: Path, below: Below) -> None:
        self.root = root
        self.below = below
        self.link = root / _LINK
        self._path = root / _JOURNAL

    def make_directory(self) -> None:
        """Make the directory where it is missing, and remove what an interrupted command left there.

        Raises:
            MachineError: it cannot be made or written.
        """
        try:
            self.below.make_directory(_DIRECTORY)
            self._clean()
            path, file = self.new()
            file.close()
            self.below.unlink(path)
        except OSError as error:
            raise MachineError(
                f"cannot write to the environment: {error.strerror or error}",
                where=str(self.root / _DIRECTORY),
                todo="run this as the owner of the environment",
            ) from error

    def new(self) -> tuple[str, IO[bytes]]:
        """Make a file that will be renamed; return its path below the environment, and it for writing."""
        return self.below.new(_DIRECTORY, _NEW)

    def new_link(self, target: str) -> str:
        """Make a link that will be renamed; return its path below the environment."""
        return self.below.new_link(_DIRECTORY, _NEW, target)

    def read(self) -> dict[str, Entry]:
        """Return the entries by path, as far as they are true: those whose path is a link to their leaf.

        Raises:
            InputError: the journal is damaged, or a newer nixgen's.
        """
        try:
            with self.below.open(_JOURNAL) as file:
                data = json.loads(file.read(_LIMIT))
            if data["nixgen"] != _FORMAT:
                raise InputError("another nixgen adopted this", where=str(self._path), todo="use a newer nixgen")
            entries = {path: _entry(**entry) for path, entry in data["files"].items()}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InputError(
                f"cannot read what was adopted: {error}", where=str(self._path), todo="make the environment anew"
            ) from error
        return {path: entry for path, entry in entries.items() if self.below.target(path) == entry.leaf}

    def write(self, entries: Mapping[str, Entry]) -> None:
        """Write the entries at once, and to the disk: they have to be there before a file is replaced."""
        data = {"nixgen": _FORMAT, "files": {path: asdict(entry) for path, entry in sorted(entries.items())}}
        new, file = self.new()
        with file:
            file.write(json.dumps(data, separators=(",", ":")).encode() + b"\n")
            os.fchmod(file.fileno(), 0o644)
            file.flush()
            os.fsync(file.fileno())
        self.below.replace(_JOURNAL, new)

    def exists(self) -> bool:
        """Tell whether anything was adopted."""
        return self.below.status(_JOURNAL) is not None or self.below.target(_LINK) is not None

    def remove(self) -> None:
        """Remove the journal and the link, and the directory with them."""
        self.below.unlink(_JOURNAL)
        self.below.unlink(_LINK)
        self._clean()
        self.remove_directory()

    def remove_directory(self) -> None:
        """Remove the directory where nothing is in it."""
        self.below.remove_directory(_DIRECTORY)

    def _clean(self) -> None:
        for name in self.below.names(_DIRECTORY):
            # adopted.pyc is an earlier nixgen's.
            if name.startswith((_NEW, _NEW.rstrip("-"))) or name == "adopted.pyc":
                self.below.unlink(f"{_DIRECTORY}/{name}")


def _entry(*, leaf: str, mode: int, mtime: int) -> Entry:
    if not (isinstance(leaf, str) and isinstance(mode, int) and isinstance(mtime, int) and abs(mtime) < 1 << 62):
        raise TypeError(f"an odd entry: {leaf}")
    return Entry(leaf=leaf, mode=mode & 0o777, mtime=mtime)
