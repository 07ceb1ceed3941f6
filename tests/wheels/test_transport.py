"""Requests against servers that are honest, slow, failing or lying."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import socket
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

import nixgen
from nixgen.access import Access
from nixgen.credentials import Credentials
from nixgen.errors import MachineError, NetworkError, VerificationError
from nixgen.wheels.answers import RangesRefusedError, shown
from nixgen.wheels.archive import Range
from nixgen.wheels.retry import Retry
from nixgen.wheels.transport import Download, Piece, Transport
from nixgen.wheels.trust import Proxies, Trust
from tests.support.server import WheelServer, basic, logged_in

T = TypeVar("T")
Serve = Callable[..., WheelServer]

BODY = bytes(range(256)) * 1000
NAME = "demo-1.0-py3-none-any.whl"


class Waits(list[float]):
    """Record waits instead of waiting."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


def run(work: Callable[[Transport], Awaitable[T]], **options: Any) -> T:
    """Do some work with a transport that never really waits between tries."""
    options.setdefault("sleep", Waits())

    async def main() -> T:
        async with Transport(**options) as transport:
            return await work(transport)

    return asyncio.run(main())


def tail(server: WheelServer, spool: Path, *, size: int | None = None, **options: Any) -> Piece | Download:
    """Get the last 1000 bytes of the served file."""
    return run(lambda t: t.tail(server.url(NAME), 1000, size=size, spool=spool), **options)


def download(server: WheelServer, spool: Path, *, size: int | None = None, **options: Any) -> Download:
    """Get the served file."""
    return run(lambda t: t.download(server.url(NAME), spool, size=size), **options)


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_tail_is_one_small_request(size: int | None, serve: Serve, tmp_path: Path) -> None:
    """The end of a file comes in one request of just these bytes, with the total size and the entity tag."""
    server = serve((NAME, BODY))
    piece = tail(server, tmp_path / "spool", size=size)
    assert isinstance(piece, Piece)
    assert (piece.start, piece.data, piece.total) == (len(BODY) - 1000, BODY[-1000:], len(BODY))
    assert piece.etag
    assert [(request.status, request.sent) for request in server.requests] == [(206, 1000)]
    assert server.requests[0].headers["user-agent"] == f"nixgen/{nixgen.__version__}"
    assert server.requests[0].headers["accept-encoding"] == "identity"
    assert not (tmp_path / "spool").exists()


def test_a_file_shorter_than_the_tail_comes_whole(serve: Serve, tmp_path: Path) -> None:
    """A tail longer than the file is the file."""
    piece = tail(serve((NAME, b"short")), tmp_path / "spool")
    assert isinstance(piece, Piece)
    assert (piece.start, piece.data) == (0, b"short")


def test_a_range_is_conditional_on_the_tag(serve: Serve, tmp_path: Path) -> None:
    """A range gives just its bytes, and the request asks for them only if the file is still the same."""
    server = serve((NAME, BODY))

    async def work(transport: Transport) -> Piece | Download:
        first = await transport.tail(server.url(NAME), 10, size=None, spool=tmp_path / "s")
        assert isinstance(first, Piece)
        return await transport.range(
            server.url(NAME), Range(5, 9), size=first.total, etag=first.etag, spool=tmp_path / "s"
        )

    piece = run(work)
    assert isinstance(piece, Piece)
    assert piece.data == BODY[5:9]
    assert server.requests[1].headers["range"] == "bytes=5-8"
    assert server.requests[1].headers["if-range"].startswith(chr(34))


@pytest.mark.parametrize("behaviour", [{"ranges": "no"}, {"suffix_ranges": False}])
def test_an_ignored_range_is_not_asked_twice(behaviour: dict[str, Any], serve: Serve, tmp_path: Path) -> None:
    """A server that ignores the range and sends the whole file is read to the end, in that same request."""
    server = serve((NAME, BODY), **behaviour)
    got = tail(server, tmp_path / "spool")
    assert got == Download(path=tmp_path / "spool", sha256=hashlib.sha256(BODY).hexdigest(), size=len(BODY))
    assert (tmp_path / "spool").read_bytes() == BODY
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "behaviour",
    [
        {"ranges": "416"},
        {"ranges": "403"},
        {"ranges": "501"},
        {"ranges": "405"},
        {"lie": "content-range-missing"},
        {"lie": "content-range-garbage"},
        {"lie": "content-range-shifted"},
        {"lie": "long"},
    ],
    ids=lambda behaviour: next(iter(behaviour.values())),
)
def test_refused_and_nonsensical_ranges_are_noticed(behaviour: dict[str, Any], serve: Serve, tmp_path: Path) -> None:
    """A refused range, or an answer whose Content-Range is missing or wrong, is reported and not tried again."""
    server = serve((NAME, BODY), **behaviour)
    with pytest.raises(RangesRefusedError):
        tail(server, tmp_path / "spool", size=len(BODY))
    assert len(server.requests) == 1


def test_a_whole_file_under_206_is_noticed(serve: Serve, tmp_path: Path) -> None:
    """A server that answers 206 and sends the whole file is not believed, and not read to the end."""
    server = serve((NAME, BODY * 40), lie="whole-as-206", delay=0.001)
    with pytest.raises(RangesRefusedError, match="more than"):
        tail(server, tmp_path / "spool")
    assert server.sent < len(BODY * 40)


def test_another_total_than_locked_is_noticed(serve: Serve, tmp_path: Path) -> None:
    """A total size in Content-Range that is not the locked one is not accepted."""
    with pytest.raises(RangesRefusedError, match="bytes, not"):
        tail(serve((NAME, BODY), lie="total"), tmp_path / "spool", size=len(BODY))


def changed(server: WheelServer, spool: Path) -> Piece | Download:
    """Get the tail and then a range."""

    async def work(transport: Transport) -> Piece | Download:
        first = await transport.tail(server.url(NAME), 10, size=None, spool=spool)
        assert isinstance(first, Piece)
        return await transport.range(server.url(NAME), Range(0, 9), size=first.total, etag=first.etag, spool=spool)

    return run(work)


def test_a_total_that_changes_is_noticed(serve: Serve, tmp_path: Path) -> None:
    """A total size that differs between two requests is not accepted."""
    with pytest.raises(RangesRefusedError, match="bytes, not"):
        changed(serve((NAME, BODY), lie="total-changes"), tmp_path / "spool")


def test_a_tag_that_changes_is_noticed(serve: Serve, tmp_path: Path) -> None:
    """A file that changes between two requests is noticed by its entity tag, though If-Range is ignored."""
    with pytest.raises(RangesRefusedError, match="changed between"):
        changed(serve((NAME, BODY), lie="changed", if_range=False), tmp_path / "spool")


def test_a_changed_file_may_come_whole(serve: Serve, tmp_path: Path) -> None:
    """A server that honours If-Range sends the changed file whole, and that body is used."""
    got = changed(serve((NAME, BODY), lie="changed"), tmp_path / "spool")
    assert isinstance(got, Download)
    assert got.size == len(BODY)


def test_a_download_is_hashed_on_the_way(serve: Serve, tmp_path: Path) -> None:
    """A download is stored as it is, with its SHA-256, size, and every byte counted."""
    counts: list[int] = []
    got = download(serve((NAME, BODY)), tmp_path / "wheel", size=len(BODY), on_bytes=counts.append)
    assert got.sha256 == hashlib.sha256(BODY).hexdigest()
    assert got.path.read_bytes() == BODY
    assert sum(counts) == got.size == len(BODY)


@pytest.mark.parametrize("size", [len(BODY) - 1, len(BODY) + 1, 0])
def test_a_download_of_another_size_fails_verification(size: int, serve: Serve, tmp_path: Path) -> None:
    """A file that is longer or shorter than locked is a failed verification, not a retry."""
    server = serve((NAME, BODY))
    with pytest.raises(VerificationError, match=f"expected {size}"):
        download(server, tmp_path / "wheel", size=size)
    assert len(server.requests) == 1


@pytest.mark.parametrize("failure", ["503", "500", "429", "408", "reset", "cut"])
@pytest.mark.parametrize("get", [tail, download])
def test_failures_are_tried_again(failure: str, get: Callable[..., Any], serve: Serve, tmp_path: Path) -> None:
    """Server errors, lost connections and bodies that end early are tried again, with growing waits."""
    server = serve((NAME, BODY), failures=3, failure=failure)
    waits = Waits()
    got = get(server, tmp_path / "spool", sleep=waits, retry=Retry(base=1.0, jitter=lambda: 0.0))
    assert (got.data if isinstance(got, Piece) else got.path.read_bytes()[-1000:]) == BODY[-1000:]
    assert len(server.requests) == 4
    assert waits == [1.0, 2.0, 4.0]


@pytest.mark.parametrize("failure", ["503", "reset", "cut"])
def test_failures_end_in_a_network_error(failure: str, serve: Serve, tmp_path: Path) -> None:
    """After the last try the error says what happened, where, and what to do."""
    server = serve((NAME, BODY), failures=99, failure=failure)
    with pytest.raises(NetworkError) as caught:
        download(server, tmp_path / "wheel")
    assert caught.value.where == server.url(NAME)
    assert caught.value.todo
    assert len(server.requests) == 4


def test_retry_after_is_honoured(serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A wait that the server asks for is the wait, up to a minute, and the user is told of it."""
    for asked, given in (("7", 7.0), ("86400", 60.0)):
        waits, server = Waits(), serve((NAME, BODY), failures=1, retry_after=asked)
        download(server, tmp_path / "wheel", sleep=waits)
        assert waits == [given]
        (said,) = caplog.messages
        assert f"trying again in {given:.0f} s (as its Retry-After asks)" in said and server.url(NAME) in said
        caplog.clear()
    download(serve((NAME, BODY), failures=1), tmp_path / "wheel", sleep=Waits())
    assert not caplog.messages


@pytest.mark.parametrize("failure", ["404", "410", "418", "501"])
def test_refusals_are_not_tried_again(failure: str, serve: Serve, tmp_path: Path) -> None:
    """An answer that will not change is an error at once, with its status."""
    server = serve((NAME, BODY), failures=99, failure=failure)
    with pytest.raises(NetworkError, match=f"HTTP {failure}"):
        download(server, tmp_path / "wheel")
    assert len(server.requests) == 1


def test_credentials_are_sent(serve: Serve, tmp_path: Path) -> None:
    """A server that wants credentials gets those it was given; without them the error says so."""
    server = serve((NAME, BODY), user="me:secret")
    assert download(server, tmp_path / "w", access=logged_in(server, "me", "secret")).size == len(BODY)
    assert server.requests[-1].headers["authorization"] == basic("me:secret")
    with pytest.raises(NetworkError, match="HTTP 401") as caught:
        download(server, tmp_path / "w")
    assert "credentials" in str(caught.value)


def test_credentials_stay_with_their_server(serve: Serve, tmp_path: Path) -> None:
    """A redirect to another server is followed, ranges and all, without the credentials."""
    other = serve((NAME, BODY))
    server = serve((NAME, BODY), redirect=other.base)
    piece = tail(server, tmp_path / "spool", access=logged_in(server, "me", "secret"))
    assert isinstance(piece, Piece)
    assert "authorization" in server.requests[0].headers
    assert "authorization" not in other.requests[0].headers


def test_a_slow_server_is_waited_for_while_bytes_come(serve: Serve, tmp_path: Path) -> None:
    """The timeout is one between bytes, not of the whole body."""
    server = serve((NAME, BODY), delay=0.05, chunk=len(BODY) // 8)
    assert download(server, tmp_path / "wheel", timeout=0.3).size == len(BODY)


def test_a_server_that_stalls_is_given_up(serve: Serve, tmp_path: Path) -> None:
    """A body without progress within the timeout is a failed try."""
    server = serve((NAME, BODY), delay=1.0)
    with pytest.raises(NetworkError, match="download failed"):
        download(server, tmp_path / "wheel", timeout=0.05, retry=Retry(tries=2))
    assert len(server.requests) == 2


def test_requests_under_way_are_bounded(serve: Serve, tmp_path: Path) -> None:
    """Never more requests are under way than the concurrency allows."""
    server = serve((NAME, BODY), delay=0.01)
    under_way = most = 0

    class Watch(httpx.Auth):
        def auth_flow(self, request: httpx.Request) -> Any:
            nonlocal under_way, most
            under_way += 1
            most = max(most, under_way)
            yield request
            under_way -= 1

    class Watched(Credentials):
        def auth(self) -> httpx.Auth:
            return Watch()

    async def work(transport: Transport) -> None:
        names = [tmp_path / str(number) for number in range(12)]
        await asyncio.gather(*(transport.download(server.url(NAME), name) for name in names))

    run(work, concurrency=3, access=Access(credentials=Watched()))
    assert most <= 3
    assert len(server.requests) == 12


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:9/x.whl", "ftp://127.0.0.1/x.whl", "http://[::bad/x.whl", "no-url", "http://"]
)
def test_impossible_urls_are_network_errors(url: str, tmp_path: Path) -> None:
    """A URL that leads nowhere, or is none, is a network error with the URL in it."""
    with pytest.raises(NetworkError) as caught:
        run(lambda t: t.download(url, tmp_path / "wheel"))
    assert caught.value.where


@pytest.mark.parametrize(
    "url",
    ["https://me:secret@host/x.whl?token=secret#secret", "http://me:secret@[bad/x.whl?secret"],
)
def test_messages_hold_no_secrets(url: str) -> None:
    """A URL in a message has neither credentials nor query nor fragment."""
    assert "secret" not in shown(url)
    assert "x.whl" in shown(url)


def test_a_broken_environment_is_an_error(tmp_path: Path) -> None:
    """A client's certificate that is none is an error that names the variable."""
    (tmp_path / "none.pem").write_text("")
    with pytest.raises(NetworkError, match="SSL_CLIENT_CERT"):
        Transport(access=Access(trust=Trust(client=tmp_path / "none.pem")))
    with pytest.raises(NetworkError, match="proxy"):
        Transport(access=Access(proxies=Proxies(by_scheme={"all": "gopher://here"})))


def test_a_full_disk_is_an_error(serve: Serve, tmp_path: Path) -> None:
    """A download that cannot be stored is an error that names the place."""
    with pytest.raises(MachineError, match="no such file"):
        download(serve((NAME, BODY)), tmp_path / "missing" / "wheel")


@pytest.mark.parametrize("slow", ["body", "headers"])
def test_a_byte_now_and_then_is_no_progress(slow: str, tmp_path: Path) -> None:
    """A server that sends a byte before each timeout has not answered, whether in its headers or in the body."""
    head, body = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", bytes(1000)

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            connection.recv(1 << 16)
            for part in [bytes([byte]) for byte in head + body] if slow == "headers" else [head, *[b"x"] * 1000]:
                connection.sendall(part)
                time.sleep(0.05)

    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=answer, args=(server.accept()[0],), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/{NAME}"
        began = time.monotonic()
        with pytest.raises(NetworkError, match="bytes came in" if slow == "body" else "does not begin"):
            run(lambda t: t.download(url, tmp_path / "spool"), timeout=0.3, retry=Retry(tries=2))
        assert time.monotonic() - began < 10


def test_a_day_of_waiting_is_cut(serve: Serve, tmp_path: Path) -> None:
    """What Retry-After asks for is cut to twice the timeout."""
    waits = Waits()
    server = serve((NAME, BODY), failures=1, retry_after="86400")
    assert download(server, tmp_path / "spool", timeout=2.0, sleep=waits).size == len(BODY)
    assert waits == [4.0]
