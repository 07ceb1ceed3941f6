"""``nixgen serve``: pages and files as clients see them."""

from __future__ import annotations

import asyncio
import hashlib
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

from nixgen.errors import InputError
from nixgen.serving import server
from tests.support.cli import Cli
from tests.support.fetched import WHEELS, away
from tests.support.server import Behaviour, WheelServer
from tests.support.serving import JSON, Served
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

DEMO, CONTENT = WHEELS[0]
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def kept(project: Cli) -> Path:
    """Where whole wheels are kept."""
    return Path(project.environment["XDG_CACHE_HOME"]) / "nixgen" / "wheels"


def whole(kept: Path) -> set[str]:
    """Return the SHA-256 of what is kept, and see that nothing else lies there."""
    found = {path.name for path in kept.iterdir()}
    assert all(re.fullmatch("[0-9a-f]{64}", name) for name in found)
    return found


def test_pages_and_files(project: Cli, index: WheelServer) -> None:
    """A page as JSON and as HTML, a file, ranges of it, its METADATA; what is not there; nothing can be put."""
    project("wheelhouse", project.directory / "wheels")  # knows the skeletons from now on
    away(index)
    index.requests.clear()
    with Served(project) as served:
        page = served.get("simple/demo/", accept=JSON)
        assert page.headers["content-type"] == JSON and page.headers["vary"] == "Accept"
        (file,) = page.json()["files"]
        assert file["hashes"] == {"sha256": SHA256} and file["size"] == len(CONTENT)
        assert file["requires-python"] == ">=3.8" and page.json()["versions"] == ["1.0"]
        text = served.get("simple/demo/", accept="text/html").text
        assert f'#sha256={SHA256}"' in text and 'data-requires-python="&gt;=3.8"' in text
        assert [entry["name"] for entry in served.get("simple/", accept=JSON).json()["projects"]] == ["demo", "other"]
        moved = served.get("simple/Demo/")
        assert moved.status_code == 301 and moved.headers["location"] == "../demo/"
        path = file["url"].removeprefix("../../")
        head = httpx.head(served.base + path)
        assert head.headers["content-length"] == str(len(CONTENT)) and head.headers["accept-ranges"] == "bytes"
        answer = served.get(path)
        assert answer.content == CONTENT and answer.headers["etag"] == f'"{SHA256}"'
        part = served.get(path, range="bytes=-100")
        assert part.status_code == 206 and part.content == CONTENT[-100:]
        assert served.get(path, range="bytes=10-19").content == CONTENT[10:20]
        metadata = served.get(f"{path}.metadata")
        assert hashlib.sha256(metadata.content).hexdigest() == file["core-metadata"]["sha256"]
        assert b"Requires-Dist: other" in metadata.content
        other = path.replace(SHA256, "0" * 64)
        for nowhere in (
            "simple/nothing/",
            "simple/%20/",
            other,
            f"{other}.metadata",
            f"files/{SHA256}/x",
            "files/x",
        ):
            assert served.get(nowhere).status_code == 404, nowhere
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert httpx.request(method, served.base + path, content=b"x").status_code == 405
    assert served.code == 0 and not index.requests


def test_many_at_once(project: Cli, index: WheelServer, kept: Path) -> None:
    """200 requests for what is not there yet: each wheel is fetched once, and each client gets the right bytes."""

    async def all_of_them(served: Served) -> list[bytes]:
        paths = {name: str(served.files(name.split("-")[0])[name]["path"]) for name, _ in WHEELS}
        limits = httpx.Limits(max_connections=200)
        async with httpx.AsyncClient(base_url=served.base, limits=limits, timeout=120) as client:
            answers = await asyncio.gather(*(client.get(paths[WHEELS[n % 2][0]]) for n in range(200)))
        return [answer.content for answer in answers]

    with Served(project) as served:
        assert asyncio.run(all_of_them(served)) == [WHEELS[n % 2][1] for n in range(200)]
        status = Path(f"/proc/{served.process.pid}/status")
        if status.exists():
            most = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
            assert most is not None and int(most[1]) < 200_000
    assert len(index.wheel_requests) == 2
    assert whole(kept) == {hashlib.sha256(content).hexdigest() for _, content in WHEELS}


def test_it_learns(project: Cli, index: WheelServer, kept: Path) -> None:
    """Of a wheel that had to be fetched the skeleton is made meanwhile; from then on it comes out of the store."""
    skeleton = kept.parent / "skeletons" / SHA256
    with Served(project, ("--budget", "0")) as served:
        deadline = time.monotonic() + 30
        while not skeleton.exists():
            assert served.file(DEMO).content == CONTENT and time.monotonic() < deadline
        away(index)
        assert served.file(DEMO).content == CONTENT


def test_a_restart(project: Cli, index: WheelServer, kept: Path) -> None:
    """A URL of before the restart holds; what is kept is compared again, and put together where it is damaged."""
    project("wheelhouse", project.directory / "wheels")  # knows the skeletons from now on
    with Served(project) as served:
        path = str(served.files("demo")[DEMO]["path"])
        port = int(served.base.rstrip("/").rpartition(":")[2])
        assert served.get(path).content == CONTENT
    assert served.code == 0
    away(index)
    (kept / SHA256).write_bytes(CONTENT[:-1] + b"?")
    (kept / f".nixgen-tmp-abcd{port % 10}efg").mkdir()  # of one that was killed
    with Served(project, port=port) as served:
        assert served.get(path).content == CONTENT
        shutil.rmtree(kept)  # as `nixgen clean` does
        assert served.get(path).content == CONTENT
    assert "is not what it was" in served.said
    assert whole(kept) == {SHA256}


def test_a_budget(project: Cli, index: WheelServer, kept: Path) -> None:
    """No more is kept than that, whatever is asked for."""
    with Served(project, ("--budget", f"{len(CONTENT) + 10}B")) as served:
        for name, content in [*WHEELS, *WHEELS]:
            assert served.file(name).content == content
    assert sum(path.stat().st_size for path in kept.iterdir()) <= len(CONTENT) + 10
    with Served(project, ("--budget", "0")) as served:
        assert served.file(DEMO).content == CONTENT
    assert whole(kept) == set()
    assert "is no size" in project("serve", "--budget", "lots", code=2).stderr


def test_an_index_beyond(project: Cli, index: WheelServer) -> None:
    """What the locks lack is fetched from there, with the hashes that it has; what it says of files is passed on."""
    third = make_wheel("third", "3.0", {"third.py": "x = 3\n"})
    with WheelServer(dict([*WHEELS, third])) as beyond, Served(project, ("--upstream", beyond.index)) as served:
        assert list(served.files("third")) == [third[0]]
        assert served.file(third[0]).content == served.file(third[0]).content == third[1]
        assert len(beyond.wheel_requests) == 1
        # Of what the locks have, the bytes are still the store's, or the lock's own index'.
        assert served.file(DEMO).content == CONTENT and len(beyond.wheel_requests) == 1
        assert served.get("simple/fourth/").status_code == 404


def test_an_index_beyond_that_fails(project: Cli, index: WheelServer) -> None:
    """The locks' own are served; of what only it has, the client learns whose fault it is."""
    with Served(project, ("--upstream", "http://127.0.0.1:9/simple/")) as served:
        assert served.file(DEMO).content == CONTENT
        assert served.get("simple/third/").status_code == 502
    third = make_wheel("third", "3.0", {"third.py": "x = 3\n"})
    with WheelServer(dict([third])) as beyond, Served(project, ("--upstream", beyond.index)) as served:
        path = str(served.files("third")[third[0]]["path"])
        beyond.behaviour = Behaviour(failures=1_000_000, failure="404")
        answer = served.get(path)
        assert answer.status_code == 502 and "HTTP 404" in answer.text
        beyond.behaviour = Behaviour()
        assert served.get(path).content == third[1]


def test_an_index_beyond_that_lies(project: Cli, index: WheelServer) -> None:
    """Other bytes than its page says never get through; another project of a lock's name is not shown."""
    third = make_wheel("third", "3.0", {"third.py": "x = 3\n"})
    fake = make_wheel("demo", "99.0", {"demo.py": "bad = True\n"})
    with WheelServer(dict([third, fake])) as beyond, Served(project, ("--upstream", beyond.index)) as served:
        assert list(served.files("demo")) == [DEMO]
        path = str(served.files("third")[third[0]]["path"])
        beyond.wheels = {third[0]: third[1][:-1] + b"?"}
        answer = served.get(path)
        assert answer.status_code == 502 and "SHA-256" in answer.text
        beyond.wheels = dict([third])
        assert served.get(path).content == third[1]


def test_a_socket(project: Cli, index: WheelServer, tmp_path: Path) -> None:
    """It listens at a path; a second one is told so, and one that was killed is no obstacle."""
    path = tmp_path / "s"
    with Served(project, ("--socket", path)) as served:
        assert served.index == str(path)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://here/") as client:
            assert client.get("simple/").status_code == 200
        assert "another server has this socket" in project("serve", "--socket", path, code=3).stderr
        served.process.kill()
        served.process.communicate()
        served.code = -9
    assert path.is_socket()
    with Served(project, ("--socket", path)):
        pass
    assert not path.exists()


def test_where_it_cannot_listen(project: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken, one that is none, and what is not installed: each is said, with what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        said = project("serve", "--port", str(taken.getsockname()[1]), code=7).stderr
    assert "cannot listen: Address already in use" in said and "--port" in said
    assert "is no port" in project("serve", "--port", "99999", code=2).stderr
    assert "http://" in project("serve", "--upstream", "ftp://x", code=2).stderr
    monkeypatch.setitem(sys.modules, "starlette", None)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not installed: starlette") as caught:
        server.serve([], server.Address(), upstream=None, budget=0, access=lambda: None, ready=print)  # type: ignore[arg-type,return-value]
    assert "pip install 'nixgen[serve]'" in str(caught.value)


def test_ending_while_something_is_sent(project: Cli, index: WheelServer) -> None:
    """What is being answered when SIGTERM comes is answered whole."""
    index.behaviour = Behaviour(delay=0.05, chunk=200)
    with Served(project) as served:
        path = str(served.files("demo")[DEMO]["path"])
        with subprocess.Popen(["curl", "-sS", served.base + path], stdout=subprocess.PIPE) as client:
            while not index.wheel_requests:
                assert client.poll() is None
            served.end()
            assert client.communicate()[0] == CONTENT
    assert served.code == 0
