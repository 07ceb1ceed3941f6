"""Whether leaves are what their hashes say: read and hashed by several threads."""

from __future__ import annotations

import base64
import errno
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from nixgen.observer import Progress
from nixgen.verification.findings import Finding, Kind
from nixgen.verification.nar import PIECE

_Item = TypeVar("_Item")
_Found = TypeVar("_Found")

#: Hashing lets other threads run, as reading does.
_THREADS = max(2, min(8, os.cpu_count() or 1))

#: How many bytes, or files, a thread takes at once.
_SHARE_BYTES, _SHARE_FILES = 32 << 20, 128


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaf:
    """A leaf that the store should hold.

    Attributes:
        path: its store path.
        sha256: of its content.
        size: in bytes.
        package: name and version of a package that has it.
        file: the file's path in that package's wheel; "" for the index.
    """

    path: str
    sha256: bytes
    size: int
    package: str
    file: str

    @property
    def what(self) -> str:
        """What a finding calls it."""
        return "leaf" if self.file else "index"

    def finding(self, kind: Kind, detail: str = "") -> Finding:
        """Return what is wrong with it as a finding."""
        return Finding(kind=kind, what=self.what, path=self.path, package=self.package, file=self.file, detail=detail)


class Counter:
    """Counts what threads have done, and passes it on.

    Args:
        total: how many things there are.
        progress: takes the counts.

    Attributes:
        read: bytes so far.
    """

    def __init__(self, total: int, progress: Callable[[Progress], None] | None) -> None:
        self.read = 0
        self._done, self._total = 0, total
        self._progress = progress
        self._lock = threading.Lock()

    def add(self, done: int, read: int) -> None:
        """Take some things that are done, and the bytes that were read for them."""
        with self._lock:
            self._done += done
            self.read += read
            if self._progress is not None:
                self._progress(Progress(total=self._total, done=self._done, read=self.read))


def in_threads(work: Callable[[_Item], _Found], items: Iterable[_Item]) -> Iterator[_Found]:
    """Yield what some work gives for each item, in their order."""
    with ThreadPoolExecutor(_THREADS) as pool:
        yield from pool.map(work, items)


def check_leaves(leaves: Iterable[Leaf], counter: Counter) -> list[Finding]:
    """Compare leaves that should be there with their hashes; return what is wrong, in the order of the paths."""

    def check(share: Sequence[Leaf]) -> list[Finding]:
        buffer = memoryview(bytearray(PIECE))
        found = [finding for leaf in share if (finding := _check(leaf, buffer)) is not None]
        counter.add(len(share), sum(leaf.size for leaf in share))
        return found

    # The big ones first: the last thread to finish should have a small one.
    ordered = sorted(leaves, key=lambda leaf: -leaf.size)
    found = [finding for some in in_threads(check, _shares(ordered)) for finding in some]
    return sorted(found, key=lambda finding: finding.path)


def is_good(leaf: Leaf) -> bool:
    """Tell whether a leaf is on disk with the right content and mode."""
    return _check(leaf, memoryview(bytearray(PIECE))) is None


def _check(leaf: Leaf, buffer: memoryview) -> Finding | None:
    try:
        descriptor = os.open(leaf.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return leaf.finding(Kind.MISSING)
    except PermissionError:
        return leaf.finding(Kind.MODE, "it may not be read")
    except OSError as error:
        what = "it is a link" if error.errno == errno.ELOOP else f"it cannot be read: {error.strerror}"
        return leaf.finding(Kind.ALTERED, what)
    try:
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            return leaf.finding(Kind.ALTERED, "it is no file")
        if about.st_size != leaf.size:
            return leaf.finding(Kind.ALTERED, f"{about.st_size:,} bytes instead of {leaf.size:,}")
        digest = hashlib.sha256()
        while count := os.readv(descriptor, [buffer]):
            digest.update(buffer[:count])
        if digest.digest() != leaf.sha256:
            expected, got = (base64.b64encode(value).decode() for value in (leaf.sha256, digest.digest()))
            return leaf.finding(Kind.ALTERED, f"expected sha256 {expected}, got {got}")
        if stat.S_IMODE(about.st_mode) != 0o444:
            return leaf.finding(Kind.MODE, f"mode {stat.S_IMODE(about.st_mode):04o} instead of 0444")
    except OSError as error:
        return leaf.finding(Kind.ALTERED, f"it cannot be read: {error.strerror}")
    finally:
        os.close(descriptor)
    return None


def _shares(leaves: Sequence[Leaf]) -> Iterator[list[Leaf]]:
    share: list[Leaf] = []
    size = 0
    for leaf in leaves:
        share.append(leaf)
        size += leaf.size
        if size >= _SHARE_BYTES or len(share) >= _SHARE_FILES:
            yield share
            share, size = [], 0
    if share:
        yield share
