"""What can go is said, and removed where somebody agrees; what is kept stays."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.cli import Cli, listing
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix


@pytest.fixture
def built(empty_store: Cli, serve: Callable[..., WheelServer], tmp_path: Path) -> Cli:
    """Two projects' environments, of which one has no link any more."""
    server = serve(*(make_wheel(name, "1.0", {f"{name}.py": f"n = '{name}'\n"}) for name in ("kept", "gone")))
    for name in ("gone", "kept"):
        (empty_store.directory / "requirements.in").write_text(f"{name}\n")
        empty_store("lock", "--default-index", server.index)
        empty_store("build")
    return empty_store


def said(built: Cli) -> dict[str, int]:
    found: dict[str, int] = json.loads(built("clean", "--dry-run", "--json").stdout)
    return found


def test_nothing_is_removed_unasked(built: Cli, tmp_path: Path) -> None:
    """Without a terminal or with --dry-run it is said alone."""
    store, cache = Path(built.environment["NIX_STORE_DIR"]), tmp_path / "cache/nixgen"
    before = listing(store), listing(cache)
    found = said(built)
    assert found["storePaths"] > 0 and found["store"] > 0 and found["cache"] > 0
    assert "nothing was removed; --yes removes it" in built("clean").stderr
    assert (listing(store), listing(cache)) == before


def test_what_is_kept_stays(built: Cli, tmp_path: Path) -> None:
    """The environment that has a link works as before, and the next build makes again what was in the cache."""
    environment = (built.directory / "result").readlink()
    assert built("clean", "--yes").stderr.endswith("removed\n")
    after = said(built)
    assert (after["cache"], after["storePaths"]) == (0, 0)
    store = Path(built.environment["NIX_STORE_DIR"])
    assert [path for path in store.iterdir() if "gone" in path.name] == []
    assert built("run", "--", "python", "-c", "import kept; print(kept.n)").stdout == "kept\n"
    assert built("build").stdout.strip() == str(environment)


def test_each_of_the_two(built: Cli, tmp_path: Path) -> None:
    """The cache and the store can be left."""
    before = said(built)
    built("clean", "--yes", "--no-cache")
    assert said(built) == {**before, "storePaths": 0, "store": 0}
    built("clean", "--yes", "--no-store")
    assert said(built)["cache"] == 0


@pytest.mark.parametrize(("answer", "removed"), [("y", True), ("", False), ("no", False)])
def test_it_asks_on_a_terminal(answer: str, removed: bool, built: Cli) -> None:
    """Only a yes is one."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [*built.program, "clean"],
        cwd=built.directory,
        env={**os.environ, **built.environment},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    shown = b""
    while b"[y/N]" not in shown:
        shown += os.read(ours, 1024)
    os.write(ours, answer.encode() + b"\n")
    while process.poll() is None:
        try:
            shown += os.read(ours, 1024)
        except OSError:
            break
    assert process.wait() == 0
    os.close(ours)
    assert (said(built)["storePaths"] == 0) is removed
