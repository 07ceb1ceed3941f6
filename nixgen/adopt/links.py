"""One file of an environment becomes a link to its leaf, or a file again: by rename, so that it is always there."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from nixgen.leaf import leaf_path
from nixgen.wheels.record import to_base64

from .below import open_regular
from .bytecode import Bytecode
from .journal import Entry, Journal

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A file that is to become a link.

    Attributes:
        path: relative to the environment.
        leaf: store path of its leaf.
        sha256: of its content, base64.
        status: what the file was when its content was read.
    """

    path: str
    leaf: str
    sha256: str
    status: os.stat_result

    def entry(self) -> Entry:
        """Return what the journal keeps of it."""
        return Entry(leaf=self.leaf, mode=self.status.st_mode & 0o777, mtime=self.status.st_mtime_ns)


class Links:
    """Replaces files of one environment.

    Args:
        journal: of the environment.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._below = journal.below
        self._bytecode = Bytecode(journal)

    def link(self, candidate: Candidate) -> bool:
        """Put a link to its leaf in a file's place; tell whether it is there, or the file has changed meanwhile."""
        path, status = candidate.path, candidate.status
        self._bytecode.carry_over(path, status.st_size, status.st_mtime, Path(candidate.leaf).stat().st_mtime)
        new = self._journal.new_link(candidate.leaf)
        if os.geteuid() == 0:
            self._below.chown_link(new, status.st_uid, status.st_gid)
        if _identity(self._below.status(path)) != _identity(status):
            self._below.unlink(new)
            return False
        self._below.replace(path, new)
        return True

    def restore(self, path: str, entry: Entry) -> str | None:
        """Put a file in a link's place, as it was before.

        Returns:
            None where it is there, else what is wrong with the leaf.
        """
        try:
            source = open_regular(Path(entry.leaf))
        except FileNotFoundError:
            return f"{entry.leaf} is no longer in the store"
        except OSError as error:
            return f"{entry.leaf} cannot be read: {error.strerror or error}"
        new, file = self._journal.new()
        with source, file:
            if not _copy(source, Path(entry.leaf), file):
                self._below.unlink(new)
                return f"{entry.leaf} is damaged"
            file.flush()
            owner = self._below.status(path)
            if os.geteuid() == 0 and owner is not None:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.fchmod(file.fileno(), entry.mode)
            os.utime(file.fileno(), ns=(entry.mtime, entry.mtime))
            made, before = os.fstat(file.fileno()), os.fstat(source.fileno())
        self._bytecode.carry_over(path, made.st_size, before.st_mtime, made.st_mtime)
        if self._below.target(path) == entry.leaf:
            self._below.replace(path, new)
        else:
            self._below.unlink(new)
        return None


def _identity(status: os.stat_result | None) -> tuple[int, ...]:
    """Return what differs where a file is not the same any more; nothing where there is none."""
    if status is None:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode


def _copy(source: IO[bytes], leaf: Path, file: IO[bytes]) -> bool:
    """Copy a leaf; tell whether its content is what its store path says."""
    digest = hashlib.sha256()
    while chunk := source.read(_CHUNK):
        digest.update(chunk)
        file.write(chunk)
    # The path has the suffix that the leaf's name was made of.
    return leaf_path(leaf.name[33:], to_base64(digest.digest()), str(leaf.parent)) == str(leaf)
