"""``nixgen.ingest.ranges``: an upgrade downloads what changed, and what it downloads is what the lock says."""

from __future__ import annotations

import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.errors import VerificationError
from nixgen.ingest import ingest
from nixgen.model import WheelIndex
from nixgen.store import Store
from tests.ingest.conftest import leaves, nothing_left, served
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]


def noise(seed: str, size: int) -> bytes:
    """Return bytes that nothing compresses."""
    return random.Random(seed).randbytes(size)


def wheel(unique: str, version: str, **changed: int) -> tuple[str, bytes]:
    """Make a wheel of 4 MB, of which each version has some files of its own: name to size in bytes."""
    files = {f"demo/part{number}.bin": noise(f"{unique} {number}", 400_000) for number in range(10)}
    files |= {f"demo/{name}.bin": noise(f"{unique} {version} {name}", size) for name, size in changed.items()}
    return make_wheel("demo", version, {name: files[name] for name in sorted(files)}, compression=zipfile.ZIP_STORED)


def upgrade(
    serve: Serve, store: Store, tmp_path: Path, new: tuple[str, bytes], old: tuple[str, bytes], **behaviour: object
) -> tuple[WheelServer, list[WheelIndex], int]:
    """Bring the old wheel into the store, then the new one from a server that behaves somehow; return its bytes."""
    server = serve(old, new)
    before, after = served(server, old[0]), served(server, new[0])
    ingest(before, store, base=tmp_path)
    server.requests.clear()
    server.behaviour = Behaviour(**behaviour)  # type: ignore[arg-type]
    report = ingest(after, store, base=tmp_path)
    assert store.invalid(leaves(store, after)) == set()
    assert nothing_left(tmp_path)
    return server, after, report.downloaded


def test_an_upgrade_downloads_what_changed(serve: Serve, store: Store, unique: str, tmp_path: Path) -> None:
    """Two changed files in the middle and at the end, with the archive's directory, are all that is read."""
    new = wheel(unique, "1.1", part3=50_000, zz=70_000)
    server, _, downloaded = upgrade(serve, store, tmp_path, new, wheel(unique, "1.0", part3=50_000, zz=70_000))
    assert 120_000 < downloaded < 0.15 * len(new[1])
    assert all("range" in request.headers for request in server.requests)


def test_a_large_member_comes_in_pieces(serve: Serve, store: Store, unique: str, tmp_path: Path) -> None:
    """A changed file that is larger than what is in memory at once arrives whole, beside an unchanged larger one."""
    same = noise(unique, 15_000_000)
    old, new = (
        make_wheel("demo", version, {"demo/same.so": same, "demo/lib.so": noise(f"{unique} {version}", 9_000_000)})
        for version in ("1.0", "1.1")
    )
    server, _, downloaded = upgrade(serve, store, tmp_path, new, old)
    assert 9_000_000 < downloaded < 10_000_000
    assert max(request.sent for request in server.requests) <= 8 << 20


def test_whole_where_most_has_changed(serve: Serve, store: Store, unique: str, tmp_path: Path) -> None:
    """Where ranges would save little the wheel comes whole, and has its own hash checked."""
    changed = {f"part{number}": 400_000 for number in range(10)} | {f"small{number}": 10 for number in range(9)}
    same = {f"demo/same{number}.txt": f"{number} {unique}" for number in range(30)}
    old, new = (
        make_wheel(
            "demo",
            version,
            same | {f"demo/{name}.bin": noise(f"{unique} {version} {name}", size) for name, size in changed.items()},
        )
        for version in ("1.0", "1.1")
    )
    server, _, downloaded = upgrade(serve, store, tmp_path, new, old)
    assert ["range" in request.headers for request in server.requests] == [True, False]
    assert len(new[1]) < downloaded < 1.1 * len(new[1])


@pytest.mark.parametrize(
    "behaviour",
    [
        {"ranges": "no"},
        {"ranges": "416"},
        {"lie": "total"},
        {"lie": "whole-as-206"},
        {"lie": "garbage"},
        {"lie": "content-range-missing"},
    ],
    ids=lambda behaviour: "-".join(map(str, behaviour.values())),
)
def test_servers_without_good_ranges(
    serve: Serve, store: Store, unique: str, tmp_path: Path, behaviour: dict[str, object]
) -> None:
    """A server that has no ranges, or lies in them, gives the whole wheel in the end, and the right files."""
    new, old = wheel(unique, "1.1", part3=50_000), wheel(unique, "1.0", part3=50_000)
    assert upgrade(serve, store, tmp_path, new, old, **behaviour)[2] >= len(new[1])


def test_a_wheel_that_was_replaced(serve: Serve, store: Store, unique: str, tmp_path: Path) -> None:
    """Ranges of another wheel than the locked one end in the wheel's own hash, and nothing of it is taken."""
    old, new = wheel(unique, "1.0", part3=50_000), wheel(unique, "1.1", part3=50_000)
    other = wheel(unique + "other", "1.1", part3=50_000)
    assert len(other[1]) == len(new[1])
    server = serve(old, new)
    before, after = served(server, old[0]), served(server, new[0])
    ingest(before, store, base=tmp_path)
    server.wheels = {new[0]: other[1]}
    with pytest.raises(VerificationError, match="has SHA-256"):
        ingest(after, store, base=tmp_path)
    assert store.invalid(leaves(store, after))
    assert nothing_left(tmp_path)
