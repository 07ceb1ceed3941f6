"""Files that take long to be there: what is sent meanwhile, and what never is."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from nixgen.errors import VerificationError
from nixgen.serving import app as serving
from nixgen.serving.app import make_app
from nixgen.serving.catalogue import Catalogue
from nixgen.serving.files import Files
from nixgen.wheelhouse.supply import Way
from nixgen.wheelhouse.wanted import Wanted

CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
NAME = "demo-1.0-py3-none-any.whl"
WANTED = Wanted(filename=NAME, sha256=SHA256, size=len(CONTENT), url="http://127.0.0.1:9/x")

#: Writes a file step by step, and waits to be told before each step.
Script = Callable[[Path, asyncio.Event], Awaitable[None]]


class Scripted:
    """A supply whose only file comes as a script says; counts how often it was asked."""

    def __init__(self, script: Script) -> None:
        self.script, self.go, self.asked = script, asyncio.Event(), 0

    async def put(self, wanted: Wanted, file: Path) -> Way:
        self.asked += 1
        await self.script(file, self.go)
        return "index"


class Client:
    """A client that sees what an application sends, as it sends it."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.came = asyncio.Event()

    async def ask(self, app: Any, path: str) -> None:
        scope = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
        await app({**scope, "raw_path": path.encode(), "asgi": {"version": "3.0"}}, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        await asyncio.sleep(3600)
        raise AssertionError

    async def _send(self, message: Any) -> None:
        self.messages.append(message)
        if message.get("body"):
            self.came.set()

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def complete(self) -> bool:
        last = self.messages[-1] if self.messages else {"more_body": True}
        return not last.get("more_body", "body" not in last)

    @property
    def status(self) -> int:
        return int(self.messages[0]["status"])


@asynccontextmanager
async def application(directory: Path, supply: Scripted, budget: int = 10**9) -> AsyncIterator[Any]:
    scratch = directory / "scratch"
    scratch.mkdir()
    files = Files(supply, directory / "kept", scratch, budget)  # type: ignore[arg-type]
    yield make_app(Catalogue([WANTED], None), files)
    files.close()
    assert not list(scratch.iterdir())


def run(tmp_path: Path, script: Script, clients: int = 1) -> tuple[list[Client], int]:
    """Let clients ask at once for a file that comes in two parts; the second when the first is with all clients."""

    async def main() -> tuple[list[Client], int]:
        supply = Scripted(script)
        async with application(tmp_path, supply) as app:
            asking = [Client() for _ in range(clients)]
            tasks = [asyncio.create_task(one.ask(app, f"/files/{SHA256}/{NAME}")) for one in asking]
            await asyncio.wait_for(asyncio.gather(*(one.came.wait() for one in asking)), 10)
            assert all(0 < len(one.body) <= len(CONTENT) - serving._HELD and not one.complete for one in asking)
            supply.go.set()
            await asyncio.gather(*tasks)
            return asking, supply.asked

    return asyncio.run(main())


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "PATIENCE", 0.05)
    monkeypatch.setattr(serving, "_PACE", 0.01)


def test_it_is_sent_as_it_comes(tmp_path: Path) -> None:
    """Several clients get the beginning before the end is there, and all of it in the end; it is got once."""

    async def script(file: Path, go: asyncio.Event) -> None:
        file.write_bytes(CONTENT[:-10])
        await go.wait()
        file.write_bytes(CONTENT)

    clients, asked = run(tmp_path, script, 3)
    assert all(client.body == CONTENT and client.complete and client.status == 200 for client in clients)
    assert asked == 1 and (tmp_path / "kept" / SHA256).read_bytes() == CONTENT


def test_what_is_no_good_is_never_completed(tmp_path: Path) -> None:
    """It turns out at the end that other bytes came: the client has no end, and nothing is kept."""

    async def script(file: Path, go: asyncio.Event) -> None:
        file.write_bytes(bytes(len(CONTENT)))
        await go.wait()
        raise VerificationError("another SHA-256")

    (client,), _ = run(tmp_path, script)
    assert not client.complete and len(client.body) <= len(CONTENT) - serving._HELD
    assert not list((tmp_path / "kept").iterdir())


def test_two_tries_that_differ(tmp_path: Path) -> None:
    """The right bytes come at last, after others were sent of a first try: what was sent has to be right as well."""

    async def script(file: Path, go: asyncio.Event) -> None:
        file.write_bytes(bytes(200_000))
        await go.wait()
        file.write_bytes(CONTENT)

    (client,), _ = run(tmp_path, script)
    assert not client.complete and len(client.body) < len(CONTENT)
    assert (tmp_path / "kept" / SHA256).read_bytes() == CONTENT


def test_whoever_goes_away_takes_nothing_with_him(tmp_path: Path) -> None:
    """A client that hangs up does not end what another one waits for."""

    async def script(file: Path, go: asyncio.Event) -> None:
        await go.wait()
        file.write_bytes(CONTENT)

    async def main() -> bytes:
        supply = Scripted(script)
        async with application(tmp_path, supply, budget=0) as app:
            one, other = Client(), Client()
            tasks = [asyncio.create_task(client.ask(app, f"/files/{SHA256}/{NAME}")) for client in (one, other)]
            while not supply.asked:
                await asyncio.sleep(0)
            tasks[0].cancel()
            await asyncio.wait({tasks[0]})
            supply.go.set()
            await tasks[1]
            assert supply.asked == 1 and other.complete
            return other.body

    assert asyncio.run(main()) == CONTENT
