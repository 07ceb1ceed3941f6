"""Workspaces with packages of their own, mounted with the project's, with real npm and archives from loopback."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.mounts import needs_root, own_places, unmount_below
from tests.support.nix import NixInstallation
from tests.support.node import with_node
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project
from tests.support.owner import UID, give, open_directory
from tests.venv.test_node_modules import run_npm, store_of, tree_of, value

pytestmark = [pytest.mark.nix, needs_root]

ONE = "module.exports = ['one', require('two')]\n"
CLI = "#!/usr/bin/env node\nconsole.log('two', require('./package.json').version)\n"

#: Which version of "two" the workspaces want; the project has the first.
WANTED = {"a": 2, "b": 2, "c": 1}


@pytest.fixture(scope="module")
def registry() -> Iterator[NpmRegistry]:
    """A registry with a package of three versions, and others that need one of them."""
    packages = [
        npm_package("one", files={"index.js": ONE}, dependencies={"two": "^2.0.0"}),
        npm_package("more", files={"index.js": ONE}, dependencies={"two": "^3.0.0"}),
        *(
            npm_package("two", f"{n}.0.0", {"index.js": f"module.exports = {n}\n", "cli.js": CLI}, bin="cli.js")
            for n in "123"
        ),
    ]
    with NpmRegistry(packages) as registry:
        yield registry


@pytest.fixture
def cli(nixgen: Cli, nix_store: NixInstallation, tmp_path: Path, registry: NpmRegistry) -> Iterator[Cli]:
    """The command line in a project with three workspaces, where what is mounted is known to it alone."""
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    kept |= {**own_places(tmp_path), "NIX_STATE_DIR": kept["NIX_STATE_DIR"]}
    npm = {"npm_config_registry": registry.url, "HOME": str(tmp_path / "home")}
    cli = replace(nixgen, environment={**nixgen.environment, **kept, **npm, "PATH": with_node()["PATH"]})
    try:
        yield cli
    finally:
        unmount_below(tmp_path)


def write(directory: Path, name: str, **manifest: object) -> None:
    """Write a package.json."""
    directory.mkdir(parents=True, exist_ok=True)
    said = {"name": name, "version": "1.0.0", **manifest}
    (directory / "package.json").write_text(json.dumps(said), encoding="utf-8")


def locked(cli: Cli, registry: NpmRegistry, **wanted: int) -> None:
    """Write the lock of a project and its workspaces, as npm and nixgen make it."""
    versions = {package.version: package for package in registry.packages if package.name == "two"}
    rows = [of_registry(registry, versions["1.0.0"], bin={"two": "cli.js"})]
    for name, version in {**WANTED, **wanted}.items():
        write(cli.directory / "packages" / name, name, dependencies={"two": f"{version}.0.0"})
        rows.append({"at": f"node_modules/{name}", "name": name, "version": "1.0.0", "link": f"packages/{name}"})
        if version != 1:
            place = f"packages/{name}/node_modules/two"
            rows.append(of_registry(registry, versions[f"{version}.0.0"], place, bin={"two": "cli.js"}))
    write_npm_project(cli.directory, *rows, workspaces=[f"packages/{name}" for name in WANTED], manifest=False)
    write(cli.directory, "app", workspaces=["packages/*"], dependencies={"two": "1.0.0"})


def trees(project: Path) -> dict[str, dict[str, object]]:
    """Return what each node_modules of a project has, by its directory."""
    return {str(path.parent.relative_to(project)): tree_of(path) for path in modules(project)}


def modules(project: Path) -> list[Path]:
    """Return the node_modules of a project and of its workspaces."""
    return sorted([project / "node_modules", *project.glob("packages/*/node_modules")])


def twos(cli: Cli) -> list[object]:
    """Return which version of "two" the project and its workspaces find."""
    places = json.dumps([".", "packages/a", "packages/b", "packages/c"])
    found: list[object] = value(
        cli.directory, f"{places}.map(one => require(require.resolve('two', {{paths: [one]}})))"
    )
    return found


def test_mounted(cli: Cli, registry: NpmRegistry) -> None:
    """It is what `npm ci` makes, in the project and in its workspaces, and npm says the same of it; npm installs and
    removes on top in a workspace, the store is never written; --reset drops that."""
    locked(cli, registry)
    write(cli.directory / "packages/a", "a", dependencies={"one": "1.0.0", "two": "2.0.0"})
    run_npm(cli, registry, "install", "--package-lock-only")
    cli("lock", "--quiet")
    run_npm(cli, registry, "ci")
    expected, said = trees(cli.directory), run_npm(cli, registry, "ls", "--all")
    record = json.loads((cli.directory / "node_modules/.package-lock.json").read_text())["packages"]
    assert expected.keys() == {".", "packages/a", "packages/b"}
    for path in modules(cli.directory):
        shutil.rmtree(path)
    cli("venv", "--mounted")
    before = store_of(cli)
    assert trees(cli.directory) == expected
    ours = json.loads((cli.directory / "node_modules/.package-lock.json").read_text())["packages"]
    assert {at: entry for at, entry in record.items() if "node_modules/" in at} == ours
    assert run_npm(cli, registry, "ls", "--all") == said
    assert twos(cli) == [1, 2, 2, 1]
    run_npm(cli, registry, "install", "-w", "a", "more")
    assert value(cli.directory / "packages/a", "[require('more'), require('one')]") == [["one", 3], ["one", 2]]
    run_npm(cli, registry, "install", "-w", "b", "two@3.0.0")
    assert twos(cli) == [1, 2, 3, 1]
    bin = cli.directory / "packages/b/node_modules/.bin/two"
    assert subprocess.check_output([bin], env=with_node(), text=True) == "two 3.0.0\n"
    run_npm(cli, registry, "uninstall", "-w", "b", "two")
    assert twos(cli) == [1, 2, 1, 1]
    assert store_of(cli) == before
    cli("venv", "--reset")
    assert trees(cli.directory) == expected


def test_life(cli: Cli, registry: NpmRegistry) -> None:
    """fsck and mount heal what a restart or somebody took away, umount takes away all, mounts lists each; with another
    lock a workspace comes and one goes, and --rollback has it as before."""
    locked(cli, registry)
    cli("venv", "--mounted")
    project, (whole, a, b) = cli.directory, modules(cli.directory)
    rows = {row["directory"]: row["state"] for row in json.loads(cli("mounts", "--json").stdout)}
    assert [rows[str(one)] for one in (whole, a, b)] == ["mounted"] * 3
    unmount_below(project)
    assert "packages/a/node_modules: nothing is mounted over it" in cli("fsck", "--check", code=1).stdout
    assert "packages/b/node_modules: healed: nothing is mounted over it" in cli("fsck").stderr
    assert twos(cli) == [1, 2, 2, 1] and cli("fsck", "--check").stdout == ""
    cli("umount", whole)
    assert not any(map(os.path.ismount, (whole, a, b)))
    cli("mount", "--all")
    assert not any(map(os.path.ismount, (whole, a, b)))
    cli("mount", whole)
    unmount_below(project)
    cli("mount", "--all")
    assert twos(cli) == [1, 2, 2, 1]
    locked(cli, registry, a=1, c=3)
    cli("venv")
    assert not a.exists() and twos(cli) == [1, 1, 2, 3]
    cli("venv", "--rollback")
    c = project / "packages/c/node_modules"
    assert not c.exists() and twos(cli) == [1, 2, 2, 1]
    # What was installed is kept where nothing is mounted any more.
    (a / "mine").mkdir()
    (a / "mine/index.js").write_text("")
    said = cli("venv").stderr
    assert "packages/a/node_modules: the lock has nothing here any more" in said and said.count(".nixgen/upper: mine")
    assert (a / ".nixgen/upper/mine/index.js").exists() and twos(cli) == [1, 1, 2, 3]


def test_what_is_in_the_way(cli: Cli, registry: NpmRegistry) -> None:
    """A node_modules of npm's in a workspace, or one of links, is refused with all there are, before any is mounted."""
    locked(cli, registry)
    whole, a, b = (cli.directory / one / "node_modules" for one in ("", "packages/a", "packages/b"))
    for path in (a, b):
        (path / "mine").mkdir(parents=True)
    said = cli("venv", "--mounted", code=3).stderr
    assert f"where: {a}, {b}" in said and "rm -r packages/a/node_modules packages/b/node_modules" in said
    assert not whole.exists()
    for path in (a, b):
        shutil.rmtree(path)
    cli("venv")
    shutil.rmtree(whole)
    said = cli("venv", "--mounted", code=3).stderr
    assert "one of links" in said and "rm -r packages/a/node_modules packages/b/node_modules" in said


def test_a_command_alone(cli: Cli, registry: NpmRegistry) -> None:
    """`nixgen run --mounted` shows those of workspaces too, to the command and to nobody else."""
    locked(cli, registry)
    code = "process.chdir('packages/a'); require('module').createRequire(process.cwd() + '/x').resolve('two')"
    found = cli("run", "--mounted", "--", "node", "-p", code).stdout
    assert found == f"{cli.directory}/packages/a/node_modules/two/index.js\n"
    assert not [*(cli.directory / "packages/a/node_modules").iterdir()]


def test_the_directory_of_another_user(cli: Cli, registry: NpmRegistry) -> None:
    """What root mounts in a user's project belongs to the user, and so does what it writes beside that."""
    with open_directory() as around:
        theirs = replace(cli, directory=around / "project")
        locked(theirs, registry)
        give(around / "project")
        try:
            theirs("venv", "--mounted")
            a = around / "project/packages/a/node_modules"
            assert {path.lstat().st_uid for path in (a, *a.rglob("*"))} == {UID}
            locked(theirs, registry, a=1)
            theirs("venv")
            assert not a.exists()
        finally:
            unmount_below(around)
