"""What pages say, ours and those of an index beyond."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from nixgen.access import Access
from nixgen.errors import NetworkError
from nixgen.serving.projects import JSON, Offer, project_of, project_page, wants_json
from nixgen.serving.upstream import Upstream, _read
from nixgen.wheelhouse.wanted import Wanted
from nixgen.wheels.transport import Page
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel

SHA256 = "ab" * 32


@pytest.mark.parametrize(
    ("accept", "answer"),
    [
        ("", False),
        ("*/*", False),
        ("text/html", False),
        (JSON, True),
        (f"{JSON}, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01", True),
        (f"{JSON};q=0.2, text/html", False),
        ("application/vnd.pypi.simple.latest+json", True),
        (f"{JSON};q=0", False),
        (f"{JSON};q=x", False),
        (";;,,q=1;" * 50, False),
    ],
)
def test_which_page(accept: str, answer: bool) -> None:
    """pip's and uv's Accept get JSON, browsers and old installers HTML."""
    assert wants_json(accept) is answer


def test_html_is_escaped() -> None:
    """What an index says of a file does not become markup of ours."""
    details = {"filename": 'x"><script>-1.0.tar.gz', "hashes": {"sha256": SHA256}, "yanked": '"><b>', "size": 1}
    offer = Offer(details=details, wanted=Wanted(filename="x", sha256=SHA256))
    text = project_page("x", [offer], as_json=False).decode()
    assert "<script>" not in text and "<b>" not in text and "data-yanked=" in text


def page(files: object, kind: str = JSON) -> Page:
    """Return the page of an index."""
    text = json.dumps({"meta": {"api-version": "1.1"}, "name": "demo", "files": files})
    return Page(url="https://index.example/simple/demo/", kind=kind, content=text.encode())


def test_what_is_passed_on() -> None:
    """Hashes, what may be installed where, when it came, what was withdrawn: as the index has it. URLs are ours."""
    said = {
        "filename": "demo-1.0.tar.gz",
        "url": "../../packages/demo-1.0.tar.gz#sha256=no",
        "hashes": {"sha256": SHA256},
        "requires-python": ">=3.9",
        "size": 10,
        "upload-time": "2026-01-01T00:00:00Z",
        "yanked": "broken",
        "core-metadata": {"sha256": "cd" * 32},
    }
    (offer,) = _read("demo", page([said]))
    assert offer.wanted is not None
    assert offer.wanted.url == "https://index.example/packages/demo-1.0.tar.gz"
    assert offer.to_json() == {**said, "url": f"../../files/{SHA256}/demo-1.0.tar.gz"}
    (without,) = _read("demo", page([{**said, "hashes": {"md5": "0" * 32}}]))
    assert without.wanted is None and without.to_json()["url"].startswith("https://index.example/packages/")
    assert "core-metadata" not in without.to_json()


def test_strange_pages() -> None:
    """Files with names that are paths, other schemes, sizes that are none: left out, or the word alone is."""
    good = {"filename": "demo-1.0.tar.gz", "url": "x", "hashes": {"sha256": SHA256}}
    assert _read("demo", page([{**good, "filename": name} for name in ("../x", "a/b", "", "..", "a\0b")])) == ()
    assert _read("demo", page([{**good, "url": "file:///etc/passwd"}, {**good, "url": "javascript:x"}])) == ()
    (offer,) = _read("demo", page([{**good, "size": "many", "core-metadata": True}]))
    assert "size" not in offer.details and offer.metadata is None
    for files in (None, 3, [3], [{}], {"a": 1}):
        with pytest.raises(NetworkError, match="makes no sense"):
            _read("demo", page(files))
    for kind, content in (("image/png", b""), (JSON, b"\xff"), (JSON, b"[" * 100_000), (JSON, b"[]")):
        with pytest.raises(NetworkError):
            _read("demo", Page(url="https://index.example/", kind=kind, content=content))


def test_which_project() -> None:
    """The name of a file tells the project, or nothing does."""
    assert project_of("Demo_X-1.0-py3-none-any.whl") == "demo-x"
    assert project_of("demo-x-1.0.tar.gz") == "demo-x"
    for name in ("../etc/passwd", "demo.exe", "a?b=c-1.0.tar.gz", "a#b-1.0.tar.gz", "..-1.0.tar.gz", "a b-1.0.zip"):
        assert project_of(name) is None, name


def test_an_index_is_asked_once(tmp_path: Path) -> None:
    """Who asks at once shares an answer, which is kept for a while; one that is away is left alone for a while."""
    now = 0.0
    wheel = make_wheel("demo", "1.0")

    async def main(server: WheelServer) -> None:
        nonlocal now
        async with Upstream(server.index, Access(), clock=lambda: now) as upstream:
            answers = await asyncio.gather(*(upstream.offers("demo") for _ in range(20)))
            assert {tuple(offer.filename for offer in answer) for answer in answers} == {(wheel[0],)}
            await upstream.offers("demo")
            assert len(server.requests) == 1
            now += 100
            await upstream.offers("demo")
            assert len(server.requests) == 2 and await upstream.offers("nothing") == ()
        async with Upstream("http://127.0.0.1:9/simple", Access(), clock=lambda: now) as gone:
            for what in ("failed", "a moment ago"):
                with pytest.raises(NetworkError, match=what):
                    await gone.offers("demo")

    with WheelServer(dict([wheel]), Behaviour()) as server:
        asyncio.run(main(server))
