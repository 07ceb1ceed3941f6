"""``nixgen sync`` and ``nixgen upgrade``, with a real Nix and wheels from loopback."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.cli.test_build import in_store as in_store  # fixture
from tests.support.cli import Cli, listing
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

OLD, NEW = (make_wheel("demo", version, {"demo.py": f"x = '{version} of sync'\n"}) for version in ("1.0", "2.0"))
OTHER = make_wheel("other", "1.0", {"other.py": "x = 'other of sync'\n"})


@pytest.fixture
def project(in_store: Cli, serve: Callable[..., WheelServer]) -> Cli:
    """A project that wants an old version, and the index that has a new one."""
    (in_store.directory / "requirements.in").write_text("demo<2\n")
    index = serve(OLD, NEW, OTHER).index
    return replace(in_store, environment={**in_store.environment, "UV_DEFAULT_INDEX": index})


def test_the_command_of_a_day(project: Cli) -> None:
    """It locks where it has to, builds and makes .venv; a second time there is nothing to do."""
    requirements, module = project.directory / "requirements.in", "lib/python*/site-packages/demo.py"
    assert "would make .venv" in project("sync", "--dry-run").stderr
    assert sorted(listing(project.directory)) == ["requirements.in"]
    said = project("sync").stderr
    assert "wrote nix/nixgen, nix/default.nix, nixgen.lock" in said and ".venv stands on" in said
    (venv,) = project.directory.glob(".venv/.nixgen/env")
    assert "1.0" in next(venv.glob(module)).read_text()
    before = listing(project.directory)
    assert project("sync").stderr.startswith("nothing to do: .venv stands on")
    requirements.write_text("demo>1\n")
    assert "has changed since" in project("sync", "--locked", code=3).stderr
    assert project("sync", "--frozen").stderr.startswith("nothing to do")
    said = project("sync", "--dry-run").stderr
    assert "  demo  1.0 -> 2.0\n" in said and "this machine lacks" in said and "would renew .venv" in said
    assert {**listing(project.directory), "requirements.in": b"demo<2\n"} == before
    below = project.directory / "src"
    below.mkdir()
    assert "  demo  1.0 -> 2.0\n" in replace(project, directory=below)("sync").stderr
    assert "2.0" in next(venv.glob(module)).read_text()


def test_what_somebody_named_is_not_lost(project: Cli) -> None:
    """A lock of files that were named is not replaced by one of what the directory has."""
    (project.directory / "dev.in").write_text("other\n")
    project("lock", "requirements.in", "dev.in")
    (project.directory / "dev.in").write_text("other>=1\n")
    before = listing(project.directory)
    said = project("sync", code=3).stderr
    assert "the lock is of dev.in too" in said and "`nixgen lock requirements.in dev.in`" in said
    assert listing(project.directory) == before


def test_upgrades(project: Cli) -> None:
    """All packages or some get newer versions; it says which, or would."""
    requirements = project.directory / "requirements.in"
    requirements.write_text("demo<2\nother\n")
    project("lock")
    requirements.write_text("demo\nother\n")
    assert "nothing changed" not in project("lock").stderr
    before = listing(project.directory)
    assert "  demo  1.0 -> 2.0\n" in project("upgrade", "--dry-run").stderr
    assert "wrote" not in project("upgrade", "--dry-run", "demo").stderr
    assert listing(project.directory) == before
    assert "nothing changed" in project("upgrade", "other").stderr
    assert "the lock has no nosuch" in project("upgrade", "nosuch", code=3).stderr
    assert "  demo  1.0 -> 2.0\n" in project("upgrade", "demo").stderr
    (project.directory / "poetry.lock").write_text("")
    assert "`poetry update --lock`, then `nixgen sync`" in project("upgrade", code=3).stderr


def test_somebody_elses_virtual_environment(project: Cli) -> None:
    """It is left alone, and nothing is locked for it."""
    (project.directory / ".venv").mkdir()
    (project.directory / ".venv" / "pyvenv.cfg").write_text("home = /usr/bin\n")
    before = listing(project.directory)
    for arguments in ((), ("--dry-run",)):
        said = project("sync", *arguments, code=3).stderr
        assert "not made by nixgen" in said and "remove it (rm -r .venv)" in said
        assert listing(project.directory) == before
