"""Serve a directory of files on loopback, as what serves a binary cache does.

    python -m benchmarks.files DIRECTORY

A process of its own, like ``benchmarks.server``.
"""

from __future__ import annotations

import contextlib
import http.server
import sys
from pathlib import Path

from benchmarks.apart import Apart


class LoopbackFiles(Apart):
    """A server process, for as long as the block runs.

    Args:
        directory: of the files.
    """

    def __init__(self, directory: Path) -> None:
        super().__init__("files", directory)


class _Handler(http.server.BaseHTTPRequestHandler):
    directory: Path
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # status and headers in one packet

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        place = self.directory / self.path.lstrip("/")
        if not place.is_file():
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        with place.open("rb") as file:
            self.send_response(200)
            self.send_header("Content-Length", str(place.stat().st_size))
            self.end_headers()
            self.wfile.flush()
            if self.command == "GET":
                with contextlib.suppress(OSError):
                    self.connection.sendfile(file)

    do_HEAD = do_GET


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


if __name__ == "__main__":
    _Handler.directory = Path(sys.argv[1])
    with _Server(("127.0.0.1", 0), _Handler) as server, contextlib.suppress(KeyboardInterrupt):
        print(f"127.0.0.1:{server.server_address[1]}", flush=True)
        server.serve_forever(0.05)
