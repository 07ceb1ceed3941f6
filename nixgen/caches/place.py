"""Where a binary cache is: a directory, a server, a bucket."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote, unquote, urlsplit

from nixgen.access import Access
from nixgen.caches.s3 import Bucket
from nixgen.credentials import Credentials, without_credentials
from nixgen.errors import InputError, NetworkError
from nixgen.mistakes import about
from nixgen.temporary import sweep, temporary_directory
from nixgen.wheels.answers import shown
from nixgen.wheels.retry import Retry
from nixgen.wheels.transport import Transport

#: What a cache says of itself.
INFO = "nix-cache-info"

#: What a server answers of a file that it has not, or does not show to whom may not list.
_ABSENT = (403, 404, 410)

_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+-]*)://")


class Place:
    """A cache's files by their names in it; used as a context.

    Attributes:
        shown: what it is called in messages.
        substituter: what Nix calls it, None where Nix needs nixgen to reach it.
        read_only: whether nothing can be written.
    """

    shown: str
    substituter: str | None = None
    read_only = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    async def has(self, key: str) -> bool:
        """Tell whether there is such a file.

        Raises:
            NetworkError: that cannot be told.
        """
        raise NotImplementedError

    async def get(self, key: str, file: Path, most: int) -> bool:
        """Copy a file, and tell whether there is one.

        Args:
            key: its name.
            file: where to.
            most: how many bytes it may have.

        Raises:
            NetworkError: it cannot be had.
            VerificationError: it has more.
        """
        raise NotImplementedError

    async def put(self, key: str, pieces: Callable[[], Iterable[bytes]], size: int) -> None:
        """Write a file, whole or not at all.

        Args:
            key: its name.
            pieces: gives its content, anew each time.
            size: of the content, in bytes.

        Raises:
            NetworkError: the server does not take it.
            OSError: the disk does not.
        """
        raise NotImplementedError


class Directory(Place):
    """A directory of this machine."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._swept = False
        self.shown = str(path)
        self.substituter = f"file://{quote(str(self.path))}"

    async def has(self, key: str) -> bool:
        return (self.path / key).is_file()

    async def get(self, key: str, file: Path, most: int) -> bool:
        try:
            if (self.path / key).stat().st_size > most:
                raise NetworkError("a file of the cache is longer than it may be", where=str(self.path / key))
            await asyncio.to_thread(shutil.copyfile, self.path / key, file)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise NetworkError(
                f"the cache cannot be read: {error.strerror}", where=str(self.path / key), todo="see what it is"
            ) from error
        return True

    async def put(self, key: str, pieces: Callable[[], Iterable[bytes]], size: int) -> None:
        await asyncio.to_thread(self._write, self.path / key, pieces)

    def _write(self, place: Path, pieces: Callable[[], Iterable[bytes]]) -> None:
        place.parent.mkdir(parents=True, exist_ok=True)
        if not self._swept:
            self._swept = True
            for directory in (self.path, self.path / "nar"):  # what a push that was killed has left
                sweep(directory)
        with temporary_directory(place.parent) as scratch:
            file = scratch / place.name
            with about(file), file.open("wb") as out:
                for piece in pieces():
                    out.write(piece)
                out.flush()
                os.fsync(out.fileno())
            file.replace(place)


class Server(Place):
    """A server that gives what is below a URL.

    Args:
        url: of the cache.
        access: how servers are reached.
        on_bytes: called with the length of every piece that comes or goes.
        tries: how often to ask before giving up.
    """

    read_only = True

    def __init__(self, url: str, access: Access, on_bytes: Callable[[int], None], tries: int) -> None:
        self._root = without_credentials(url).rstrip("/")
        self.shown = shown(url)
        self.substituter = url.rstrip("/")
        # No mirror of an index stands for a cache.
        self._transport = Transport(access=replace(access, mirrors=()), on_bytes=on_bytes, retry=Retry(tries=tries))

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    def url(self, method: str, key: str) -> str:
        """Return the URL of a file for a method of HTTP."""
        return f"{self._root}/{quote(key)}"

    async def has(self, key: str) -> bool:
        return await self._transport.exists(self.url("HEAD", key))

    async def get(self, key: str, file: Path, most: int) -> bool:
        try:
            await self._transport.download(self.url("GET", key), file, most=most)
        except NetworkError as error:
            if error.status in _ABSENT:
                return False
            raise
        return True


class S3(Server):
    """A bucket."""

    read_only = False

    def __init__(self, url: str, access: Access, on_bytes: Callable[[int], None], tries: int) -> None:
        self._bucket = Bucket.parse(url)
        super().__init__(self._bucket.root, replace(access, credentials=Credentials()), on_bytes, tries)
        self.shown = url
        self.substituter = None

    def url(self, method: str, key: str) -> str:
        return self._bucket.url(method, key)

    async def put(self, key: str, pieces: Callable[[], Iterable[bytes]], size: int) -> None:
        try:
            await self._transport.upload(self.url("PUT", key), pieces, size)
        except NetworkError as error:
            if error.status in (400, 401, 403, 404):
                error.todo = (
                    "make the bucket, and see to the right to write there: AWS_ACCESS_KEY_ID and "
                    "AWS_SECRET_ACCESS_KEY, or a profile of ~/.aws/credentials (profile=NAME in the URL)"
                )
            raise


async def store_directory(place: Place, scratch: Path) -> str | None:
    """Return the directory of the stores that a cache is for, "" where it does not say; None for what is no cache.

    Raises:
        NetworkError: it cannot be reached.
    """
    file = scratch / INFO
    if not await place.get(INFO, file, 1 << 16):
        return None
    lines = file.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((line.partition(": ")[2].strip() for line in lines if line.startswith("StoreDir: ")), "")


def place_of(said: str, access: Access, on_bytes: Callable[[int], None] = lambda count: None, tries: int = 3) -> Place:
    """Return the cache that a user names.

    Args:
        said: a directory, or a URL: ``file://``, ``http://``, ``https://``, ``s3://``.
        access: how servers are reached.
        on_bytes: called with the length of every piece that comes or goes.
        tries: how often to ask a server before giving up.

    Raises:
        InputError: it is none of these.
    """
    match = _SCHEME.match(said)
    if match is None:
        return Directory(Path(said).expanduser())
    if match["scheme"] == "file":
        return Directory(Path(unquote(urlsplit(said).path)))
    if match["scheme"] in ("http", "https"):
        return Server(said, access, on_bytes, tries)
    if match["scheme"] == "s3":
        return S3(said, access, on_bytes, tries)
    raise InputError(
        f"no cache is reached by {match['scheme']}",
        where=said,
        todo="name a directory, or a URL of http://, https:// or s3://; `nixgen push` takes ssh-ng:// too",
    )
