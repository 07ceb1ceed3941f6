"""Nix alone with a cache that ``nixgen push`` has written: it does not fall into the hole of leaves."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.caches.conftest import WHEELS
from tests.support.caches import CacheServer, Machine
from tests.support.flakes import REGISTRY
from tests.whole.conftest import newer_nix

pytestmark = pytest.mark.nix

#: What each wheel costs at most: a narinfo and what it names, of the wheel and of its tree.
A_WHEEL = 4


@pytest.mark.parametrize(("suite", "flake"), [("distribution", False), ("trixie", True), ("sid", False), ("sid", True)])
def test_requests(machine: Machine, away: None, tmp_path: Path, suite: str, flake: bool) -> None:
    """Wheels and trees are fetched, leaves made by evaluation; nobody asks for a leaf, or for what is not there."""
    path = os.environ["PATH"] if suite == "distribution" else f"{newer_nix(suite)}{os.pathsep}{os.environ['PATH']}"
    with CacheServer(machine.cache) as cache:
        options = ["--option", "substituters", cache.url, "--option", "trusted-public-keys", machine.public]
        command = ["nix-build", "--no-out-link", "nix"]
        if flake:
            (machine.cli.directory / "flake.nix").write_text(
                "{ outputs = _: { packages.x86_64-linux.default = import ./nix { }; }; }"
            )
            command = ["nix", "build", "--impure", "--out-link", tmp_path / "result", "path:.", "--no-write-lock-file"]
            command += ["--option", "flake-registry", str(REGISTRY)]
        done = subprocess.run(
            [*command, *options],
            cwd=machine.cli.directory,
            env={**os.environ, **machine.cli.environment, "PATH": path},
            capture_output=True,
            text=True,
        )
        (machine.cli.directory / "flake.nix").unlink(missing_ok=True)
        assert done.returncode == 0, done.stderr
        asked = [path for _, path, _ in cache.requests if path != "/nix-cache-info"]
        assert len(asked) <= A_WHEEL * len(WHEELS)
        assert not cache.absent
        assert len([path for path in asked if path.startswith("/nar/")]) == 2 * len(WHEELS)
    environment = (tmp_path / "result").resolve() if flake else Path(done.stdout.strip())
    assert (environment / "bin" / "demo").exists()
