"""``nixgen venv --rollback`` in a project with packages of Python and of npm, and of a mounted ``node_modules``."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.emit.project import Files
from nixgen.lock import Lock
from nixgen.targets import default_python
from tests.support.cli import Cli
from tests.support.locks import lock_wheels
from tests.support.mounts import needs_root
from tests.support.nix import NixInstallation
from tests.support.node import with_node
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import npm_lock, of_registry
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix


@pytest.fixture(scope="module")
def registry() -> Iterator[NpmRegistry]:
    """A registry with two versions of a package."""
    with NpmRegistry([npm_package("modul", version) for version in ("1.0.0", "2.0.0")]) as registry:
        yield registry


@pytest.fixture
def cli(nixgen: Cli, nix_store: NixInstallation, tmp_path: Path) -> Cli:
    """The command line with the store of all tests, and a cache of its own."""
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    own = {"PATH": with_node()["PATH"], "XDG_CACHE_HOME": str(tmp_path / "cache")}
    return replace(nixgen, environment={**nixgen.environment, **kept, **own})


def made(cli: Cli, registry: NpmRegistry, python: int, npm: int, *arguments: str) -> None:
    """Make the environments of a lock with a package of Python and one of npm, of some versions."""
    wheel = make_wheel("demo", f"{python}.0", {"demo.py": f"version = {python}\n"})
    file = lock_wheels(cli.directory, wheel, python=default_python())
    (package,) = (one for one in registry.packages if one.version == f"{npm}.0.0")
    section = npm_lock(of_registry(registry, package))["npm"]
    file.write_text(json.dumps({**json.loads(file.read_text()), "npm": section}))
    Files(lock=Lock.from_file(file)).write(cli.directory)
    cli("venv", *arguments)


def there(cli: Cli) -> tuple[int, int]:
    """Return the versions that the project's environments have."""
    words = {
        "python": [cli.directory / ".venv/bin/python", "-c", "import demo; print(demo.version)"],
        "npm": ["node", "-p", "require('modul').split('@')[1][0]"],
    }
    python, npm = (
        int(subprocess.check_output(command, cwd=cli.directory, env=with_node(), text=True))
        for command in words.values()
    )
    return python, npm


def test_what_the_last_change_was_of_goes_back(cli: Cli, registry: NpmRegistry) -> None:
    """Of two environments those go back that the last change was of, and once more come again; the other one stays,
    which is said, though it had one of before under an older lock."""
    made(cli, registry, 1, 1)
    assert "there is no environment of before" in cli("venv", "--rollback", code=3).stderr
    made(cli, registry, 2, 2)
    cli("venv", "--rollback")
    assert there(cli) == (1, 1)
    cli("venv", "--rollback")
    assert there(cli) == (2, 2)
    made(cli, registry, 2, 1)
    cli("venv")
    assert ".venv stays: the last change was of node_modules alone" in cli("venv", "--rollback").stderr
    assert there(cli) == (2, 2)
    cli("venv", "--rollback")
    assert there(cli) == (2, 1)
    made(cli, registry, 1, 1)
    said = cli("venv", "--rollback", "--dry-run").stderr
    assert "node_modules stays: the last change was of .venv alone" in said
    assert there(cli) == (1, 1)
    cli("venv", "--rollback")
    assert there(cli) == (2, 1)


def test_one_that_has_none_of_before_stays(cli: Cli, registry: NpmRegistry) -> None:
    """Where the first change after both were made is of npm's packages, node_modules goes back; what cannot go back is
    refused before the other one has."""
    made(cli, registry, 1, 1)
    made(cli, registry, 1, 2)
    cli("venv", "--rollback")
    assert there(cli) == (1, 1)
    made(cli, registry, 2, 2)
    own = cli.directory / "node_modules/.nixgen/previous"
    own.unlink()
    assert "there is no environment of before" in cli("venv", "--rollback", code=3).stderr
    assert there(cli) == (2, 2)


@needs_root
def test_mounted_node_modules_go_back(cli: Cli, registry: NpmRegistry) -> None:
    """A node_modules that is mounted goes back with the virtual environment of links, with what was installed on top,
    and comes again; where the last change was of Python's packages alone, it stays."""
    modules = cli.directory / "node_modules"
    manifest = {"name": "app", "version": "1.0.0", "nixgen": {"venv": {"form": "mounted"}}}
    (cli.directory / "package.json").write_text(json.dumps(manifest))
    with contextlib.ExitStack() as stack:
        made(cli, registry, 1, 1)
        stack.callback(cli, "umount", modules)
        assert not (modules / "modul").is_symlink()
        made(cli, registry, 2, 2)
        (modules / "own").mkdir()
        (modules / "own/package.json").write_text('{"name": "own", "version": "3.0.0"}')
        cli("venv", "--rollback")
        assert there(cli) == (1, 1)
        assert "3.0.0" in (modules / "own/package.json").read_text()
        cli("venv", "--rollback")
        assert there(cli) == (2, 2)
        made(cli, registry, 1, 2)
        assert "node_modules stays" in cli("venv", "--rollback").stderr
        assert there(cli) == (2, 2)
        made(cli, registry, 2, 1)
        assert there(cli) == (2, 1)
        assert ".venv stays" in cli("venv", "--rollback").stderr
        assert there(cli) == (2, 2)
