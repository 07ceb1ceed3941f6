"""What nixgen keeps in an environment that it adopted: which files became links, and what they were.

``.nixgen/adopted.json`` is written before the first file is replaced. What an entry says is true where its path is a
link to its leaf; elsewhere the replacing did not come that far, or another tool has put a file there since.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from nixgen.errors import InputError

_FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file that became a link.

    Attributes:
        leaf: the store path that it links to.
        mode: the file's permissions.
        mtime: its time of modification, in nanoseconds.
    """

    leaf: str
    mode: int
    mtime: int


class Journal:
    """The directory ``.nixgen`` of an environment.

    Attributes:
        root: the environment.
        link: the link to the list of leaves in the store, which keeps them from garbage collection.
        temporary: a path for what will be renamed; what an interrupted command left there is replaced.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._directory = root / ".nixgen"
        self._path = self._directory / "adopted.json"
        self.link = self._directory / "adopted"
        self.temporary = self._directory / "adopted.new"

    def make_directory(self) -> None:
        """Make the directory where it is missing.

        Raises:
            InputError: it cannot be made or written.
        """
        try:
            self._directory.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=self._directory):
                pass
        except OSError as error:
            raise InputError(
                f"cannot write to the environment: {error.strerror}",
                where=str(self._directory),
                todo="run this as the owner of the environment",
            ) from error

    def read(self) -> dict[str, Entry]:
        """Return the entries by path, as far as they are true: those whose path is a link to their leaf.

        Raises:
            InputError: the journal is damaged, or a newer nixgen's.
        """
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
            if data["nixgen"] != _FORMAT:
                raise InputError("another nixgen adopted this", where=str(self._path), todo="use a newer nixgen")
            entries = {path: Entry(**entry) for path, entry in data["files"].items()}
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"cannot read what was adopted: {error}", where=str(self._path), todo="make the environment anew"
            ) from error
        return {path: entry for path, entry in entries.items() if leads_to(self.root / path) == entry.leaf}

    def write(self, entries: Mapping[str, Entry]) -> None:
        """Write the entries at once, and to the disk: they have to be there before a file is replaced."""
        data = {"nixgen": _FORMAT, "files": {path: asdict(entry) for path, entry in sorted(entries.items())}}
        self.temporary.unlink(missing_ok=True)
        with self.temporary.open("x", encoding="utf-8") as file:
            json.dump(data, file, separators=(",", ":"))
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        self.temporary.replace(self._path)

    def exists(self) -> bool:
        """Tell whether anything was adopted."""
        return self._path.exists() or self.link.is_symlink()

    def remove(self) -> None:
        """Remove the journal and the link, and the directory with them."""
        for path in (self._path, self.link, self.temporary, self.temporary.with_suffix(".pyc")):
            path.unlink(missing_ok=True)
        self.remove_directory()

    def remove_directory(self) -> None:
        """Remove the directory where nothing is in it."""
        if self._directory.is_dir() and not any(self._directory.iterdir()):
            self._directory.rmdir()


def leads_to(path: Path) -> str | None:
    """Return what a link names, None where there is no link."""
    try:
        return os.readlink(path)  # noqa: PTH115 - as it is written
    except OSError:
        return None
