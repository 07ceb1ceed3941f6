"""``nixgen.ingest.turns``: several processes at one store share the work."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.ingest.turns import Turns
from nixgen.store import Store
from tests.ingest.conftest import leaves, served
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

Serve = Callable[..., WheelServer]

_HOLD = """
import sys
from nixgen.ingest.turns import Turns
with Turns() as turns, turns.turn(sys.argv[1]) as mine:
    print(mine, flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A cache directory of the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def hold(filename: str) -> subprocess.Popen[str]:
    """Start a process that has its turn at a wheel until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLD, filename], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdout.readline() == "True\n"
    return process


def test_one_at_a_time() -> None:
    """While another process has its turn this one has not, but at another wheel; afterwards it has."""
    other = hold("one.whl")
    with Turns() as turns:
        with turns.turn("one.whl") as mine, turns.turn("two.whl") as also:
            assert (mine, also) == (False, True)
        other.communicate("")
        with turns.turn("one.whl") as mine:
            assert mine


def test_a_killed_process_holds_nothing() -> None:
    """A turn ends with its process."""
    other = hold("one.whl")
    other.kill()
    other.communicate()
    with Turns() as turns, turns.turn("one.whl") as mine:
        assert mine


def test_without_a_cache_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file can be made, everybody works."""
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null")
    with Turns() as turns, turns.turn("one.whl") as mine:
        assert mine


_INGEST = """
import sys
from pathlib import Path
from nixgen.ingest import ingest
from nixgen.model import WheelSource
from nixgen.store import Store
from nixgen.wheels.index import index_all
sources = [WheelSource(filename=url.rpartition("/")[2], url=url) for url in sys.argv[1:]]
indexes, _ = index_all(sources, base=Path())
print(flush=True)
sys.stdin.readline()
print(ingest(indexes, Store(), base=Path()).downloaded)
"""


@pytest.mark.nix
def test_each_wheel_is_fetched_once(serve: Serve, store: Store, unique: str) -> None:
    """Four processes that start at once on the same missing wheels download each wheel once in all, and all succeed."""
    wheels = [make_wheel(f"w{n}", "1.0", {f"w{n}.bin": unique.encode() * 500, f"w{n}.py": unique}) for n in range(6)]
    server = serve(*wheels, delay=0.02, chunk=2000)
    command = [sys.executable, "-c", _INGEST, *map(server.url, server.wheels)]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    for process in started:
        assert process.stdout is not None and process.stdout.readline() == "\n"
    server.requests.clear()
    for process in started:
        process.stdin.write("\n")  # type: ignore[union-attr]
        process.stdin.flush()  # type: ignore[union-attr]
    assert sum(int(process.communicate()[0]) for process in started) == sum(len(content) for _, content in wheels)
    assert Counter(request.path for request in server.requests) == Counter({f"/wheels/{name}": 1 for name, _ in wheels})
    assert [process.returncode for process in started] == [0] * 4
    assert store.invalid(leaves(store, served(server))) == set()
