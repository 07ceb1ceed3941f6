"""An HTTP server on loopback that serves wheels: with or without ranges, slow, failing, lying, as asked."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import html
import http.server
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nixgen.access import Access
from nixgen.credentials import Credentials
from tests.support.loopback import Loopback


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """How wheels are served; everything honest and fast where nothing is set.

    Attributes:
        ranges: ``yes``; ``no`` (ignored, the answer is 200); or the HTTP status that refuses them.
        suffix_ranges: whether ``bytes=-N`` is understood; else it is ignored.
        delay: seconds to wait before every chunk of a body.
        chunk: bytes per chunk.
        failures: how many requests for each wheel fail before the first good answer.
        failure: how they fail: an HTTP status, ``reset`` (of the connection), or ``cut`` (half the body).
        retry_after: the Retry-After field of failing answers.
        lie: one of ``content-range-missing``, ``content-range-garbage``, ``content-range-shifted``, ``total``
            (a wrong total size), ``total-changes`` (from the second request on), ``whole-as-206`` (the range
            is ignored, but the status is 206), ``long`` (more bytes than announced by the range), ``garbage``
            (other bytes in ranges), ``changed`` (other bytes, with another ETag, from the second request on),
            ``changed-silently`` (the same without an ETag), ``another`` (ranges are of the server's ``others``).
        etag: whether answers have one; If-Range is then honoured.
        if_range: whether If-Range is honoured.
        user: ``name:password`` that requests must authenticate with (basic).
        token: the query that requests for wheels must have.
        redirect: another server's URL that wheels are redirected to.
        algorithm: of the hashes in the index.
    """

    ranges: str = "yes"
    suffix_ranges: bool = True
    delay: float = 0.0
    chunk: int = 64 * 1024
    failures: int = 0
    failure: str = "503"
    retry_after: str | None = None
    lie: str | None = None
    etag: bool = True
    if_range: bool = True
    user: str | None = None
    token: str | None = None
    redirect: str | None = None
    algorithm: str = "sha256"


@dataclass(kw_only=True)
class Request:
    """One request: path, headers (names in lower case), the answer's status and the bytes of its body."""

    path: str
    headers: Mapping[str, str]
    status: int = 0
    sent: int = 0


@dataclass
class WheelServer(Loopback):
    """Serve wheels at ``/wheels/<file name>`` and as an index at ``/simple/`` (PEP 503) until the block ends.

    Args:
        wheels: the bytes, or a path to them, by file name.
        behaviour: how wheels are served; it may be replaced while the server runs.

    Attributes:
        requests: what came in so far, in the order of arrival.
        others: what a server that lies so gives ranges of, by file name.
    """

    wheels: Mapping[str, bytes | Path] = field(default_factory=dict)
    behaviour: Behaviour = field(default_factory=Behaviour)
    requests: list[Request] = field(default_factory=list)
    others: Mapping[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.lock = threading.Lock()
        owner = self

        class Handler(_Handler):
            server_of_wheels = owner

        self._http = _Server(("127.0.0.1", 0), Handler)

    @property
    def index(self) -> str:
        """The URL of the PEP 503 index, as installers take it."""
        return f"{self.base}/simple/"

    def url(self, filename: str) -> str:
        """Give the URL of a wheel."""
        return f"{self.base}/wheels/{filename}"

    @property
    def sent(self) -> int:
        """Bytes of wheels sent so far."""
        return sum(request.sent for request in self.requests if request.path.startswith("/wheels/"))

    @property
    def wheel_requests(self) -> list[Request]:
        """The requests for wheels so far."""
        return [request for request in self.requests if request.path.startswith("/wheels/")]

    def content(self, filename: str) -> bytes | None:
        """Give the bytes of a wheel, None where there is none."""
        content = self.wheels.get(filename)
        return content.read_bytes() if isinstance(content, Path) else content


def serve_directory(directory: Path, behaviour: Behaviour | None = None) -> WheelServer:
    """Make a server of all wheels in a directory."""
    return WheelServer({path.name: path for path in directory.glob("*.whl")}, behaviour or Behaviour())


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up belong to the tests."""


class _Handler(http.server.BaseHTTPRequestHandler):
    server_of_wheels: WheelServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 30

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        # counted before anything is sent, so that a client never knows more than the counts do
        self._request = Request(path=path, headers={name.lower(): value for name, value in self.headers.items()})
        with self.server_of_wheels.lock:
            self.server_of_wheels.requests.append(self._request)
        if path.startswith("/wheels/"):
            self._wheel(path.removeprefix("/wheels/"))
        elif path.startswith("/simple"):
            self._simple(path.removeprefix("/simple").strip("/"))
        else:
            self._answer(404, b"not here")

    def _simple(self, project: str) -> None:
        server = self.server_of_wheels
        if not self._welcome():
            return
        found: dict[str, list[str]] = {}
        for filename in sorted(server.wheels):
            found.setdefault(_normalized(filename.split("-")[0]), []).append(filename)
        if not project:
            links = [f'<a href="/simple/{name}/">{name}</a>' for name in found]
        elif _normalized(project) in found:
            links = []
            for filename in found[_normalized(project)]:
                algorithm = server.behaviour.algorithm
                digest = hashlib.new(algorithm, server.content(filename) or b"").hexdigest()
                links.append(f'<a href="/wheels/{html.escape(filename)}#{algorithm}={digest}">{filename}</a>')
        else:
            self._answer(404, b"no such project")
            return
        page = "<!DOCTYPE html><html><body>\n" + "<br/>\n".join(links) + "\n</body></html>\n"
        self._answer(200, page.encode(), {"Content-Type": "text/html"})

    def _welcome(self) -> bool:
        user = self.server_of_wheels.behaviour.user
        if user is None or self.headers.get("Authorization") == basic(user):
            return True
        self._answer(401, b"who are you?", {"WWW-Authenticate": 'Basic realm="wheels"'})
        return False

    def _wheel(self, filename: str) -> None:
        server, behaviour = self.server_of_wheels, self.server_of_wheels.behaviour
        if behaviour.redirect is not None:
            self._answer(302, b"", {"Location": f"{behaviour.redirect}/wheels/{filename}"})
            return
        if not self._welcome():
            return
        if behaviour.token is not None and self.path.partition("?")[2] != behaviour.token:
            self._answer(403, b"no token")
            return
        content = server.content(filename)
        if content is None:
            self._answer(404, b"no such wheel")
            return
        with server.lock:
            server.seen[filename] += 1
            number = server.seen[filename]
        if number <= behaviour.failures and behaviour.failure != "cut":
            self._fail()
            return
        if behaviour.lie in ("changed", "changed-silently") and number > 1:
            content = bytes(byte ^ 0x55 for byte in content)
        headers = {"Content-Type": "application/octet-stream", "Accept-Ranges": "bytes"}
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if behaviour.etag and behaviour.lie != "changed-silently":
            headers["ETag"] = tag
        wanted = _wanted(self.headers.get("Range"), len(content), behaviour)
        condition = self.headers.get("If-Range")
        if behaviour.if_range and condition is not None and condition != tag:
            wanted = None
        if self.headers.get("Range") and behaviour.ranges.isdigit():
            self._answer(int(behaviour.ranges), b"no ranges here")
            return
        if behaviour.lie == "another" and wanted is not None:
            content = server.others[filename]
        cut = number <= behaviour.failures
        if wanted is None:
            self._answer(200, content, headers, cut=cut)
        elif wanted[0] >= len(content):
            self._answer(416, b"", {"Content-Range": f"bytes */{len(content)}"})
        else:
            self._range(content, wanted, headers, number, cut=cut)

    def _range(
        self, content: bytes, wanted: tuple[int, int], headers: dict[str, str], number: int, *, cut: bool
    ) -> None:
        lie = self.server_of_wheels.behaviour.lie
        (start, stop), total = wanted, len(content)
        body = content[start:stop]
        if lie == "content-range-shifted" and start > 0:
            start, stop = start - 1, stop - 1
        if lie == "total" or (lie == "total-changes" and number > 1):
            total += 1
        if lie == "whole-as-206":
            body = content
        if lie == "long":
            body += b"x" * 100
        if lie == "garbage":
            body = bytes(len(body))
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{total}"
        if lie == "content-range-garbage":
            headers["Content-Range"] = "bytes some-of/them"
        if lie == "content-range-missing":
            del headers["Content-Range"]
        self._answer(206, body, headers, cut=cut)

    def _fail(self) -> None:
        behaviour = self.server_of_wheels.behaviour
        if behaviour.failure == "reset":
            # linger 0: the connection ends with RST, not FIN
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            self.close_connection = True
            return
        headers = {} if behaviour.retry_after is None else {"Retry-After": behaviour.retry_after}
        self._answer(int(behaviour.failure), b"not now", headers)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] | None = None, *, cut: bool = False) -> None:
        behaviour = self.server_of_wheels.behaviour
        self._request.status = status
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        if cut:
            body = body[: len(body) // 2]
            self.close_connection = True
        for start in range(0, len(body), behaviour.chunk):
            if behaviour.delay:
                time.sleep(behaviour.delay)
            chunk = body[start : start + behaviour.chunk]
            with contextlib.suppress(OSError):
                self._request.sent += len(chunk)
                self.wfile.write(chunk)
                continue
            self.close_connection = True
            return


def logged_in(server: WheelServer, user: str, password: str) -> Access:
    """Reach a server with a login."""
    return Access(credentials=Credentials.from_environment([server.base.replace("://", f"://{user}:{password}@")]))


def basic(user: str) -> str:
    """Give the Authorization field for ``name:password``."""
    return "Basic " + base64.b64encode(user.encode()).decode()


def _wanted(header: str | None, size: int, behaviour: Behaviour) -> tuple[int, int] | None:
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header or "")
    if match is None or behaviour.ranges == "no":
        return None
    first, last = match.groups()
    if not first:
        return (max(0, size - int(last)), size) if behaviour.suffix_ranges else None
    return int(first), min(size, int(last) + 1 if last else size)


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
