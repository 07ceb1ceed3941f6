"""What is asked for over HTTP, and what is answered: pages of projects, files, METADATA. Nothing is ever taken.

A file is sent when its SHA-256 was compared. One that takes longer than an installer waits for the first byte is sent
as it comes, but for its end, which is kept back until that was done: whoever got all of a file got the right one.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path

from packaging.utils import canonicalize_name, is_normalized_name
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from nixgen.errors import NetworkError, NixgenError, VerificationError
from nixgen.mistakes import mistake
from nixgen.serving.catalogue import Catalogue
from nixgen.serving.files import Files, Opened
from nixgen.serving.projects import JSON, Offer, list_page, project_page, wants_json
from nixgen.wheelhouse.wanted import Wanted

_log = logging.getLogger(__name__)

#: How long a file may take to be there before it is sent as it comes, in seconds: pip waits for 15, uv for 30.
PATIENCE = 3.0

#: How much of the end of such a file is kept back at least, in bytes.
_HELD = 64 << 10

#: How often it is looked how far such a file has come, in seconds.
_PACE = 0.1

_CHUNK = 256 << 10
_LONGEST = 300  # a name longer than file systems have
_METADATA = ".metadata"


def make_app(catalogue: Catalogue, files: Files) -> Starlette:
    """Return the application (ASGI)."""
    index = _Index(catalogue, files)
    methods = ["GET", "HEAD"]
    return Starlette(
        routes=[
            Route("/", index.home, methods=methods),
            Route("/simple/", index.projects, methods=methods),
            Route("/simple/{name}/", index.project, methods=methods),
            Route("/files/{sha256}/{filename}", _Endpoint(index), methods=methods),
        ],
        exception_handlers={NixgenError: _failed, OSError: _failed, Exception: _failed},
    )


class _Index:
    def __init__(self, catalogue: Catalogue, files: Files) -> None:
        self.catalogue, self.files = catalogue, files

    async def home(self, request: Request) -> Response:
        """Lead whoever looks with a browser to the list."""
        return RedirectResponse("simple/")

    async def projects(self, request: Request) -> Response:
        """List the projects of the locks."""
        as_json = wants_json(request.headers.get("accept", ""))
        return _page(list_page(self.catalogue.names, as_json=as_json), as_json)

    async def project(self, request: Request) -> Response:
        """List the files of a project."""
        name = request.path_params["name"]
        if len(name) > _LONGEST or not is_normalized_name(canonicalize_name(name)):
            return _nothing()
        if name != canonicalize_name(name):
            return RedirectResponse(f"../{canonicalize_name(name)}/", status_code=301)
        offers = await self.catalogue.offers(name)
        if not offers:
            return _nothing()
        as_json = wants_json(request.headers.get("accept", ""))
        return _page(project_page(name, offers, as_json=as_json), as_json)

    async def metadata(self, sha256: str, filename: str) -> Response | None:
        """Give METADATA of a file."""
        offer = await self.catalogue.find(sha256, filename)
        content = None if offer is None else await self.catalogue.metadata(offer)
        return None if content is None else Response(content, media_type="application/octet-stream", headers=_forever())


class _Endpoint:
    """Answers requests for files, as an application of its own: a file is in use until its last byte is sent."""

    def __init__(self, index: _Index) -> None:
        self._index = index

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sha256, filename = (scope["path_params"][name] for name in ("sha256", "filename"))
        if len(sha256) != 64 or len(filename) > _LONGEST:
            return await _nothing()(scope, receive, send)
        if filename.endswith(_METADATA):
            response = await self._index.metadata(sha256, filename.removesuffix(_METADATA))
            return await (response or _nothing())(scope, receive, send)
        offer = await self._index.catalogue.find(sha256, filename)
        if offer is None or offer.wanted is None:
            return await _nothing()(scope, receive, send)
        await self._file(offer, offer.wanted, scope, receive, send)

    async def _file(self, offer: Offer, wanted: Wanted, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _forever(wanted.sha256)
        size = offer.details.get("size")
        if scope["method"] == "HEAD" and size is not None:
            headers |= {"Accept-Ranges": "bytes", "Content-Length": str(size)}
            return await Response(headers=headers, media_type="application/octet-stream")(scope, receive, send)
        async with self._index.files.open(wanted) as opened:
            await asyncio.wait({opened.made}, timeout=PATIENCE if size else None)
            if not opened.made.done() and size:
                return await _send_slowly(opened, wanted, size, headers, send)
            await asyncio.shield(opened.made)  # raises what went wrong
            response = FileResponse(opened.file, headers=headers, media_type="application/octet-stream")
            await response(scope, receive, send)


async def _send_slowly(opened: Opened, wanted: Wanted, size: int, headers: dict[str, str], send: Send) -> None:
    """Send a file that is still being got: all of it, whatever range of it was asked for (RFC 9110, section 14.2)."""
    headers |= {"content-type": "application/octet-stream", "content-length": str(size)}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": 200, "headers": raw})
    try:
        async for piece in _growing(opened, wanted, size):
            await send({"type": "http.response.body", "body": piece, "more_body": True})
    except (NixgenError, OSError) as error:
        # Without its end, the server closes the connection: the client knows that it does not have all of it.
        _log.warning("%s is cut off: %s", wanted.filename, error)
        return
    await send({"type": "http.response.body", "body": b""})


async def _growing(opened: Opened, wanted: Wanted, size: int) -> AsyncIterator[bytes]:
    """Yield a file that is being written; its end when it is there, and what was yielded has its hash.

    Raises:
        NixgenError: it does not come, or other bytes came.
    """
    digest, sent = hashlib.sha256(), 0
    while sent < size:
        whole = opened.made.done()
        if whole:
            opened.made.result()
        piece = await asyncio.to_thread(_read, opened.file, sent, size if whole else size - _HELD)
        if not piece:
            if whole:
                break
            await asyncio.wait({opened.made}, timeout=_PACE)
            continue
        digest.update(piece)
        sent += len(piece)
        # Parts of it may have been written twice, and differently.
        if sent == size and digest.hexdigest() != wanted.sha256:
            break
        yield piece
        if sent == size:
            return
    raise VerificationError(f"other bytes came than {wanted.filename} has", where=str(opened.file))


def _read(file: Path, start: int, stop: int) -> bytes:
    try:
        with file.open("rb") as stream:
            stream.seek(start)
            return stream.read(max(0, min(_CHUNK, stop - start)))
    except FileNotFoundError:
        return b""


async def _failed(request: Request, error: Exception) -> Response:
    """Say what went wrong, and whose fault it is."""
    known = error if isinstance(error, NixgenError) else mistake(error)
    if known is None:
        _log.error("a request failed: %s", request.url.path, exc_info=error)
        return PlainTextResponse("this failed here; the log says why\n", status_code=500)
    _log.warning("%s: %s", request.url.path, known)
    status = 502 if isinstance(known, NetworkError | VerificationError) else 500
    return PlainTextResponse(f"{known.what}\n", status_code=status)


def _page(content: bytes, as_json: bool) -> Response:
    kind = JSON if as_json else "text/html; charset=utf-8"
    return Response(content, media_type=kind, headers={"Vary": "Accept", "Cache-Control": "max-age=0, must-revalidate"})


def _forever(sha256: str | None = None) -> dict[str, str]:
    """Return the headers of what never changes: its URL has its hash."""
    tag = {} if sha256 is None else {"ETag": f'"{sha256}"'}
    return {"Cache-Control": "public, max-age=31536000, immutable", **tag}


def _nothing() -> Response:
    return PlainTextResponse("nobody here has this\n", status_code=404)
