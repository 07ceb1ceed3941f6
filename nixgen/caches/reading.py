"""Take files that are known by their SHA-256 out of caches: wheels, indexes. Nothing else of a cache is believed."""

from __future__ import annotations

import asyncio
import bz2
import contextlib
import hashlib
import logging
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from nixgen.access import Access
from nixgen.caches.narinfo import MAX_SIZE, NarInfo, key_of
from nixgen.caches.place import Place, place_of
from nixgen.errors import NixgenError
from nixgen.leaf import flat_path, store_name
from nixgen.model import WheelSource
from nixgen.verification.nar import flat_nar
from nixgen.wheels.transport import MAX_WHEEL, Download

_log = logging.getLogger(__name__)

_CHUNK = 1 << 20


class _Decompressor(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...


class _Stored:
    def decompress(self, data: bytes, /) -> bytes:
        return data


#: What other programs may have compressed a cache's files with, as far as Python reads it.
_COMPRESSIONS: dict[str, Callable[[], _Decompressor]] = {
    "none": _Stored,
    "": _Stored,
    "gzip": lambda: zlib.decompressobj(31),
    "xz": lzma.LZMADecompressor,
    "bzip2": bz2.BZ2Decompressor,
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A file by its store path and its SHA-256 (64 hexadecimal digits); ``name`` is for messages."""

    path: str
    sha256: str
    name: str


class Caches:
    """Some caches, the first asked first; used as a context.

    One that fails, or gives another file than it should, is named once in a warning, and not asked again.

    Args:
        said: as a user names them.
        access: how servers are reached.
        on_bytes: called with the length of every piece that arrives.
    """

    def __init__(self, said: Sequence[str], access: Access, on_bytes: Callable[[int], None] = lambda count: None):
        self._places = [place_of(one, access, on_bytes) for one in said]
        self._failed: set[Place] = set()
        self._stack = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        for place in self._places:
            await self._stack.enter_async_context(place)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    async def fetch(self, wanted: Wanted, file: Path, most: int = MAX_WHEEL) -> Download | None:
        """Copy a file, with the hash that it should have; None where no cache has it.

        Args:
            wanted: which.
            file: where to.
            most: how many bytes it may have.
        """
        for place in self._places:
            if place in self._failed:
                continue
            try:
                found = await _fetch(place, wanted, file, most)
            except (NixgenError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
                if isinstance(error, OSError) and error.filename is not None:
                    raise  # our own disk
                self._fail(place, wanted, error.what if isinstance(error, NixgenError) else str(error))
                continue
            if found is not None:
                return found
        return None

    async def fetch_wheel(self, source: WheelSource, store_dir: str, file: Path) -> Download | None:
        """Do the same for a wheel whose SHA-256 is known.

        Args:
            source: the wheel.
            store_dir: the store's directory.
            file: where to.
        """
        sha256 = source.sha256 or ""
        path = flat_path(store_name(source.filename), bytes.fromhex(sha256), store_dir)
        return await self.fetch(Wanted(path=path, sha256=sha256, name=source.filename), file)

    def _fail(self, place: Place, wanted: Wanted, why: str) -> None:
        if place not in self._failed:
            self._failed.add(place)
            _log.warning("the cache %s is left aside: %s (%s)", place.shown, why, wanted.name)


async def _fetch(place: Place, wanted: Wanted, file: Path, most: int) -> Download | None:
    about = file.with_name(f"{file.name}.narinfo")
    packed = file.with_name(f"{file.name}.nar")
    try:
        if not await place.get(key_of(wanted.path), about, MAX_SIZE):
            return None
        info = NarInfo.parse(about.read_text(encoding="utf-8", errors="replace"), where=place.shown)
        unpack = _COMPRESSIONS.get(info.compression)
        if unpack is None:
            raise NixgenError(f"a file of it is compressed by {info.compression}, which nixgen does not read")
        if info.nar_size > most + (1 << 10):
            raise NixgenError("a file of it is longer than it may be")
        if not await place.get(info.url, packed, most + (1 << 20)):
            raise NixgenError(f"it has no {info.url}, which it says that it has")
        sha256, size = await asyncio.to_thread(_unwrap, packed, unpack(), info.nar_size, file)
        if sha256 != wanted.sha256:
            file.unlink()
            raise NixgenError(f"it gives a file of SHA-256 {sha256}, expected {wanted.sha256}")
        return Download(path=file, sha256=sha256, size=size)
    finally:
        about.unlink(missing_ok=True)
        packed.unlink(missing_ok=True)


def _unwrap(packed: Path, decompressor: _Decompressor, nar_size: int, file: Path) -> tuple[str, int]:
    """Write the one file that a serialisation holds; return its SHA-256 and size.

    Raises:
        NixgenError: it is no serialisation of a file, or not of the size that was said.
    """
    broken = NixgenError("a serialisation of it is cut off, or none of a file")
    # The size of a file follows from that of its serialisation, up to what fills the last eight bytes.
    head_size, close_size = len(flat_nar(0)[0]), len(flat_nar(0)[1])
    digest, size, head, seen = hashlib.sha256(), -1, b"", 0
    tail = b""
    with file.open("wb") as out:
        for data in _unpacked(packed, decompressor):
            seen += len(data)
            if seen > nar_size:
                raise broken
            if size < 0:
                head += data
                if len(head) < head_size:
                    continue
                head, data = head[:head_size], head[head_size:]
                size = int.from_bytes(head[-8:], "little")
                if head != flat_nar(size)[0] or not 0 <= nar_size - head_size - size - close_size < 8:
                    raise broken
                left = size
            content, rest = data[:left], data[left:]
            left -= len(content)
            tail += rest
            digest.update(content)
            out.write(content)
    if size < 0 or left or tail != flat_nar(size)[1]:
        raise broken
    return digest.hexdigest(), size


def _unpacked(packed: Path, decompressor: _Decompressor) -> Iterator[bytes]:
    with packed.open("rb") as stream:
        while data := stream.read(_CHUNK):
            yield decompressor.decompress(data)


def fetch_all(
    said: Sequence[str], access: Access, wanted: Iterable[Wanted], directory: Path, most: int
) -> dict[str, Path]:
    """Copy what caches have of some files, and return where each is, by store path.

    Args:
        said: the caches, as a user names them.
        access: how servers are reached.
        wanted: the files.
        directory: where to.
        most: how many bytes each may have.
    """

    async def run() -> dict[str, Path]:
        found: dict[str, Path] = {}
        slots = asyncio.Semaphore(16)
        async with Caches(said, access) as caches:

            async def one(number: int, item: Wanted) -> None:
                async with slots:
                    download = await caches.fetch(item, directory / str(number), most)
                    if download is not None:
                        found[item.path] = download.path

            async with asyncio.TaskGroup() as group:
                for number, item in enumerate(wanted):
                    group.create_task(one(number, item))
        return found

    return asyncio.run(run())
