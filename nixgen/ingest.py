"""Get leaves into the store: those that are missing, from wheels that are fetched, verified and taken apart."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from .errors import InputError, NixError, VerificationError
from .leaf import leaf_name, leaf_path
from .model import WheelIndex, WheelSource
from .store import Store
from .wheels.transport import Transport, shown
from .wheels.verify import check_wheel, hash_file

#: How many wheels are fetched or taken apart at once.
_AT_ONCE = 8

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class IngestReport:
    """What an ingest did.

    Attributes:
        leaves: how many leaves the wheels have.
        added: how many of them the store lacked.
        wheels: how many wheels were opened for them.
        downloaded: bytes read over the network.
    """

    leaves: int
    added: int
    wheels: int
    downloaded: int


@dataclass(frozen=True, kw_only=True)
class IngestProgress:
    """How far an ingest is: wheels in all, wheels done, bytes read over the network."""

    total: int
    done: int
    read: int


def ingest(
    wheels: Iterable[WheelIndex],
    store: Store,
    *,
    base: Path,
    auth: httpx.Auth | None = None,
    progress: Callable[[IngestProgress], None] | None = None,
) -> IngestReport:
    """Put every leaf of some wheels into the store.

    The store is asked once what it lacks; only wheels that have such a file are fetched. Each wheel is checked against
    the lock's SHA-256, and each file against RECORD's, before anything is added.

    Args:
        wheels: indexes, as the lock has them.
        store: where leaves go.
        base: the directory that relative paths of wheels refer to.
        auth: credentials for downloads.
        progress: called as bytes arrive and wheels are done.

    Raises:
        NetworkError: a wheel cannot be fetched.
        VerificationError: a wheel or a file is not what the lock says.
        NixError: the store refuses a file.
    """
    members: dict[str, tuple[WheelIndex, str]] = {}
    for index in wheels:
        for path, file in index.files.items():
            if file.size != 0:
                name = path.rpartition("/")[2]
                members.setdefault(leaf_path(name, file.sha256, store.directory), (index, path))
    missing = store.invalid(members)
    by_wheel: dict[str, tuple[WheelIndex, dict[str, str]]] = {}
    for leaf in sorted(missing):
        index, path = members[leaf]
        by_wheel.setdefault(index.source.filename, (index, {}))[1][path] = leaf
    run = _Run(store=store, base=base, total=len(by_wheel), progress=progress)
    if by_wheel:
        asyncio.run(run.all(list(by_wheel.values()), auth))
    return IngestReport(leaves=len(members), added=len(missing), wheels=len(by_wheel), downloaded=run.read)


class _Run:
    def __init__(
        self, *, store: Store, base: Path, total: int, progress: Callable[[IngestProgress], None] | None
    ) -> None:
        self.read = 0
        self._store = store
        self._base = base
        self._total = total
        self._done = 0
        self._progress = progress
        self._adding = threading.Lock()
        self._stopped = threading.Event()

    async def all(self, work: list[tuple[WheelIndex, dict[str, str]]], auth: httpx.Auth | None) -> None:
        # The big ones first: the last one to finish should be small.
        work.sort(key=lambda item: -(item[0].source.size or 0))
        slots = asyncio.Semaphore(_AT_ONCE)
        with tempfile.TemporaryDirectory(prefix="nixgen-") as directory:
            async with Transport(auth=auth, on_bytes=self._on_bytes) as transport:

                async def one(number: int, index: WheelIndex, wanted: Mapping[str, str]) -> None:
                    async with slots:
                        place = Path(directory, str(number))
                        place.mkdir()
                        wheel = await self._fetch(index.source, place / "wheel", transport)
                        await asyncio.to_thread(self._take, wheel, index, wanted, place / "leaves")
                        (place / "wheel").unlink(missing_ok=True)
                        self._done += 1
                        self._report()

                try:
                    async with asyncio.TaskGroup() as group:
                        for number, (index, wanted) in enumerate(work):
                            group.create_task(one(number, index, wanted))
                except BaseExceptionGroup as errors:
                    raise errors.exceptions[0] from None
                finally:
                    self._stopped.set()

    async def _fetch(self, source: WheelSource, spool: Path, transport: Transport) -> Path:
        if source.url is None:
            path = self._base / (source.path or "")
            try:
                sha256, size = await asyncio.to_thread(hash_file, path, stopped=self._stopped)
            except OSError as error:
                raise InputError(
                    f"cannot read the wheel {source.filename}: {error.strerror or error}",
                    where=str(path),
                    todo="put the wheel there, or lock again",
                ) from error
            where = str(path)
        else:
            download = await transport.download(source.url, spool, size=source.size)
            path, sha256, size, where = download.path, download.sha256, download.size, shown(source.url)
        check_wheel(source, sha256=sha256, size=size, where=where)
        return path

    def _take(self, wheel: Path, index: WheelIndex, wanted: Mapping[str, str], leaves: Path) -> None:
        """Extract the files that the store lacks, verified, and add them."""
        files: list[Path] = []
        expected: list[str] = []
        try:
            with zipfile.ZipFile(wheel) as archive:
                for number, (path, leaf) in enumerate(sorted(wanted.items())):
                    if self._stopped.is_set():
                        return
                    target = leaves / str(number) / leaf_name(path.rpartition("/")[2])
                    target.parent.mkdir(parents=True)
                    _extract(archive, path, target, index)
                    files.append(target)
                    expected.append(leaf)
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
            raise VerificationError(
                f"the wheel {index.source.filename} cannot be unpacked: {error}",
                todo="run `nixgen lock --verify` to see every problem of it",
            ) from error
        with self._adding:  # SQLite takes one writer at a time
            added = self._store.add_files(files)
        if added != expected:
            wrong = next((pair for pair in zip(added, expected, strict=False) if pair[0] != pair[1]), ("", ""))
            raise NixError(
                "the store gave a leaf another path than expected",
                where=f"{wrong[0]} instead of {wrong[1]}",
                todo="report this to nixgen's authors",
            )
        for file in files:
            file.unlink()

    def _on_bytes(self, count: int) -> None:
        self.read += count
        self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(IngestProgress(total=self._total, done=self._done, read=self.read))


def _extract(archive: zipfile.ZipFile, path: str, target: Path, index: WheelIndex) -> None:
    digest = hashlib.sha256()
    with archive.open(path) as source, target.open("wb") as file:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            file.write(chunk)
    got = base64.b64encode(digest.digest()).decode()
    if got != index.files[path].sha256:
        raise VerificationError(
            f"a file of the wheel {index.source.filename} does not have the hash that its RECORD promises",
            where=f"{path}: expected sha256 {index.files[path].sha256}, got {got}",
            todo="do not use this wheel; report it to the package's authors, or choose another version of it",
        )
