"""Packages of npm through a cache: pushed, taken with and without a signature, as a stream, and by Nix alone."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixgen.emit.project import Files
from nixgen.lock import Lock
from nixgen.targets import default_python
from tests.caches.conftest import machine_at
from tests.support.caches import Machine
from tests.support.locks import lock_wheels
from tests.support.nix import NixInstallation
from tests.support.node import with_node
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

ARCHIVES = {"one-1.0.0.tgz", "two-1.0.0.tgz"}


@pytest.fixture(scope="module")
def registry() -> Iterator[NpmRegistry]:
    """A registry with a package that needs another one."""
    one = npm_package("one", files={"index.js": "module.exports = ['one', require('two')]\n"})
    two = npm_package("two", files={"index.js": "module.exports = 'two'\n"})
    with NpmRegistry([one, two]) as registry:
        yield registry


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, registry: NpmRegistry) -> Iterator[Machine]:
    """The machine that has built and pushed."""
    root = tmp_path_factory.mktemp("caches")
    machine = machine_at(root, NixInstallation.of_machine(root / "nix"))
    machine.cli.environment["npm_config_cache"] = str(root / "npm")
    one, two = registry.packages
    rows = [of_registry(registry, one, dependencies={"two": "node_modules/two"}), of_registry(registry, two)]
    write_npm_project(machine.cli.directory, *rows)
    machine.cli("push", machine.cache, "--sign-key", machine.secret)
    yield machine
    machine.nix.make_removable()


@pytest.fixture
def machine(made: Machine, registry: NpmRegistry) -> Machine:
    """The same after it has lost its store and caches; the registry notes who asks it."""
    made.forget()
    registry.requests.clear()
    return made


def imported(environment: str) -> object:
    """Return what the first package gives to a program in an environment."""
    command = ["node", "-p", "JSON.stringify(require('one'))"]
    done = subprocess.run(command, cwd=environment, env=with_node(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_what_is_pushed(machine: Machine, registry: NpmRegistry) -> None:
    """Archives, which follow from their content, and packages and the environment, which are signed; a second push
    writes nothing."""
    assert machine.stored() == {*ARCHIVES, "one", "two", "node-env"}
    for path in machine.cache.glob("*.narinfo"):
        text = path.read_text()
        assert ("\nCA: fixed:sha512:" in text) == (".tgz\n" in text) == ("\nSig: tests-1:" not in text)
    done = machine.cli("push", machine.cache, "--from", machine.cache)
    assert "pushed 0 paths, 0 B; 5 of 5 were there" in done.stderr and not registry.requests


def test_what_is_taken(machine: Machine, registry: NpmRegistry) -> None:
    """Packages come from the cache as they are; without the key they are built here, of archives that the cache has;
    the registry is asked for nothing, and the paths are the same."""
    done = machine.build("--from", machine.cache, "--debug")
    assert not re.search("building '[^']*-(one|two).drv'", done.stderr)
    assert imported(done.stdout.strip()) == ["one", "two"]
    assert not [path for path in machine.nix.path.iterdir() if path.name.endswith(".tgz")]
    machine.forget()
    own = machine.build("--from", machine.cache, "--debug", key=False)
    assert re.search("building '[^']*-one.drv'", own.stderr) and own.stdout == done.stdout
    assert not registry.requests
    machine.cli("verify")


def test_what_a_cache_has_not(machine: Machine, registry: NpmRegistry, tmp_path: Path) -> None:
    """What the cache lacks comes from the registry, and is built here."""
    (tmp_path / "nix-cache-info").write_text(f"StoreDir: {machine.nix.path}\n")
    assert imported(machine.build("--from", tmp_path).stdout.strip()) == ["one", "two"]
    assert set(registry.archives) == ARCHIVES


def test_a_stream(machine: Machine, registry: NpmRegistry, tmp_path: Path) -> None:
    """A stream has the packages and no archive, and makes the environment in an empty store; without the key it is
    refused."""
    environment = machine.build("--from", machine.cache).stdout
    command = [*machine.cli.program, "push", "--stdout", "--quiet", "--from", machine.cache]
    env = machine.cli._environment(None)
    stream = subprocess.run(
        [*command, "--sign-key", machine.secret], cwd=machine.cli.directory, env=env, capture_output=True, check=True
    ).stdout
    machine.forget()
    (tmp_path / "stream").write_bytes(stream)
    assert "--trusted-key" in machine.cli("pull", tmp_path / "stream", code=6).stderr
    done = machine.cli("pull", tmp_path / "stream", "--trusted-key", machine.public)
    assert done.stdout == environment and imported(environment.strip()) == ["one", "two"]
    assert not registry.requests


def test_nix_alone(machine: Machine, registry: NpmRegistry, tmp_path: Path) -> None:
    """Stock Nix takes the packages from the cache; `nix copy` of the environment brings all that it needs elsewhere."""
    options = ["--option", "substituters", machine.cache.as_uri(), "--option", "trusted-public-keys", machine.public]
    environment = machine.run("nix-build", "--no-out-link", "nix", *options).stdout.strip()
    assert imported(environment) == ["one", "two"] and not registry.requests
    nix = ("nix", "--extra-experimental-features", "nix-command")
    machine.run(*nix, "copy", "--to", (tmp_path / "copied").as_uri(), environment)
    machine.forget()
    machine.run(*nix, "copy", "--no-check-sigs", "--from", (tmp_path / "copied").as_uri(), environment)
    assert imported(environment) == ["one", "two"] and not registry.requests


def test_both_kinds(machine: Machine, tmp_path: Path) -> None:
    """Of a lock with packages of Python and of npm, both environments are pushed."""
    lock = machine.cli.directory / "nixgen.lock"
    before = lock.read_bytes()
    wheel = make_wheel("demo", files={"demo.py": "x = 1\n"})
    file = lock_wheels(machine.cli.directory, wheel, python=default_python())
    file.write_text(json.dumps({**json.loads(file.read_text()), "npm": json.loads(before)["npm"]}))
    Files(lock=Lock.from_file(file)).write(machine.cli.directory)
    try:
        python, npm = machine.cli("push", tmp_path / "cache", "--from", machine.cache).stdout.split()
    finally:
        lock.write_bytes(before)
    assert python.endswith(f"-python{default_python()}-env") and npm.endswith("-node-env")
    assert machine.stored(tmp_path / "cache") >= {*ARCHIVES, "one", "two", "node-env", "demo-1.0"}
