"""Where the index of a locked wheel is found, and that it is that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.errors import NetworkError, VerificationError
from nixgen.indexes import (
    VENDORED,
    find_index,
    index_leaf,
    indexes_of_lock,
    keep_indexes,
    make_indexes,
    read_before,
    vendored_name,
)
from nixgen.leaf import leaf_path
from nixgen.model import LockedWheel, WheelIndex, WheelSource
from nixgen.ties import Tie, keep_words
from nixgen.wheels.index import index_all
from nixgen.wheels.text import index_bytes, index_hash
from tests.support.indexes import locked_wheel
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel, nix_sha256

WHEEL = make_wheel("demo", "1.0", {"demo.py": "x = 1\n"})


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache directory and a store of one's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("NIX_STORE_DIR", str(tmp_path / "store"))
    (tmp_path / "store").mkdir()
    return tmp_path / "cache/nixgen/indexes"


@pytest.fixture
def served(serve: Callable[..., WheelServer]) -> tuple[WheelServer, WheelIndex, LockedWheel]:
    """A wheel on a server, its index, and what a lock says of it."""
    server = serve(WHEEL)
    source = WheelSource(filename=WHEEL[0], url=server.url(WHEEL[0]))
    (index,), _ = index_all([source], base=Path())
    server.requests.clear()
    return server, index, locked_wheel(index)


Served = tuple[WheelServer, WheelIndex, LockedWheel]


def test_an_index_is_found_where_it_may_lie(served: Served, tmp_path: Path, cache: Path) -> None:
    """In the project, in the cache, in the store: each is enough, and no server is asked."""
    server, index, wheel = served
    content = index_bytes(index)
    for place in (
        tmp_path / VENDORED / vendored_name(WHEEL[0]),
        cache / wheel.index,
        Path(index_leaf(wheel.index, str(tmp_path / "store"))),
    ):
        assert find_index(wheel, tmp_path) is None
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)
        found = indexes_of_lock([wheel], base=tmp_path)
        assert index_bytes(found[WHEEL[0]]) == content and found[WHEEL[0]].source == wheel.source
        place.unlink()
    assert server.requests == []


def test_what_lies_there_is_compared_with_the_lock(served: Served, tmp_path: Path, cache: Path) -> None:
    """An index that is damaged, or of another wheel, is as good as none."""
    server, index, wheel = served
    for place in (tmp_path / VENDORED / vendored_name(WHEEL[0]), cache / wheel.index):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(index_bytes(index)[:-1])
    assert find_index(wheel, tmp_path) is None
    assert index_bytes(indexes_of_lock([wheel], base=tmp_path)[WHEEL[0]]) == index_bytes(index)
    assert server.wheel_requests


def test_an_index_that_is_lost_is_made_again_and_kept(served: Served, tmp_path: Path, cache: Path) -> None:
    """Nowhere to be found: it is read from the wheel once, and from the cache the next time."""
    server, index, wheel = served
    for _ in range(2):
        assert index_bytes(indexes_of_lock([wheel], base=tmp_path)[WHEEL[0]]) == index_bytes(index)
    assert len(server.wheel_requests) == 1
    assert [path.name for path in cache.iterdir()] == [wheel.index]


def test_a_wheel_with_another_index_is_named(served: Served, tmp_path: Path) -> None:
    """A lock whose index is not that of its wheel is refused, by the name of the wheel and with what to run."""
    _, index, _ = served
    wrong = LockedWheel(source=index.source, name="demo", index="0" * 64)
    with pytest.raises(VerificationError, match=WHEEL[0]) as caught:
        indexes_of_lock([wrong], base=tmp_path)
    assert "nixgen lock --verify" in str(caught.value)


def test_a_lost_index_and_no_server(served: Served, tmp_path: Path) -> None:
    """Lost everywhere and nobody to ask: an error of the network, which names the wheel."""
    server, _, wheel = served
    server.wheels = {}
    with pytest.raises(NetworkError, match="demo-1"):
        indexes_of_lock([wheel], base=tmp_path)


def test_a_cache_that_cannot_be_written_is_no_harm(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a cache directory indexes are made each time."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    server, index, wheel = served
    keep_indexes([index])
    assert index_hash(indexes_of_lock([wheel], base=tmp_path)[WHEEL[0]]) == wheel.index
    assert server.wheel_requests


def test_the_leaf_of_an_index_is_named_like_others() -> None:
    """An index is a leaf of a JSON file."""
    assert index_leaf(bytes(range(32)).hex()).endswith("-file.json")
    assert index_leaf("0" * 64) == leaf_path("index.json", bytes(32)) != leaf_path("index.json", nix_sha256(""))


def test_a_wheel_is_read_from_a_url_once(served: Served, tmp_path: Path) -> None:
    """What a server said is remembered for another project: for this URL, hash and size, and of a sound wheel alone."""
    server, index, _ = served
    source = index.source
    assert read_before(source) is None
    made, _ = make_indexes([source], base=tmp_path)
    server.requests.clear()
    found = read_before(replace(source, size=None))
    assert found == replace(made[0], source=source) and server.requests == []
    for other in (
        replace(source, url=f"{source.url}?"),
        replace(source, sha256="0" * 64),
        replace(source, size=1),
        replace(source, url=None, path="x.whl"),
    ):
        assert read_before(other) is None
    keep_words({(str(source.url), str(source.sha256)): Tie(index="0" * 64, size=int(source.size or 0))})
    assert read_before(source) is None  # there is no such index
    make_indexes([source], base=tmp_path, verify=True)
    assert read_before(source) == found
