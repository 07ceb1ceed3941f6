"""Get leaves into the store: those that are missing, from wheels that are fetched, verified and taken apart."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.indexes import INDEX_NAME, index_leaf
from nixgen.leaf import leaf_name, leaf_path
from nixgen.model import WheelIndex
from nixgen.observer import Progress
from nixgen.store import Store
from nixgen.wheels.text import index_bytes, index_hash

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.store.daemon import Daemon


class Awaited:
    """What wheels wait for.

    Args:
        waiting: of each wheel, those that have files that it lacks.
        arrived: called with each wheel that waits for none, at once or when the last of them is finished.
    """

    def __init__(self, waiting: Mapping[str, set[str]], arrived: Callable[[str], None]) -> None:
        self._waiting = {name: set(wheels) for name, wheels in waiting.items()}
        self._arrived = arrived
        self.finished("")

    def finished(self, wheel: str) -> None:
        """Take that all of a wheel's files that were missing are in the store."""
        for name, wheels in [*self._waiting.items()]:
            wheels.discard(wheel)
            if not wheels:
                del self._waiting[name]
                self._arrived(name)


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        leaves: how many leaves the wheels have, their indexes aside.
        added: how many of them the store lacked.
        wheels: how many wheels were opened for them.
        tied: how many wheels were compared as a whole with the lock.
        downloaded: bytes read over the network.
    """

    leaves: int
    added: int
    wheels: int
    tied: int
    downloaded: int


def ingest(
    wheels: Iterable[WheelIndex],
    store: Store,
    *,
    base: Path,
    untied: Container[str] = (),
    hold: Daemon | None = None,
    caches: Sequence[str] = (),
    access: Callable[[], Access | None] = lambda: None,
    arrived: Callable[[str], None] = lambda _: None,
    progress: Callable[[Progress], None] | None = None,
) -> IngestReport:
    """Put every leaf of some wheels into the store, and the indexes of the wheels, which are leaves too.

    The store is asked once what it lacks; only wheels that have such a file are fetched, and those whose index is not
    tied to their hash (``nixgen/ties.py``): these as a whole, and every file is compared. Each wheel is checked against
    the lock's SHA-256, and each file against the index, before it is added.

    Args:
        wheels: indexes of the lock's wheels.
        store: where leaves go.
        base: the directory that relative paths of wheels refer to.
        untied: file names of the wheels whose index may be another wheel's.
        hold: a connection to the store that keeps every leaf from garbage collection as long as it is open.
        caches: binary caches that are asked for whole wheels before the servers of the lock, as a user names them.
        access: says how servers are reached, if there is anything to download.
        arrived: called with the file name of each wheel when the store has all that is its own.
        progress: called as bytes arrive and wheels are done.

    Raises:
        NetworkError: a wheel cannot be fetched.
        VerificationError: a wheel or a file is not what the lock says.
        NixError: the store refuses a file.
    """
    members: dict[str, tuple[WheelIndex, str]] = {}
    indexes = list(wheels)
    leaves: dict[str, set[str]] = {index.source.filename: set() for index in indexes}
    for index in indexes:
        for path, file in index.files.items():
            if file.size != 0:
                leaf = leaf_path(path.rpartition("/")[2], file.sha256, store.directory)
                members.setdefault(leaf, (index, path))
                leaves[index.source.filename].add(leaf)
    contents = {index_leaf(index_hash(index), store.directory): index for index in indexes}
    with contextlib.nullcontext(hold) if hold is not None else store.connect() as daemon:
        if hold is not None:
            hold.hold([*members, *contents])
        missing = daemon.invalid([*members, *contents])
        for leaf in sorted(contents.keys() & missing):
            daemon.add(leaf_name(INDEX_NAME), index_bytes(contents[leaf]), leaf)
        daemon.wait()
    missing -= contents.keys()
    by_wheel: dict[str, dict[str, str]] = {}
    opened: dict[str, WheelIndex] = {}
    for leaf in sorted(missing):
        index, path = members[leaf]
        opened[index.source.filename] = index
        by_wheel.setdefault(index.source.filename, {})[path] = leaf
    for index in indexes:
        if index.source.filename in untied:
            opened[index.source.filename] = index
            by_wheel.setdefault(index.source.filename, {})
    # What several wheels have comes out of one of them.
    waiting = {name: {members[leaf][0].source.filename for leaf in own & missing} for name, own in leaves.items()}
    awaited = Awaited({name: wheels | ({name} & by_wheel.keys()) for name, wheels in waiting.items()}, arrived)
    read = 0
    if by_wheel:
        # Imported for work that is there: a run that finds every leaf needs no HTTP client.
        from nixgen.ingest.extraction import Extraction, WheelWork

        work = [
            WheelWork(index=opened[name], missing=wanted, untied=name in untied) for name, wanted in by_wheel.items()
        ]
        extraction = Extraction(
            store=store, base=base, access=access(), caches=caches, finished=awaited.finished, progress=progress
        )
        read = extraction.run(work)
    tied = sum(name in untied for name in by_wheel)
    return IngestReport(leaves=len(members), added=len(missing), wheels=len(by_wheel), tied=tied, downloaded=read)
