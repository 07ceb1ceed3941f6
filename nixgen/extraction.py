"""Take leaves out of wheels: fetch each wheel, verify it, extract the files that the store lacks, and add them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import tempfile
import threading
import zipfile
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from .errors import InputError, NixError, VerificationError
from .ingest import IngestProgress
from .leaf import leaf_name
from .model import WheelIndex, WheelSource
from .store import Store
from .wheels.transport import Transport, shown
from .wheels.verify import check_wheel, hash_file

#: How many wheels are fetched or taken apart at once.
_AT_ONCE = 8

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class WheelWork:
    """One wheel that has files the store lacks: its index, and the store path of each such file."""

    index: WheelIndex
    missing: Mapping[str, str]


class Extraction:
    """One run over some wheels.

    Args:
        store: where leaves go.
        base: the directory that relative paths of wheels refer to.
        auth: credentials for downloads.
        progress: called as bytes arrive and wheels are done.
    """

    def __init__(
        self,
        *,
        store: Store,
        base: Path,
        auth: httpx.Auth | None,
        progress: Callable[[IngestProgress], None] | None,
    ) -> None:
        self._store = store
        self._base = base
        self._auth = auth
        self._progress = progress
        self._read = self._done = self._total = 0
        self._adding = threading.Lock()
        self._stopped = threading.Event()

    def run(self, work: Sequence[WheelWork]) -> int:
        """Add the missing leaves of some wheels to the store, and return the bytes read over the network.

        Raises:
            NetworkError, InputError: a wheel cannot be fetched or read.
            VerificationError: a wheel or a file is not what the lock says.
            NixError: the store refuses a file.
        """
        self._total = len(work)
        # The big ones first: the last one to finish should be small.
        ordered = sorted(work, key=lambda item: -(item.index.source.size or 0))
        asyncio.run(self._all(ordered))
        return self._read

    async def _all(self, work: Sequence[WheelWork]) -> None:
        slots = asyncio.Semaphore(_AT_ONCE)
        with tempfile.TemporaryDirectory(prefix="nixgen-") as directory:
            async with Transport(auth=self._auth, on_bytes=self._on_bytes) as transport:

                async def one(number: int, item: WheelWork) -> None:
                    async with slots:
                        place = Path(directory, str(number))
                        place.mkdir()
                        wheel = await self._fetch(item.index.source, place / "wheel", transport)
                        await asyncio.to_thread(self._take, wheel, item, place / "leaves")
                        (place / "wheel").unlink(missing_ok=True)
                        self._done += 1
                        self._report()

                try:
                    async with asyncio.TaskGroup() as group:
                        for number, item in enumerate(work):
                            group.create_task(one(number, item))
                except BaseExceptionGroup as errors:
                    raise errors.exceptions[0] from None
                finally:
                    self._stopped.set()

    async def _fetch(self, source: WheelSource, spool: Path, transport: Transport) -> Path:
        if source.url is None:
            path = self._base / (source.path or "")
            try:
                sha256, size = await asyncio.to_thread(hash_file, path, stopped=self._stopped.is_set)
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

    def _take(self, wheel: Path, work: WheelWork, leaves: Path) -> None:
        """Extract the files that the store lacks, verified, and add them."""
        files: list[Path] = []
        expected: list[str] = []
        try:
            with zipfile.ZipFile(wheel) as archive:
                for number, (path, leaf) in enumerate(sorted(work.missing.items())):
                    if self._stopped.is_set():
                        return
                    target = leaves / str(number) / leaf_name(path.rpartition("/")[2])
                    target.parent.mkdir(parents=True)
                    _extract(archive, path, target, work.index)
                    files.append(target)
                    expected.append(leaf)
        except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError) as error:
            raise VerificationError(
                f"the wheel {work.index.source.filename} cannot be unpacked: {error}",
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
        self._read += count
        self._report()

    def _report(self) -> None:
        if self._progress is not None:
            self._progress(IngestProgress(total=self._total, done=self._done, read=self._read))


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
