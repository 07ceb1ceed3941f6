"""How the bytes of remote wheels are got: ranges where the server has them, else one download.

All requests of a run share one ``httpx.AsyncClient``; an ``Access`` says how servers are reached.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

import nixgen
from nixgen.access import Access
from nixgen.errors import NetworkError
from nixgen.mirrors import mirrored
from nixgen.mistakes import about
from nixgen.wheels.answers import (
    RangesRefusedError,
    content_range,
    range_header,
    shown,
    strong_tag,
    unexpected,
    wrong_size,
)
from nixgen.wheels.archive import Range
from nixgen.wheels.attempts import IncompleteError, Pace, repeated
from nixgen.wheels.connections import Connections
from nixgen.wheels.retry import Retry

#: How many such times an answer's first line, its headers and the redirects before it may take.
_HEADERS = 4

#: Servers that refuse ranges answer with these to a range request, and may still give the whole file.
_REFUSALS = frozenset({400, 403, 405, 416, 501})

#: The largest wheel that is downloaded where nothing says how large it is, in bytes.
MAX_WHEEL = 64 * 1024**3


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some bytes of a remote file.

    Attributes:
        start: offset of the first one.
        data: the bytes.
        total: size of the whole file in bytes, as the server says.
        etag: its strong entity tag, None where the server gives none.
    """

    start: int
    data: bytes
    total: int
    etag: str | None


@dataclass(frozen=True, kw_only=True)
class Download:
    """A whole file on disk: its SHA-256 (64 hexadecimal digits) and its size in bytes."""

    path: Path
    sha256: str
    size: int


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page: where it was found in the end, its media type, and its content."""

    url: str
    kind: str
    content: bytes


class Transport:
    """Get ranges of files and whole files over one HTTP client.

    Args:
        access: how servers are reached.
        concurrency: how many requests may be under way at once.
        retry: how often and how patiently to try.
        timeout: seconds without any progress after which a try has failed; None as ``access`` says.
        on_bytes: called with the length of every piece of a body as it arrives.
        sleep: waits between tries; a test passes its own.
    """

    def __init__(
        self,
        *,
        access: Access | None = None,
        concurrency: int = 16,
        retry: Retry | None = None,
        timeout: float | None = None,
        on_bytes: Callable[[int], None] = lambda count: None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        access = access or Access()
        self._mirrors = access.mirrors
        self._timeout = access.timeout if timeout is None else timeout
        # Whoever waits for an answer for a short time only does not wait long to ask again.
        self._retry = retry or Retry(most=min(Retry.most, 2 * self._timeout))
        self._slots = asyncio.Semaphore(concurrency)
        self._on_bytes = on_bytes
        self._sleep = sleep
        try:
            limits = httpx.Limits(max_connections=concurrency, max_keepalive_connections=concurrency)
            self._client = httpx.AsyncClient(
                auth=access.credentials.auth(),
                transport=Connections(trust=access.trust, proxies=access.proxies, limits=limits),
                trust_env=False,
                follow_redirects=True,
                # an encoded body would make offsets mean something else
                headers={"User-Agent": f"nixgen/{nixgen.__version__}", "Accept-Encoding": "identity"},
                timeout=httpx.Timeout(self._timeout, pool=None),
            )
        except (OSError, ValueError, httpx.InvalidURL) as error:
            raise NetworkError(
                f"cannot set up the HTTP client: {error}",
                where="the environment",
                todo="check SSL_CLIENT_CERT and the proxy variables",
            ) from error

    async def __aenter__(self) -> Self:
        await self._client.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.__aexit__(kind, error, trace)

    async def tail(self, url: str, length: int, *, size: int | None, spool: Path) -> Piece | Download:
        """Get the last ``length`` bytes, or the whole file where the server ignores the range.

        Args:
            url: the file.
            length: how many bytes at its end.
            size: its size in bytes where known; it must be that then.
            spool: where the body is stored if the server sends the whole file.

        Raises:
            RangesRefusedError: the server does not give ranges; nothing was downloaded.
            NetworkError: it gives nothing at all.
            VerificationError: the file does not have the size ``size``.
        """
        if size is None:
            return await self._range(url, f"bytes=-{length}", None, spool, size=None, etag=None)
        # not every server knows suffix ranges; where the size is known they are not needed
        wanted = Range(max(0, size - length), size)
        return await self._range(url, range_header(wanted), wanted, spool, size=size, etag=None)

    async def range(self, url: str, wanted: Range, *, size: int, etag: str | None, spool: Path) -> Piece | Download:
        """Get one range of a file of which ``size`` and ``etag`` are known from its tail; else as ``tail``.

        Raises:
            RangesRefusedError: also where the file is not the same as before.
        """
        return await self._range(url, range_header(wanted), wanted, spool, size=size, etag=etag)

    async def download(self, url: str, path: Path, *, size: int | None = None, most: int | None = None) -> Download:
        """Get a whole file, written to ``path`` as it arrives and hashed on the way.

        Args:
            url: the file.
            path: the file to write.
            size: its size in bytes, which it must have.
            most: the most bytes that it may have, where that is not known.

        Raises:
            NetworkError: the server does not give it.
            VerificationError: it does not have the size ``size``, or more than ``most``.
        """
        url = mirrored(url, self._mirrors)

        async def attempt() -> Download:
            async with self._open(url, {}) as response:
                if response.status_code != 200:
                    raise unexpected(url, response)
                return await self._store(url, response, path, size, most)

        return await repeated(url, attempt, self._retry, self._sleep)

    async def page(self, url: str, accept: str, most: int) -> Page:
        """Get something small whole, in memory.

        Args:
            url: where it is; no mirror stands for it.
            accept: which media types are taken (RFC 9110, section 12.5.1).
            most: the most bytes that it may have.

        Raises:
            NetworkError: the server does not give it, or more of it.
        """

        async def attempt() -> Page:
            async with self._open(url, {"Accept": accept}) as response:
                if response.status_code != 200:
                    raise unexpected(url, response)
                content, pace = bytearray(), Pace(self._timeout)
                async for chunk in response.aiter_bytes():
                    pace.came(len(chunk))
                    content += chunk
                    if len(content) > most:
                        raise NetworkError(f"the server sends more than {most} bytes", where=shown(url))
                found = str(response.url.copy_with(username=None, password=None))
                return Page(url=found, kind=response.headers.get("Content-Type", ""), content=bytes(content))

        return await repeated(url, attempt, self._retry, self._sleep)

    async def exists(self, url: str) -> bool:
        """Tell whether a server has a file, which no mirror stands for.

        Raises:
            NetworkError: it does not say.
        """

        async def attempt() -> bool:
            response = await self._client.request("HEAD", url)
            if response.status_code not in (200, 403, 404, 410):
                raise unexpected(url, response)
            return response.status_code == 200

        async with self._slots:
            return await repeated(url, attempt, self._retry, self._sleep)

    async def upload(self, url: str, pieces: Callable[[], Iterable[bytes]], size: int) -> None:
        """Put a file where a URL says.

        Args:
            url: the place, with all that the server needs to allow it.
            pieces: gives the content, anew for each try.
            size: of all of it, in bytes.

        Raises:
            NetworkError: the server does not take it.
        """

        async def body() -> AsyncIterator[bytes]:
            iterator = iter(pieces())
            while piece := await asyncio.to_thread(next, iterator, b""):
                self._on_bytes(len(piece))
                yield piece

        async def attempt() -> None:
            response = await self._client.put(url, content=body(), headers={"Content-Length": str(size)})
            if response.status_code not in (200, 201, 204):
                raise unexpected(url, response)

        async with self._slots:
            await repeated(url, attempt, self._retry, self._sleep)

    async def _range(
        self,
        url: str,
        header: str,
        wanted: Range | None,
        spool: Path,
        *,
        size: int | None,
        etag: str | None,
    ) -> Piece | Download:
        url = mirrored(url, self._mirrors)
        headers = {"Range": header} | ({"If-Range": etag} if etag is not None else {})

        async def attempt() -> Piece | Download:
            async with self._open(url, headers) as response:
                if response.status_code == 200:
                    return await self._store(url, response, spool, size)
                if response.status_code in _REFUSALS:
                    raise RangesRefusedError(f"HTTP {response.status_code}")
                if response.status_code != 206:
                    raise unexpected(url, response)
                got, total = content_range(response)
                if size is not None and total != size:
                    raise RangesRefusedError(f"the file has {total} bytes, not {size}")
                if (wanted is not None and got != wanted) or (wanted is None and got.stop != total):
                    raise RangesRefusedError(f"asked for {header}, got {got.start}-{got.stop}")
                tag = strong_tag(response)
                if etag is not None and tag is not None and tag != etag:
                    raise RangesRefusedError("the file changed between two requests")
                data = await self._body(response, got.stop - got.start)
                return Piece(start=got.start, data=data, total=total, etag=tag)

        return await repeated(url, attempt, self._retry, self._sleep)

    @asynccontextmanager
    async def _open(self, url: str, headers: dict[str, str]) -> AsyncIterator[httpx.Response]:
        async with self._slots:
            request = self._client.build_request("GET", url, headers=headers)
            try:
                async with asyncio.timeout(_HEADERS * self._timeout):
                    response = await self._client.send(request, stream=True)
            except TimeoutError as error:
                raise IncompleteError("the answer does not begin") from error
            try:
                yield response
            finally:
                await response.aclose()

    async def _body(self, response: httpx.Response, length: int) -> bytes:
        body, pace = bytearray(), Pace(self._timeout)
        async for chunk in response.aiter_raw():
            pace.came(len(chunk))
            self._on_bytes(len(chunk))
            body += chunk
            if len(body) > length:
                raise RangesRefusedError(f"more than the {length} bytes asked for")
        if len(body) < length:
            raise IncompleteError(f"the body ended after {len(body)} of {length} bytes")
        return bytes(body)

    async def _store(
        self, url: str, response: httpx.Response, path: Path, size: int | None, most: int | None = None
    ) -> Download:
        digest, count, seen, pace = hashlib.sha256(), 0, 0, Pace(self._timeout)
        most = size if size is not None else MAX_WHEEL if most is None else most
        with about(path), path.open("wb") as file:
            async for chunk in response.aiter_bytes():
                pace.came(response.num_bytes_downloaded - seen)
                self._on_bytes(response.num_bytes_downloaded - seen)
                seen = response.num_bytes_downloaded
                digest.update(chunk)
                file.write(chunk)
                count += len(chunk)
                if count > most:
                    raise wrong_size(url, "more than", most, size)
        announced = response.headers.get("Content-Length", "")
        if "Content-Encoding" not in response.headers and announced.isdigit() and count != int(announced):
            raise IncompleteError(f"the body ended after {count} of {announced} bytes")
        if size is not None and count != size:
            if announced.isdigit():
                raise wrong_size(url, "only", count, size)
            raise IncompleteError(f"the body ended after {count} of {size} bytes")
        return Download(path=path, sha256=digest.hexdigest(), size=count)
