"""METADATA of a lock's wheels: kept from when they were locked, in the store, or read again.

Wherever it is found, it is compared with the hash that the wheel's index has.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.cache import cache_directory
from nixgen.errors import VerificationError
from nixgen.leaf import leaf_path
from nixgen.model import WheelIndex
from nixgen.temporary import temporary_directory

if TYPE_CHECKING:
    from nixgen.access import Access

#: The most that is read of one, in bytes: what it requires stands at its start.
_MOST = 4 << 20

#: How many wheels are asked at once.
_AT_ONCE = 16


def find_metadata(index: WheelIndex) -> bytes | None:
    """Return the METADATA of a wheel if this machine has it: in the user's cache, or as a leaf of the store."""
    digest = _digest(index)
    if digest is None:
        return None
    store = os.environ.get("NIX_STORE_DIR", "/nix/store")
    for path in (_cached(digest), Path(leaf_path("METADATA", digest, store))):
        with contextlib.suppress(OSError):
            content = path.read_bytes()
            if hashlib.sha256(content).digest() == digest:
                return content
    return None


def keep_metadata(contents: Iterable[bytes]) -> None:
    """Put METADATA into the user's cache; where that cannot be written, nothing is kept."""
    from nixgen.emit.files import write_several

    place = _cache()
    named = {hashlib.sha256(content).hexdigest(): content for content in contents if content}
    with contextlib.suppress(OSError):
        write_several(place, {name: content for name, content in named.items() if not (place / name).exists()})


def metadata_of(
    indexes: Iterable[WheelIndex], *, base: Path, access: Callable[[], Access | None] = lambda: None
) -> Mapping[str, bytes]:
    """Return the METADATA of some wheels, by file name; what this machine lacks is read from the wheels.

    A wheel that was built and is not in the store has none here.

    Args:
        indexes: those of the wheels.
        base: the directory that relative paths of wheels refer to.
        access: says how servers are reached, if any has to be asked.

    Raises:
        VerificationError: a server gives another METADATA than the lock's.
        NetworkError: a server does not give it.
    """
    found: dict[str, bytes] = {}
    lacking: list[WheelIndex] = []
    for index in indexes:
        content = find_metadata(index)
        if content is not None:
            found[index.source.filename] = content
        elif index.source.source is None:
            lacking.append(index)
    if lacking:
        import asyncio  # most locks ask nobody

        read = asyncio.run(_read_all(lacking, base, access()))
        keep_metadata(read.values())
        found.update(read)
    return found


def read_from_wheel(wheel: Path, member: str) -> bytes:
    """Return a member of a wheel on disk, of which its first part is enough.

    Raises:
        OSError, zipfile.BadZipFile, KeyError, ValueError, NotImplementedError: it cannot be read.
    """
    with zipfile.ZipFile(wheel) as archive, archive.open(member) as file:
        return file.read(_MOST)


async def fetch_metadata(index: WheelIndex, base: Path, spool: Path, access: Access | None) -> bytes:
    """Return a wheel's METADATA, read from the wheel.

    Args:
        index: that of the wheel.
        base: the directory that relative paths of wheels refer to.
        spool: a file to write what is fetched to.
        access: how servers are reached.

    Raises:
        NetworkError: a server does not give it.
        OSError, zipfile.BadZipFile, KeyError, ValueError, NotImplementedError: the wheel cannot be read.
    """
    from nixgen.ingest.ranges import WholeWheelError, fetch_members
    from nixgen.wheels.transport import Transport

    source, member = index.source, f"{index.dist_info}/METADATA"
    if source.url is None:
        spool = base / (source.path or "")
    else:
        async with Transport(access=access) as transport:
            try:
                await fetch_members(index, [member], spool, transport)
            except WholeWheelError:
                await transport.download(source.url, spool, size=source.size)
    return read_from_wheel(spool, member)


async def _read_all(indexes: Iterable[WheelIndex], base: Path, access: Access | None) -> dict[str, bytes]:
    import asyncio

    slots = asyncio.Semaphore(_AT_ONCE)

    async def one(index: WheelIndex, spool: Path) -> tuple[str, bytes]:
        filename = index.source.filename
        async with slots:
            try:
                content = await fetch_metadata(index, base, spool, access)
            except (OSError, zipfile.BadZipFile, KeyError, ValueError, NotImplementedError) as error:
                raise _other(filename, str(error)) from error
        if hashlib.sha256(content).digest() != _digest(index):
            raise _other(filename, "its METADATA has another hash")
        return filename, content

    with temporary_directory() as directory:
        spools = (directory / f"{number}.whl" for number, _ in enumerate(iter(int, 1)))
        return dict(await asyncio.gather(*(one(index, spool) for index, spool in zip(indexes, spools, strict=False))))


def _other(filename: str, why: str) -> VerificationError:
    return VerificationError(
        f"this is not the wheel that was locked: {why}",
        where=filename,
        todo="run `nixgen lock --verify`, which downloads the wheels and compares every file",
    )


def _digest(index: WheelIndex) -> bytes | None:
    file = index.files.get(f"{index.dist_info}/METADATA")
    return None if file is None else base64.b64decode(file.sha256)


def _cached(digest: bytes) -> Path:
    return _cache() / digest.hex()


def _cache() -> Path:
    return cache_directory() / "metadata"


def requires_dist(metadata: bytes) -> Iterator[str]:
    """Yield the requirements that METADATA names, as it has them (core metadata, ``Requires-Dist``)."""
    from email.parser import HeaderParser

    for line in HeaderParser().parsestr(metadata.decode("utf-8", "replace")).get_all("Requires-Dist", []):
        yield " ".join(str(line).split())
