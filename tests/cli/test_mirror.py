"""A mirror: the same lock, fetched from another root, by nixgen and by Nix alone."""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable

import pytest

from tests.support.cli import Cli
from tests.support.server import Behaviour, WheelServer
from tests.support.wheels import make_wheel

WHEEL = make_wheel("demo", "1.0", {"demo.py": "x = 1\n"})
OTHER = make_wheel("demo", "1.0", {"demo.py": "x = 2\n"})


@pytest.fixture
def lock(empty_store: Cli, serve: Callable[..., WheelServer]) -> str:
    """A lock, as text, of a wheel that its server does not give any more."""
    server = serve(WHEEL)
    (empty_store.directory / "pylock.toml").write_text(
        f"""
lock-version = "1.0"
created-by = "a test"
[[packages]]
name = "demo"
version = "1.0"
wheels = [{{ url = "{server.url(WHEEL[0])}", hashes = {{ sha256 = "{hashlib.sha256(WHEEL[1]).hexdigest()}" }} }}]
"""
    )
    empty_store("lock", "--verify")
    server.behaviour = Behaviour(failures=1_000_000, failure="404")
    text = (empty_store.directory / "nixgen.lock").read_text()
    assert f"{server.base}/wheels/{WHEEL[0]}" in text
    return text


def nix_build(cli: Cli, **variables: str) -> subprocess.CompletedProcess[str]:
    """Build with Nix alone."""
    return subprocess.run(
        ["nix-build", "--no-out-link", "nix"],
        cwd=cli.directory,
        env={**os.environ, **cli.environment, **variables},
        capture_output=True,
        text=True,
    )


def test_a_mirror(lock: str, empty_store: Cli, serve: Callable[..., WheelServer]) -> None:
    """Option, variable and setting lead to the same environment, and the lock stays byte for byte."""
    mirror, wrong = serve(WHEEL), serve(OTHER)
    host = lock.partition('"url": "')[2].partition("/wheels/")[0]
    assert "HTTP 404" in empty_store("fetch", code=4).stderr
    assert "the wheel" in empty_store("fetch", "--mirror", wrong.base, code=5).stderr
    built = empty_store("build", "--mirror", mirror.base)
    assert mirror.wheel_requests
    failed = nix_build(empty_store, NIXGEN_MIRROR=wrong.base)
    assert failed.returncode != 0 and "hash mismatch" in failed.stderr
    alone = nix_build(empty_store, NIXGEN_MIRROR=f"{host}={mirror.base}")
    assert alone.stdout == built.stdout, alone.stderr
    (empty_store.directory / "pyproject.toml").write_text(f'[tool.nixgen]\nmirror = "{mirror.base}"\n')
    mirror.requests.clear()
    empty_store("lock", "--verify")
    assert mirror.wheel_requests
    assert (empty_store.directory / "nixgen.lock").read_text() == lock
