"""Have Nix take from caches what was made of wheels: trees, images, wheels of sources."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import logging
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from nixgen.access import Access
from nixgen.caches.place import S3, Place, place_of, store_directory
from nixgen.errors import NixgenError
from nixgen.temporary import temporary_directory

_log = logging.getLogger(__name__)

#: How long a cache may take to say that it is there, in seconds.
_PATIENCE = 10.0

#: Settings for a build that takes from caches.
#:
#: fallback: what a cache fails to give is built.
#: narinfo-cache-negative-ttl: what it had not yet an hour ago, it may have.
#: connect-timeout, stalled-download-timeout, download-attempts: seconds, and how often; a build is not to hang on one.
_SETTINGS = {
    "fallback": "true",
    "narinfo-cache-negative-ttl": "0",
    "connect-timeout": "10",
    "stalled-download-timeout": "30",
    "download-attempts": "3",
}


@contextlib.contextmanager
def substituting(
    settings: Mapping[str, str], said: Sequence[str], keys: Sequence[str], access: Access, store_dir: str
) -> Iterator[Mapping[str, str]]:
    """Give the settings for Nix to take from caches, as long as the context lasts.

    Whether Nix believes what it gets, its own keys and ``keys`` say; what it does not believe, it builds.

    Args:
        settings: those that a user has given; they go before.
        said: the caches, as a user names them.
        keys: public keys, as Nix writes them.
        access: how servers are reached.
        store_dir: the store's directory.
    """
    with contextlib.ExitStack() as stack:
        urls = []
        scratch = stack.enter_context(temporary_directory())
        for one in said:
            place = place_of(one, replace(access, timeout=min(access.timeout, _PATIENCE)), tries=1)
            if (why := asyncio.run(_why_not(place, store_dir, scratch))) is not None:
                _log.warning("the cache %s is left aside: %s", place.shown, why)
            elif isinstance(place, S3):
                urls.append(stack.enter_context(_relay(place)))
            elif place.substituter is not None:
                urls.append(place.substituter)
        given = {"extra-substituters": " ".join(urls)}
        if keys:
            given["extra-trusted-public-keys"] = " ".join(keys)
        joined = {name: " ".join(filter(None, [settings.get(name), value])) for name, value in given.items()}
        yield {**_SETTINGS, **settings, **joined}


async def _why_not(place: Place, store_dir: str, scratch: Path) -> str | None:
    """Tell why Nix is not to ask a cache, which it does patiently; None where it may."""
    try:
        async with place:
            directory = await store_directory(place, scratch)
    except NixgenError as error:
        return error.what
    if directory is None:
        return "it has no nix-cache-info"
    return None if directory in ("", store_dir) else f"it is for {directory}, and this store is {store_dir}"


@contextlib.contextmanager
def _relay(place: S3) -> Iterator[str]:
    """Give the URL of a server on loopback that sends Nix to a bucket, with URLs that carry their permission.

    Not every Nix reads buckets: Debian's 2.8 and 2.26 are built without.
    """

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self.send_response(307)
            self.send_header("Location", place.url(self.command, self.path.lstrip("/")))
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
