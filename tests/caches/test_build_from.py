"""``nixgen build --from``: what a cache has is taken, what it lacks is fetched and built, and nothing is believed."""

from __future__ import annotations

import re
import time

import pytest

from tests.support.caches import CacheServer, Machine
from tests.support.server import WheelServer

pytestmark = pytest.mark.nix


def test_an_index_that_is_away(machine: Machine, away: None, index: WheelServer) -> None:
    """Wheels and trees come from the cache; leaves are made here, and nothing asks for one."""
    with CacheServer(machine.cache) as cache:
        environment = machine.build("--from", cache.url).stdout.strip()
        assert not cache.absent
        taken = {path for _, path, _ in cache.requests}
        trees = [
            path for path in machine.cache.glob("*.narinfo") if re.search("/.{32}-(demo|other)-", path.read_text())
        ]
        assert all("/" + re.findall("URL: (.+)", path.read_text())[0] in taken for path in trees)
    assert not index.wheel_requests
    assert machine.run("nix-build", "--no-out-link", "nix", "--argstr", "ingest", "store").stdout.strip() == environment
    machine.cli("verify")


def test_what_signatures_are_for(machine: Machine, away: None) -> None:
    """Without the key, trees are built here: nothing that the lock cannot check is believed."""
    said = machine.build("--from", machine.cache, "--debug", key=False)
    assert "not signed by any of the keys" in said.stderr or "lacks a signature" in said.stderr
    assert re.search("building '[^']*-other-2.0.drv'", said.stderr)
    machine.forget()
    assert not re.search("building '[^']*-other-2.0.drv'", machine.build("--from", machine.cache, "--debug").stderr)


@pytest.mark.parametrize("change", ["another", "cut", "gone", "narinfo"])
def test_a_cache_that_lies(machine: Machine, index: WheelServer, change: str) -> None:
    """Other bytes, half of them, none, or nonsense: a warning, then the index and a build of our own."""

    def lie(name: str, content: bytes) -> bytes | int:
        if name.endswith(".narinfo"):
            return b"nonsense\n" if change == "narinfo" else content
        if not name.startswith("/nar/"):
            return content
        if change == "another":
            return content[:200] + bytes(byte ^ 1 for byte in content[200:210]) + content[210:]
        return content[: len(content) // 2] if change == "cut" else 404

    with CacheServer(machine.cache, lie) as cache:
        done = machine.build("--from", cache.url)
    assert done.stderr.count(f"the cache {cache.url}") == 1 or done.stderr.count("is left aside") == 2
    assert index.wheel_requests
    machine.cli("verify")


def test_a_cache_that_is_away(machine: Machine, index: WheelServer) -> None:
    """Nothing answers: said once, and the index serves."""
    done = machine.build("--from", "http://127.0.0.1:9", "--debug")
    assert "is left aside" in done.stderr and index.wheel_requests
    assert "unable to download 'http://127.0.0.1:9" not in done.stderr


def test_a_cache_that_sleeps(machine: Machine, index: WheelServer) -> None:
    """Neither nixgen nor Nix waits for one that takes requests and answers none."""
    begun = time.monotonic()
    with CacheServer(machine.cache, delay=120) as cache:
        done = machine.cli("build", "--no-out-link", "--from", cache.url, environment={"UV_HTTP_TIMEOUT": "1"})
    assert "is left aside" in done.stderr and index.wheel_requests
    assert time.monotonic() - begun < 60


def test_the_project_names_a_cache(machine: Machine, away: None) -> None:
    """``[tool.nixgen] cache`` is what ``--from`` says; keys are no matter of a project's file."""
    settings = machine.cli.directory / "pyproject.toml"
    settings.write_text('[tool.nixgen]\ncache = "../cache"\n')
    try:
        machine.build()
        machine.forget()
        settings.write_text("[tool.nixgen]\ncache = 1\n")
        assert "[tool.nixgen] cache is neither" in machine.build(code=3).stderr
    finally:
        settings.unlink()


def test_a_cache_with_a_login(machine: Machine, away: None) -> None:
    """A login in its URL opens it to nixgen and to Nix, and is shown by nobody; without one, it is left aside."""
    with CacheServer(machine.cache, user="me:secret-of-mine") as cache:
        url = cache.url.replace("://", "://me:secret-of-mine@")
        done = machine.build("--from", url, "--debug")
        assert not re.search("building '[^']*-(demo|other)-", done.stderr)
        assert "secret-of-mine" not in done.stderr
        machine.forget()
        assert "HTTP 401" in machine.build("--from", cache.url, code=4).stderr
