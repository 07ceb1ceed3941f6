"""Serve the archives of a lock of npm on loopback, and what a registry says of them.

    python -m benchmarks.npm_registry DIRECTORY

As ``benchmarks.server``: a process of its own, whose bodies go from the file to the socket in the kernel.
``GET /-/sent`` says how many bytes of archives went out.
"""

from __future__ import annotations

import contextlib
import http.client
import http.server
import json
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.apart import Apart
from benchmarks.server import answer

_LISTED = "served.json"


@dataclass(frozen=True, kw_only=True)
class Served:
    """A version of a package.

    Attributes:
        name, version: which.
        integrity: of its archive.
        file: the archive's name in ``archives``; "" of what this machine does not install.
        manifest: its package.json, or what a lock says of it.
    """

    name: str
    version: str
    integrity: str
    file: str
    manifest: Mapping[str, Any]

    @property
    def place(self) -> str:
        """Its path on the server, as a registry has it."""
        return f"{self.name}/-/{self.name.rpartition('/')[2]}-{self.version}.tgz"


def write_served(directory: Path, every: Iterable[Served]) -> None:
    """Write down what a directory's server has."""
    (directory / _LISTED).write_text(json.dumps([asdict(one) for one in every]))


def read_served(directory: Path) -> list[Served]:
    """Return what a directory's server has."""
    return [Served(**one) for one in json.loads((directory / _LISTED).read_text())]


class LoopbackRegistry(Apart):
    """A server process, for as long as the block runs.

    Args:
        directory: holds ``archives`` and what is said of them.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__("npm_registry", directory)
        self.every = read_served(directory)

    @property
    def url(self) -> str:
        """The registry, as npm takes it."""
        return f"http://{self.host}/"

    def url_of(self, served: Served) -> str:
        """Return where an archive is."""
        return f"{self.url}{served.place}"

    def sent(self) -> int:
        """Return how many bytes of archives went out so far."""
        return int(self._get("/-/sent"))

    def seconds_to_serve(self) -> float:
        """Return how long one client takes to read every archive once: what the server itself costs at most."""
        start = time.perf_counter()
        for served in self.every:
            if served.file:
                self._get(f"/{served.place}")
        return time.perf_counter() - start

    def _get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(self.host)
        with contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().read()


class _Handler(http.server.BaseHTTPRequestHandler):
    archives: Path
    files: Mapping[str, str]
    packuments: Mapping[str, Mapping[str, Any]]
    lock = threading.Lock()
    sent = 0

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # status and headers in one packet

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = urllib.parse.unquote(self.path.partition("?")[0]).strip("/")
        if path in self.files:
            self._archive(self.archives / self.files[path])
        elif path in self.packuments:
            host = f"http://{self.headers['Host']}/"
            text = json.dumps(self.packuments[path]).replace("http://registry/", host)
            self._said(text.encode(), "application/json")
        elif path == "-/sent":
            self._said(str(_Handler.sent).encode(), "text/plain")
        else:
            self._said(b"{}", "application/json", status=404)

    def _archive(self, path: Path) -> None:
        size = path.stat().st_size
        self.send_response(200)
        self.send_header("Content-Type", "application/octet-stream")
        self.send_header("Content-Length", str(size))
        self.send_header("Cache-Control", "public, immutable, max-age=31557600")  # as registries do
        self.end_headers()
        self.wfile.flush()
        with path.open("rb") as file, contextlib.suppress(OSError):
            went = self.connection.sendfile(file)
            with self.lock:
                _Handler.sent += went

    def _said(self, body: bytes, kind: str, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def serve(directory: Path) -> None:
    """Serve a directory until the process is stopped; print the address first."""
    every = read_served(directory)
    _Handler.archives = directory / "archives"
    _Handler.files = {one.place: one.file for one in every if one.file}
    _Handler.packuments = _packuments(every)
    answer(_Handler)


def _packuments(every: Iterable[Served]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for one in every:
        said = found.setdefault(one.name, {"name": one.name, "dist-tags": {}, "versions": {}, "time": {}})
        dist = {"tarball": f"http://registry/{one.place}", "integrity": one.integrity}
        said["versions"][one.version] = {**one.manifest, "dist": dist}
        said["dist-tags"]["latest"] = one.version
        said["time"][one.version] = "2026-01-01T00:00:00.000Z"
    return found


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
