"""A pinned hash binds: whatever servers say, no file of another wheel gets into an environment."""

from __future__ import annotations

import hashlib
import random
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.locks import change_package, locked_wheels
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]


def wheels(name: str, version: str = "1.0") -> tuple[tuple[str, bytes], tuple[str, bytes]]:
    """Make two wheels of one file name and one size, good and evil; their large part is the same in all versions."""
    filler = {f"{name}/{number}.bin": random.Random(number).randbytes(40_000) for number in range(8)}

    def make(who: str, number: int) -> tuple[str, bytes]:
        return make_wheel(name, version, {f"{name}/__init__.py": f"who = '{who}{version}'  # {number}\n", **filler})

    good = make("good", 10)
    # One that compresses to the same size.
    evil = next(wheel for number in range(10, 99) if len((wheel := make("evil", number))[1]) == len(good[1]))
    return good, evil


def pin(project: Path, server: WheelServer, wheel: tuple[str, bytes], *, size: bool = True) -> None:
    """Write a pylock.toml that names the good wheel's hash."""
    name, version = wheel[0].split("-")[:2]
    project.joinpath("pylock.toml").write_text(
        f'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "{name}"\nversion = "{version}"\n'
        f'[[packages.wheels]]\nname = "{wheel[0]}"\nurl = "{server.url(wheel[0])}"\n'
        + (f"size = {len(wheel[1])}\n" if size else "")
        + f'hashes = {{ sha256 = "{hashlib.sha256(wheel[1]).hexdigest()}" }}\n'
    )


def who(cli: Cli, name: str) -> str:
    """Return what the environment's package says it is."""
    code = f"import {name}; print({name}.who)"
    return subprocess.run(
        [cli.directory / "result/bin/python", "-c", code], capture_output=True, text=True, check=True
    ).stdout.strip()


def lying(serve: Serve, good: tuple[str, bytes], evil: tuple[str, bytes]) -> WheelServer:
    """Serve a good wheel as a whole, and another in ranges."""
    server = serve(good, lie="another")
    server.others = {good[0]: evil[1]}
    return server


def refused(cli: Cli, wheel: str) -> None:
    """See that a build is refused by the name of the wheel, and that what was there stays."""
    said = cli("build", code=5).stderr
    assert wheel in said and "nixgen lock --verify" in said
    assert not (cli.directory / "result").exists()


def test_a_file_of_another_wheel_is_refused(empty_store: Cli, serve: Serve) -> None:
    """A server that answers ranges from another wheel of the same size: the build names the wheel and makes nothing."""
    good, evil = wheels("pinned")
    pin(empty_store.directory, lying(serve, good, evil), good)
    empty_store("lock")
    refused(empty_store, good[0])


def test_leaves_that_are_there_do_not_help(empty_store: Cli, serve: Serve) -> None:
    """The other wheel's files are in the store, of an honest project: still no environment of the pinned wheel."""
    good, evil = wheels("pinned")
    elsewhere = replace(empty_store, directory=empty_store.directory.parent / "elsewhere")
    elsewhere.directory.mkdir()
    pin(elsewhere.directory, serve(evil), evil)
    elsewhere("lock")
    elsewhere("build")
    assert who(elsewhere, "pinned") == "evil1.0"
    pin(empty_store.directory, lying(serve, good, evil), good)
    empty_store("lock")
    refused(empty_store, good[0])


def test_an_upgrade_of_a_few_files_is_compared_too(empty_store: Cli, serve: Serve) -> None:
    """Where most files of the next release are there, the rest comes from the wheel with the pinned hash."""
    first, _ = wheels("pinned", "1.0")
    pin(empty_store.directory, serve(first), first)
    empty_store("lock")
    empty_store("build")
    good, evil = wheels("pinned", "1.1")
    pin(empty_store.directory, lying(serve, good, evil), good)
    empty_store("lock")
    assert good[0] in empty_store("build", code=5).stderr
    assert who(empty_store, "pinned") == "good1.0"


def test_verified_when_locking(empty_store: Cli, serve: Serve) -> None:
    """With --verify the lie does not get into the lock, and the lock says that it was looked at."""
    good, evil = wheels("pinned")
    pin(empty_store.directory, lying(serve, good, evil), good)
    empty_store("lock", "--verify")
    assert locked_wheels(empty_store.directory / "nixgen.lock")[good[0]]["verified"] is True
    empty_store("build")
    assert who(empty_store, "pinned") == "good1.0"


def test_what_was_compared_is_remembered(empty_store: Cli, serve: Serve) -> None:
    """Once compared, nothing is asked for again; without that memory once more; a verified lock needs neither."""
    good, _ = wheels("pinned")
    server = serve(good)
    pin(empty_store.directory, server, good)
    empty_store("lock")
    empty_store("build")
    (empty_store.directory / "result").unlink()
    server.requests.clear()

    def forget(name: str) -> None:
        shutil.rmtree(Path(empty_store.environment["XDG_CACHE_HOME"]) / "nixgen" / name)

    forget("builds")
    empty_store("build")
    assert server.requests == []
    forget("builds")
    forget("tied")
    assert "compared 1 wheel with the lock" in empty_store("build").stderr
    assert len(server.wheel_requests) == 1
    empty_store("lock", "--verify")
    assert "nothing changed" in empty_store("lock").stderr
    server.requests.clear()
    forget("tied")
    empty_store("build")
    assert server.requests == []


def test_an_edited_index_is_the_locks_fault(empty_store: Cli, serve: Serve) -> None:
    """A lock whose index was edited is refused where the store has all of it, too."""
    good, evil = wheels("pinned")
    for wheel in (evil, good):
        pin(empty_store.directory, serve(wheel), wheel)
        empty_store("lock")
        index = locked_wheels(empty_store.directory / "nixgen.lock")[wheel[0]]["index"]
        if wheel is evil:
            other = index
    change_package(empty_store.directory / "nixgen.lock", good[0], index=other)
    assert good[0] in empty_store("build", code=5).stderr


def test_a_size_that_is_wrong_does_no_harm_and_does_not_stay(empty_store: Cli, serve: Serve) -> None:
    """A lock with a server's wrong word of a size: the wheel with the right hash is taken; the next lock is right."""
    good, _ = wheels("pinned")
    pin(empty_store.directory, serve(good), good, size=False)
    for wrong in (-1, 1, 1000):
        empty_store("lock")
        change_package(empty_store.directory / "nixgen.lock", good[0], size=len(good[1]) + wrong)
        empty_store("build")
        assert who(empty_store, "pinned") == "good1.0"
        empty_store("lock")
        assert locked_wheels(empty_store.directory / "nixgen.lock")[good[0]]["size"] == len(good[1])
