"""Serve a directory of wheels on loopback as a package index does: files with ranges, pages, metadata (PEP 503, 658).

    python -m benchmarks.server DIRECTORY

A process of its own, so that it shares no interpreter lock with what is measured, and bodies go from the file to the
socket in the kernel. ``GET /sent`` says how many bytes of wheels went out.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import http.server
import json
import re
import sys
import threading
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.apart import Apart

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


class LoopbackIndex(Apart):
    """A server process, for as long as the block runs.

    Args:
        directory: holds the wheels.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__("server", directory)
        self._directory = directory

    @property
    def url(self) -> str:
        """The index, as installers take it."""
        return f"http://{self.host}/simple/"

    def sent(self) -> int:
        """Return how many bytes of wheels went out so far."""
        return int(self._get("/sent"))

    def wheels(self) -> list[dict[str, str]]:
        """Return ``filename``, ``url`` and ``sha256`` of each wheel."""
        served: list[dict[str, str]] = json.loads(self._get("/listed"))
        return [{**wheel, "url": f"http://{self.host}/wheels/{wheel['filename']}"} for wheel in served]

    def seconds_to_serve(self) -> float:
        """Return how long one client takes to read every wheel once: what the server itself costs at most."""
        start = time.perf_counter()
        for wheel in sorted(self._directory.glob("*.whl")):
            connection = http.client.HTTPConnection(self.host)
            with contextlib.closing(connection):
                connection.request("GET", f"/wheels/{wheel.name}")
                answer = connection.getresponse()
                while answer.read(1 << 20):  # never whole: this process is to stay small, see benchmarks.clock
                    pass
        return time.perf_counter() - start

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(self.host)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read()


@dataclass(frozen=True, kw_only=True)
class _Wheel:
    path: Path
    size: int
    sha256: str
    metadata: bytes


class _Handler(http.server.BaseHTTPRequestHandler):
    wheels: Mapping[str, _Wheel]
    pages: Mapping[str, bytes]
    lock = threading.Lock()
    sent = 0

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # status and headers in one packet

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        kind, _, name = self.path.partition("?")[0].strip("/").partition("/")
        if kind == "wheels" and name in self.wheels:
            self._wheel(self.wheels[name])
        elif kind == "wheels" and name.removesuffix(".metadata") in self.wheels:
            self._text(self.wheels[name.removesuffix(".metadata")].metadata, "application/octet-stream")
        elif kind == "simple" and name in self.pages:
            self._text(self.pages[name], "text/html")
        elif kind == "listed":
            listed = [{"filename": name, "sha256": wheel.sha256} for name, wheel in self.wheels.items()]
            self._text(json.dumps(listed).encode(), "application/json")
        elif kind == "sent":
            self._text(str(_Handler.sent).encode(), "text/plain")
        else:
            self.send_error(404)

    def _wheel(self, wheel: _Wheel) -> None:
        start, stop = 0, wheel.size
        match = _RANGE.fullmatch(self.headers.get("Range", ""))
        tag = f'"{wheel.sha256[:16]}"'
        if match and self.headers.get("If-Range", tag) == tag:
            first, last = match.groups()
            start = int(first) if first else max(0, wheel.size - int(last))
            stop = min(wheel.size, int(last) + 1) if first and last else wheel.size
            if start >= stop:
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{wheel.size}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{stop - 1}/{wheel.size}")
        else:
            self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(stop - start))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", tag)
        self.send_header("Cache-Control", "max-age=365000000, immutable, public")  # as indexes do; pip's cache asks
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.flush()
        with wheel.path.open("rb") as file, contextlib.suppress(OSError):
            went = self.connection.sendfile(file, start, stop - start)
            with self.lock:
                _Handler.sent += went

    def _text(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


class _Server(http.server.ThreadingHTTPServer):
    """A server that many ask at once."""

    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients hang up when they have what they want."""


def answer(handler: type[http.server.BaseHTTPRequestHandler]) -> None:
    """Answer on loopback until the process is stopped; print the address first."""
    server = _Server(("127.0.0.1", 0), handler)
    print(f"127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


def serve(directory: Path) -> None:
    """Serve the wheels of a directory until the process is stopped; print the address first."""
    _Handler.wheels = {path.name: _read(path) for path in sorted(directory.glob("*.whl"))}
    _Handler.pages = _pages(_Handler.wheels)
    answer(_Handler)


def _read(path: Path) -> _Wheel:
    with zipfile.ZipFile(path) as archive:
        member = next(name for name in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", name))
        metadata = archive.read(member)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return _Wheel(path=path, size=path.stat().st_size, sha256=sha256, metadata=metadata)


def _pages(wheels: Mapping[str, _Wheel]) -> dict[str, bytes]:
    links: dict[str, list[str]] = {}
    for name, wheel in wheels.items():
        digest = hashlib.sha256(wheel.metadata).hexdigest()
        links.setdefault(re.sub(r"[-_.]+", "-", name.split("-")[0]).lower(), []).append(
            f'<a href="/wheels/{name}#sha256={wheel.sha256}" data-core-metadata="sha256={digest}">{name}</a>'
        )
    pages = {project: "<!DOCTYPE html><html><body>\n" + "\n".join(found) for project, found in links.items()}
    return {project: f"{page}\n</body></html>\n".encode() for project, page in pages.items()}


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
