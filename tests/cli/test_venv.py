"""``nixgen venv`` and ``nixgen fsck``, with a real Nix and wheels from loopback."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.test_build import demo as demo  # fixtures
from tests.cli.test_build import in_store as in_store
from tests.cli.test_build import lock
from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]


def said(*command: str | Path) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def roots(directory: Path, count: int) -> list[str]:
    """Return the links that keep environments from garbage collection, once there are as many as expected."""
    deadline = time.monotonic() + 20
    while len(found := sorted(path.name for path in (directory / ".nixgen/roots").glob("*"))) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    # Nix makes the link first and its own link to that afterwards.
    time.sleep(0.5)
    return found


def collect_garbage(cli: Cli) -> None:
    environment = {**os.environ, **cli.environment}
    subprocess.run(["nix-store", "--gc"], env=environment, capture_output=True, check=True)


@pytest.fixture
def made(in_store: Cli, serve: Serve, demo: tuple[str, bytes]) -> Cli:
    """A project with ``.venv``."""
    server = serve(demo, make_wheel("other", "1.0", {"other.py": "x = 1\n"}))
    lock(in_store, server, "demo")
    made = replace(in_store, environment={**in_store.environment, "UV_DEFAULT_INDEX": server.index})
    made("venv")
    return made


def test_venv_makes_an_overlay(made: Cli, request: pytest.FixtureRequest) -> None:
    """``nixgen venv`` builds and makes .venv, whose commands run; a second run and fsck find nothing to do."""
    venv = made.directory / ".venv"
    assert said(venv / "bin/demo").startswith("test_")
    assert not (made.directory / "result").exists()
    assert "form overlay" in (venv / ".nixgen/state").read_text()
    assert (made("fsck").stderr, made("fsck", "--check").stdout) == ("", "")
    done = made("venv", "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_another_place(made: Cli) -> None:
    """DIR says where, relative to the project; nothing is made for --dry-run."""
    made("venv", "--dry-run", "deep/env")
    assert not (made.directory / "deep").exists()
    assert "deep/env stands on" in made("venv", "deep/env").stderr
    assert made("fsck", "deep/env").stderr == ""


@pytest.mark.parametrize("sign", ["uv.lock", "[tool.uv]"])
def test_a_project_of_uv_gets_a_farm(made: Cli, sign: str) -> None:
    """Where the project uses uv, the form is a farm, unless the user says otherwise; an overlay becomes one."""
    if sign == "uv.lock":
        (made.directory / sign).write_text("version = 1\n")
    else:
        (made.directory / "pyproject.toml").write_text(f'[project]\nname = "x"\nversion = "1"\n{sign}\n')
    made("venv")
    (site,) = (made.directory / ".venv").glob("lib/python*/site-packages")
    assert (site / "demo/data.txt").is_symlink() and not (site / "demo").is_symlink()
    made("venv", "--overlay")
    assert not (site / "demo").exists()


def test_what_it_stands_on_is_kept(made: Cli) -> None:
    """A garbage collection leaves the environment, and the one of before, which a rollback brings back."""
    venv = made.directory / ".venv"
    first = (venv / ".nixgen/env").readlink().name
    assert roots(venv, 1) == [first]
    (made.directory / "requirements.in").write_text("other\n")
    made("lock", "--upgrade")
    made("venv")
    second = (venv / ".nixgen/env").readlink().name
    assert roots(venv, 2) == sorted([first, second])
    assert not (venv / "bin/demo").exists()
    collect_garbage(made)
    assert said(venv / "bin/python", "-c", "import other; print(other.x)") == "1"
    made("venv", "--rollback")
    assert said(venv / "bin/demo").startswith("test_")


def test_fsck_builds_what_the_store_has_lost(made: Cli) -> None:
    """What was collected is built again from the lock; --check only says so, and without a lock the error says how."""
    venv = made.directory / ".venv"
    for root in venv.glob(".nixgen/roots/*"):
        root.unlink()
    roots(venv, 0)
    for root in venv.glob(".nixgen/roots/*"):
        root.unlink()
    collect_garbage(made)
    assert not (venv / ".nixgen/env").exists()
    assert "not in the store any more" in made("fsck", "--check", code=1).stdout
    (made.directory / "nixgen.lock").rename(made.directory / "away")
    assert "nixgen venv" in made("fsck", code=3).stderr
    (made.directory / "away").rename(made.directory / "nixgen.lock")
    made("fsck")
    assert said(venv / "bin/demo").startswith("test_")
    assert made("fsck", "--check").stdout == ""


def test_fsck_takes_the_directory_of_virtual_env(made: Cli, tmp_path: Path) -> None:
    """Without DIR, fsck heals what VIRTUAL_ENV names, a slash at its end or not."""
    venv = made.directory / ".venv"
    (venv / "bin/python").unlink()
    elsewhere = replace(made, directory=tmp_path, environment={**made.environment, "VIRTUAL_ENV": f"{venv}/"})
    assert "bin/python" in elsewhere("fsck", "--dry-run").stdout
    assert "bin/python" in elsewhere("fsck").stderr
    assert said(venv / "bin/demo").startswith("test_")


def test_fsck_leaves_alone_what_it_did_not_make(in_store: Cli) -> None:
    """A directory of something else, or none, is an error that says so."""
    (in_store.directory / ".venv").mkdir()
    (in_store.directory / ".venv/file").write_text("x")
    assert "not made by nixgen" in in_store("fsck", code=3).stderr
    assert "no such environment" in in_store("fsck", "nothing", code=3).stderr
