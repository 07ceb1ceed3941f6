"""One file of an environment becomes a link to its leaf, or a file again: by rename, so that it is always there."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from nixgen.leaf import leaf_path
from nixgen.wheels.record import to_base64

from .bytecode import Bytecode
from .journal import Entry, Journal, leads_to

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
        return Entry(leaf=self.leaf, mode=self.status.st_mode & 0o7777, mtime=self.status.st_mtime_ns)


class Links:
    """Replaces files of one environment.

    Args:
        journal: of the environment.
    """

    def __init__(self, journal: Journal) -> None:
        self._root = journal.root
        self._temporary = journal.temporary
        self._bytecode = Bytecode(self._temporary.with_suffix(".pyc"))

    def link(self, candidate: Candidate) -> bool:
        """Put a link to its leaf in a file's place; tell whether it is there, or the file has changed meanwhile."""
        path, status = self._root / candidate.path, candidate.status
        self._bytecode.carry_over(path, status.st_size, status.st_mtime, Path(candidate.leaf).stat().st_mtime)
        self._temporary.unlink(missing_ok=True)
        self._temporary.symlink_to(candidate.leaf)
        if os.geteuid() == 0:
            os.chown(self._temporary, status.st_uid, status.st_gid, follow_symlinks=False)
        if _identity(_status(path)) != _identity(status):
            self._temporary.unlink()
            return False
        self._temporary.replace(path)
        return True

    def restore(self, path: str, entry: Entry) -> str | None:
        """Put a file in a link's place, as it was before.

        Returns:
            None where it is there, else what is wrong with the leaf.
        """
        link, leaf, temporary = self._root / path, Path(entry.leaf), self._temporary
        temporary.unlink(missing_ok=True)
        try:
            if not _copy(leaf, temporary):
                temporary.unlink()
                return f"{entry.leaf} is damaged"
        except FileNotFoundError:
            return f"{entry.leaf} is no longer in the store"
        if os.geteuid() == 0:
            owner = link.lstat()
            os.chown(temporary, owner.st_uid, owner.st_gid)
        temporary.chmod(entry.mode)
        os.utime(temporary, ns=(entry.mtime, entry.mtime))
        made = temporary.stat()
        self._bytecode.carry_over(link, made.st_size, leaf.stat().st_mtime, made.st_mtime)
        if leads_to(link) == entry.leaf:
            temporary.replace(link)
        return None


def _identity(status: os.stat_result | None) -> tuple[int, ...]:
    """Return what differs where a file is not the same any more; nothing where there is none."""
    if status is None:
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _copy(leaf: Path, target: Path) -> bool:
    """Copy a leaf; tell whether its content is what its store path says."""
    digest = hashlib.sha256()
    with leaf.open("rb") as source, target.open("xb") as file:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    # The path has the suffix that the leaf's name was made of.
    return leaf_path(leaf.name[33:], to_base64(digest.digest()), str(leaf.parent)) == str(leaf)
