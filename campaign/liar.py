"""A server of wheels on loopback whose every answer can be made a lie."""

from __future__ import annotations

import contextlib
import hashlib
import http.server
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self


@dataclass(kw_only=True)
class Answer:
    """An answer before it is sent: honest, until a lie changes it.

    Attributes:
        number: of the request among those for this wheel, from 1.
        content: the whole wheel.
        wanted: what the request's Range asks for, from and to; None where it asks for all.
        status, headers, body: of the answer.
        promised: the length that it announces; None for that of the body.
        reset: after how many bytes of the body the connection is reset; None where it is not.
        delay: seconds to wait before each of eight parts of the body.
        silence: seconds to wait before anything is sent.
        drip: seconds to wait before each byte of the body.
        raw: bytes to send instead of all of it.
    """

    number: int
    content: bytes
    wanted: tuple[int, int] | None
    status: int
    headers: dict[str, str]
    body: bytes
    promised: int | None = None
    reset: int | None = None
    delay: float = 0.0
    silence: float = 0.0
    drip: float = 0.0
    raw: bytes | None = None


#: Changes an answer.
Lie = Callable[[Answer], None]


def answer(content: bytes, number: int, headers: Mapping[str, str]) -> Answer:
    """Return the honest answer to a request for a wheel.

    Args:
        content: the wheel.
        number: of the request.
        headers: of the request, names in lower case.
    """
    tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
    wanted = _wanted(headers.get("range", ""), len(content))
    if headers.get("if-range", tag) != tag:
        wanted = None
    told = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes", "ETag": tag}
    if wanted is None:
        return Answer(number=number, content=content, wanted=None, status=200, headers=told, body=content)
    start, stop = wanted
    if start >= len(content):
        told["Content-Range"] = f"bytes */{len(content)}"
        return Answer(number=number, content=content, wanted=wanted, status=416, headers=told, body=b"")
    told["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
    return Answer(number=number, content=content, wanted=wanted, status=206, headers=told, body=content[start:stop])


@dataclass
class Liar:
    """Serve wheels at ``/wheels/<file name>`` and an index of them at ``/simple/`` until the block ends.

    Attributes:
        wheels: bytes by file name; may change while it runs.
        lies: change every answer about a wheel, in their order; may change while it runs.
    """

    wheels: dict[str, bytes] = field(default_factory=dict)
    lies: list[Lie] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()
        owner = self

        class Handler(_Handler):
            liar = owner

        self._http = _Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @property
    def base(self) -> str:
        """Its URL, without a final slash."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def number(self, filename: str) -> int:
        """Count a request."""
        with self._lock:
            self._seen[filename] += 1
            return self._seen[filename]


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that are killed hang up."""


class _Handler(http.server.BaseHTTPRequestHandler):
    liar: Liar
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        place, _, name = self.path.partition("?")[0].strip("/").partition("/")
        if place == "simple" and name:
            links = (
                f'<a href="/wheels/{filename}#sha256={hashlib.sha256(content).hexdigest()}">{filename}</a>'
                for filename, content in self.liar.wheels.items()
                if filename.split("-")[0] == name
            )
            page = f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode()
            self._send(
                Answer(number=0, content=b"", wanted=None, status=200, headers={"Content-Type": "text/html"}, body=page)
            )
        elif place == "wheels" and name in self.liar.wheels:
            headers = {field.lower(): value for field, value in self.headers.items()}
            told = answer(self.liar.wheels[name], self.liar.number(name), headers)
            for lie in self.liar.lies:
                lie(told)
            self._send(told)
        else:
            self._send(Answer(number=0, content=b"", wanted=None, status=404, headers={}, body=b"not here"))

    def _send(self, told: Answer) -> None:
        with contextlib.suppress(OSError):
            if told.silence:
                time.sleep(told.silence)
            if told.raw is not None:
                self.wfile.write(told.raw)
                self.close_connection = True
                return
            if told.reset == 0:
                self._reset()
                return
            self.send_response(told.status)
            for name, value in told.headers.items():
                self.send_header(name, value)
            promised = len(told.body) if told.promised is None else told.promised
            self.send_header("Content-Length", str(promised))
            self.end_headers()
            if self.command == "HEAD":
                return
            body = told.body if told.reset is None else told.body[: told.reset]
            step = 1 if told.drip else max(1, -(-len(body) // 8))
            for start in range(0, len(body), step):
                time.sleep(told.drip or told.delay)
                self.wfile.write(body[start : start + step])
            if told.reset is not None:
                self._reset()
            elif promised != len(body):
                self.close_connection = True
            return
        self.close_connection = True

    def _reset(self) -> None:
        # linger 0: the connection ends with RST, not FIN
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _wanted(header: str, size: int) -> tuple[int, int] | None:
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header)
    if match is None or not any(match.groups()):
        return None
    first, last = match.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1 if last else size)
