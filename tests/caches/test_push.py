"""What a push writes, and what it does not."""

from __future__ import annotations

import hashlib
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.caches import Machine
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel
from tests.verification.conftest import alter

pytestmark = pytest.mark.nix


def test_what_is_pushed(made: Machine) -> None:
    """Wheels, their indexes, trees and the environment; no leaf. Only what no lock can check is signed."""
    assert made.stored() == {
        "demo-1.0-py3-none-any.whl",
        "other-2.0-py3-none-any.whl",
        "file.json",
        "demo-1.0",
        "other-2.0",
        next(name for name in made.stored() if name.endswith("-env")),
    }
    for path in made.cache.glob("*.narinfo"):
        text = path.read_text()
        assert ("\nSig: tests-1:" in text) != ("\nCA: fixed:sha256:" in text)
        size = int(re.findall(r"FileSize: (\d+)", text)[0])
        assert (made.cache / re.findall(r"URL: (.+)", text)[0]).stat().st_size == size
    assert not [path for path in made.cache.rglob("*") if "tmp" in path.name]


def test_only_what_is_new(machine: Machine, index: WheelServer, tmp_path: Path) -> None:
    """A second push writes nothing, and asks no index; after a change of the lock it writes what that brought."""
    cache = tmp_path / "cache"
    shutil.copytree(machine.cache, cache)
    machine.build("--from", cache)
    index.requests.clear()
    done = machine.cli("push", cache)
    assert "pushed 0 paths, 0 B; 7 of 7 were there" in done.stderr
    assert not index.requests
    (machine.cli.directory / "requirements.in").write_text("demo\n")
    before = (machine.cli.directory / "nixgen.lock").read_bytes()
    try:
        machine.cli("lock", "--default-index", index.index)
        done = machine.cli("push", cache, "--sign-key", machine.secret)
        assert re.search(r"pushed 1 path, [\d.]+ kB; 3 of 4 were there", done.stderr)
    finally:
        (machine.cli.directory / "requirements.in").write_text("demo\nother\n")
        (machine.cli.directory / "nixgen.lock").write_bytes(before)


def test_nothing_that_does_not_verify(machine: Machine, tmp_path: Path) -> None:
    """A tree that was altered is not pushed, nor what needs it; the rest is, and the error names it."""
    environment = Path(machine.build("--from", machine.cache).stdout.strip())
    tree = (next(environment.glob("lib/python3*/site-packages/other"))).resolve().parents[3]
    alter(next(tree.glob("lib/python3*/site-packages/other/__pycache__/module_3.*.pyc")))
    done = machine.cli("push", tmp_path / "cache", code=5)
    assert str(tree) in done.stderr and "nixgen verify --repair" in done.stderr
    pushed = machine.stored(tmp_path / "cache")
    assert "demo-1.0" in pushed and "other-2.0-py3-none-any.whl" in pushed
    assert not [name for name in pushed if name == "other-2.0" or name.endswith("-env")]


def test_where_nothing_can_be_pushed(machine: Machine, tmp_path: Path) -> None:
    """A server over HTTP, a cache of another store, a place that takes nothing, a key that is none."""
    machine.build("--from", machine.cache)
    assert "over HTTP" in machine.cli("push", "http://127.0.0.1:9", code=3).stderr
    other = tmp_path / "other"
    other.mkdir()
    (other / "nix-cache-info").write_text("StoreDir: /elsewhere\n")
    said = machine.cli("push", other, code=3).stderr
    assert "the cache is for /elsewhere" in said and len([*other.iterdir()]) == 1
    (tmp_path / "key").write_text("no key\n")
    assert "no secret key" in machine.cli("push", tmp_path / "c", "--sign-key", tmp_path / "key", code=3).stderr
    (tmp_path / "file").write_text("")
    assert "move away what is there" in machine.cli("push", tmp_path / "file" / "cache", code=7).stderr
    assert "ftp://x" in machine.cli("push", "ftp://x", code=3).stderr


def test_a_lock_elsewhere(machine: Machine, tmp_path: Path, serve: Callable[..., WheelServer]) -> None:
    """Several locks are pushed at once, each named by its file or its directory."""
    wheel = make_wheel("third", "1.0", {"third.py": "x = 3\n"})
    project = tmp_path / "third"
    project.mkdir()
    (project / "requirements.in").write_text("third\n")
    machine.cli("lock", "-C", project, "--default-index", serve(wheel).index)
    done = machine.cli("push", tmp_path / "cache", ".", project / "nixgen.lock")
    assert len(done.stdout.splitlines()) == 2
    assert {"third-1.0", "demo-1.0"} <= machine.stored(tmp_path / "cache")
    assert "nothing signs" in done.stderr


def test_two_at_once_and_one_that_was_killed(machine: Machine, tmp_path: Path) -> None:
    """Whatever is announced is there, whole; what a killed push has left is removed, and the rest is written."""
    machine.build("--from", machine.cache)
    cache = tmp_path / "cache"
    killed = machine.cli.start("push", cache, "--from", machine.cache)
    while not (cache / "nar").is_dir() and killed.poll() is None:
        time.sleep(0.01)
    killed.kill()
    killed.wait()
    _is_whole(cache)
    pushes = [machine.cli.start("push", cache, "--from", machine.cache) for _ in range(2)]
    assert [push.wait(120) for push in pushes] == [0, 0]
    _is_whole(cache)
    assert machine.stored(cache) == machine.stored()
    assert not list(cache.rglob(".nixgen-tmp-*"))


def _is_whole(cache: Path) -> None:
    """See that each file that a cache announces is there, with its hash."""
    for path in cache.glob("*.narinfo"):
        file = cache / re.findall(r"URL: (.+)", path.read_text())[0]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == file.name.partition(".")[0]
