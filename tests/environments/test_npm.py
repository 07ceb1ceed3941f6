"""``nixgen build`` of npm's packages, with a real Nix and archives from loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixgen.emit.project import Files
from nixgen.lock import Lock
from nixgen.npm.model import NpmArchive
from nixgen.npm.supply import kept
from nixgen.targets import default_python
from tests.support.cli import Cli
from tests.support.locks import lock_wheels
from tests.support.node import node_programs, with_node
from tests.support.npm import NpmMade, NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

BIG = "x" * 5000 + "\n"


@pytest.fixture
def registry() -> Iterator[NpmRegistry]:
    """A registry with two packages that have a file in common, of which one needs the other."""
    one = npm_package("one", files={"index.js": "module.exports = ['one', require('two')]\n", "LICENSE": BIG})
    two = npm_package("two", files={"index.js": "module.exports = 'two'\n", "COPYING": BIG}, bin="cli.js")
    with NpmRegistry([one, two]) as registry:
        yield registry


def locked(cli: Cli, registry: NpmRegistry, *more: NpmMade) -> None:
    """Lock both packages in the project, and others."""
    one, two = registry.packages[:2]
    write_npm_project(
        cli.directory,
        of_registry(registry, one, dependencies={"two": "node_modules/two"}),
        of_registry(registry, two),
        *(of_registry(registry, package) for package in more),
    )


def nix_build(cli: Cli, *arguments: str) -> str:
    """Return what stock Nix builds."""
    command = ["nix-build", "nix", "--no-out-link", *arguments]
    env = {**os.environ, **cli.environment}
    done = subprocess.run(command, cwd=cli.directory, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def imported(directory: Path) -> object:
    """Return what the first package gives to a program in a directory."""
    command = ["node", "-p", "JSON.stringify(require('one'))"]
    done = subprocess.run(command, cwd=directory, env=with_node(), capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_a_build(empty_store: Cli, registry: NpmRegistry) -> None:
    """The environment of a project with nothing but npm's is ./result; each archive is fetched once, and once for all
    projects; stock Nix gives the same path."""
    locked(empty_store, registry)
    done = empty_store("build")
    built = done.stdout.strip()
    result = empty_store.directory / "result"
    assert str(result.resolve()) == built
    assert "added 2 archives of 2 to the store" in done.stderr
    assert imported(result) == ["one", "two"]
    assert sorted(registry.archives) == ["one-1.0.0.tgz", "two-1.0.0.tgz"]
    assert nix_build(empty_store) == built
    again = empty_store("build")
    assert (again.stdout.strip(), again.stderr) == (built, "")
    three = npm_package("three")
    registry.packages.append(three)
    locked(empty_store, registry, three)
    assert "added 1 archive of 1 to the store" in empty_store("build").stderr
    assert len(registry.archives) == 3


def test_archives_without_a_build(empty_store: Cli, registry: NpmRegistry) -> None:
    """`nixgen fetch` puts the archives into the store and builds nothing; stock Nix then asks no registry."""
    locked(empty_store, registry)
    assert "added 2 archives of 2 to the store" in empty_store("fetch").stderr
    assert not (empty_store.directory / "result").exists()
    registry.requests.clear()
    nix_build(empty_store)
    assert not registry.requests


def test_each_file_lies_in_the_store_once(empty_store: Cli, registry: NpmRegistry) -> None:
    """What two packages have in common is one file, by its inode; where Nix may not share, that is said."""
    locked(empty_store, registry)
    assert "several times" not in empty_store("build").stderr
    modules = empty_store.directory / "result/node_modules"
    assert (modules / "one/LICENSE").stat().st_ino == (modules / "two/COPYING").stat().st_ino
    three = npm_package("three", files={"LICENSE": BIG})
    registry.packages.append(three)
    locked(empty_store, registry, three)
    done = empty_store("build", "--option", "auto-optimise-store", "false")
    assert "note: files that several packages have lie in the store several times" in done.stderr
    assert (modules / "three/LICENSE").stat().st_ino != (modules / "two/COPYING").stat().st_ino


def test_what_lies_here_is_not_fetched(empty_store: Cli, registry: NpmRegistry, tmp_path: Path) -> None:
    """Archives in the user's cache and in npm's own are taken from there, where they are what the lock says."""
    empty_store.environment["npm_config_cache"] = str(tmp_path / "npm")
    one, two = registry.packages
    locked(empty_store, registry)
    for package, place in ((one, 0), (two, 1)):
        archive = NpmArchive(url="", integrity=package.integrity, size=0)
        with pytest.MonkeyPatch.context() as patch:
            for name, value in empty_store.environment.items():
                patch.setenv(name, value)
            file = [*kept(archive)][place]
        file.parent.mkdir(parents=True)
        file.write_bytes(package.archive)
    file.write_bytes(b"something else")
    empty_store("build")
    assert registry.archives == ["two-1.0.0.tgz"]


def test_another_archive_is_refused(empty_store: Cli, registry: NpmRegistry) -> None:
    """An archive that is not the lock's stops the build, naming the package and both hashes; nothing is built of it."""
    locked(empty_store, registry)
    registry.altered["two-1.0.0.tgz"] = registry.packages[0].archive
    said = empty_store("build", code=5).stderr
    assert f"the archive of two 1.0.0 has the integrity {registry.packages[0].integrity}" in said
    assert registry.packages[1].integrity in said
    assert not (empty_store.directory / "result").is_symlink()


def test_node_and_omit(empty_store: Cli, registry: NpmRegistry, tmp_path: Path) -> None:
    """--node brings its programs, --omit leaves packages out; both are arguments of the project's Nix file."""
    one, two = registry.packages
    write_npm_project(
        empty_store.directory, of_registry(registry, one), of_registry(registry, two, dev=True, bin={"two": "index.js"})
    )
    (tmp_path / "nodejs/bin").mkdir(parents=True)
    shutil.copy("/bin/echo", tmp_path / "nodejs/bin/node")
    built = empty_store("build", "--node", tmp_path / "nodejs", "--omit", "dev").stdout.strip()
    assert {path.name for path in Path(built, "bin").iterdir()} == {"node"}
    assert {path.name for path in Path(built, "node_modules").iterdir()} == {"one", ".package-lock.json"}
    more = ["--argstr", "node", str(tmp_path / "nodejs"), "--arg", "omit", '[ "dev" ]']
    assert nix_build(empty_store, *more) == built


def test_an_install_script(empty_store: Cli, registry: NpmRegistry) -> None:
    """An allowed install script runs with `nixgen build --node` and with stock Nix, which give the same path; the line
    that the error without Node.js names does as well."""
    scripts = {"postinstall": "node -p process.env.npm_package_name > made"}
    made = npm_package("one", files={}, scripts=scripts)
    registry.packages[0] = made
    package = of_registry(registry, made, scripts=scripts)
    write_npm_project(empty_store.directory, package, scripts=["one"])
    said = empty_store("build", code=6).stderr
    assert "no Node.js is given to run the install scripts that are allowed, of one" in said
    directory = str(node_programs().parent)
    built = empty_store("build", "--node", directory).stdout.strip()
    assert Path(built, "node_modules/one/made").read_text() == "one\n"
    assert nix_build(empty_store, "--argstr", "node", directory) == built
    file = empty_store.directory / "nix/default.nix"
    text = file.read_text()
    assert "  node ? null," in text and '`node ? "/usr",` for `node ? null,`' in said
    file.write_text(text.replace("node ? null,", f'node ? "{directory}",'))
    assert nix_build(empty_store) == built == empty_store("build").stdout.strip()


def test_what_is_for_python(empty_store: Cli, registry: NpmRegistry) -> None:
    """A verb that takes Python's packages alone says so in a project with nothing but npm's."""
    locked(empty_store, registry)
    for verb in (("image",),):
        said = empty_store(*verb, code=3).stderr
        assert "the lock has packages of npm alone" in said and "nixgen build" in said


def test_both_kinds(empty_store: Cli, registry: NpmRegistry) -> None:
    """A project with packages of Python and of npm has an environment of each, ./result and ./result-npm, as with stock
    Nix; `run` finds the programs of both."""
    directory = empty_store.directory
    empty_store.environment["PATH"] = with_node()["PATH"]
    locked(empty_store, registry)
    section = json.loads((directory / "nixgen.lock").read_text())["npm"]
    points = {"console_scripts": {"snake": "demo:main"}}
    wheel = make_wheel("demo", files={"demo/__init__.py": "def main():\n    print('snake')\n"}, entry_points=points)
    file = lock_wheels(directory, wheel, python=default_python())
    file.write_text(json.dumps({**json.loads(file.read_text()), "npm": section}))
    Files(lock=Lock.from_file(file)).write(directory)
    python, npm = empty_store("build").stdout.split()
    assert str((directory / "result").resolve()) == python and str((directory / "result-npm").resolve()) == npm
    assert nix_build(empty_store, "-A", "npm") == npm and nix_build(empty_store) == python
    empty_store("venv")
    assert imported(directory) == ["one", "two"]
    assert empty_store("run", "--", "snake").stdout == "snake\n"
    assert empty_store("run", "--", "node", "-p", "require('one')[1]").stdout == "two\n"
