"""Modules of nixmodules for Node.js, evaluated as moduleit does, and run as a repl does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.nix.conftest import Nix
from tests.support.modules import NIXMODULES, Repl, problems
from tests.support.mounts import needs_root, own_places, unmount_below
from tests.support.nix import instantiate
from tests.support.nixpkgs import write_nixpkgs
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import npm_lock, of_registry

PKGS = "(import (/. + nixpkgs) { })"
MODULE = '(nixgen.mkModule ({ lock = nixgen.readLock (/. + file); id = "shop"; } // more))'
PLAIN = f"({MODULE} {{ pkgs = {PKGS}; lib = {{ }}; }})"
MODULEIT = f'(import (/. + nixmodules + "/pkgs/moduleit/entrypoint.nix") {{ pkgs = {PKGS}; configPath = {MODULE}; }})'
CLI = "#!/usr/bin/env node\nconsole.log('ran', require('two'))\n"
MAIN = "import('one').then(found => console.log(found.default))\n"


@pytest.fixture(scope="module")
def registry() -> Iterator[NpmRegistry]:
    """A registry with a package that needs another one, and one that no lock has."""
    one = npm_package(
        "one", files={"index.js": "module.exports = ['one', require('two')]\n", "cli.js": CLI}, bin="cli.js"
    )
    two = npm_package("two", files={"index.js": "module.exports = 'two'\n"})
    more = npm_package("more", files={"index.js": "module.exports = 'more'\n"})
    with NpmRegistry([one, two, more]) as registry:
        yield registry


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory, registry: NpmRegistry) -> dict[str, Any]:
    """A lock of two packages, the stand-ins for nixpkgs and nixmodules, and no further arguments."""
    directory = tmp_path_factory.mktemp("module")
    one, two, _ = registry.packages
    rows = [
        of_registry(registry, one, dependencies={"two": "node_modules/two"}, bin={"one": "cli.js"}),
        of_registry(registry, two),
    ]
    (directory / "nixgen.lock").write_text(json.dumps(npm_lock(*rows)))
    return {
        "file": str(directory / "nixgen.lock"),
        "nixpkgs": str(write_nixpkgs(directory / "nixpkgs")),
        "nixmodules": str(NIXMODULES),
        "more": {},
    }


@pytest.fixture
def repl(nix: Nix, values: dict[str, Any], tmp_path: Path) -> Repl:
    """A repl whose directory has a space in its name, with the module that moduleit makes."""
    (tmp_path / "a repl").mkdir()
    return Repl.of_file(tmp_path / "a repl", nix.build(MODULEIT, **values))


def test_what_the_json_says(repl: Repl) -> None:
    """Every field is known and of its type; names, variables and tools are those of a Node.js repl, and none is
    Python's or NODE_PATH."""
    said = repl.module
    assert list(problems(said)) == []
    assert (said["id"], said["description"]) == ("shop", "Node.js with the packages of shop")
    assert said["displayVersion"].count(".") == 2
    path, prefix, environment = said["env"]["PATH"].split(":")
    assert (path, prefix) == ("$REPL_HOME/node_modules/.bin", "$REPL_HOME/.config/npm/bin")
    assert environment.endswith("-node-env/bin")
    assert said["env"].keys() == {"PATH", "npm_config_prefix"}
    runner = said["runners"]["nodejs"]
    assert (runner["language"], runner["fileParam"]) == ("javascript", True)
    assert runner["defaultEntrypoints"] == ["index.js", "main.js", "app.js", "server.js"]
    assert said["packagers"]["upmNodejs"]["ignoredPaths"] == ["node_modules"]
    assert (said["initializers"].keys(), said["runners"].keys()) == ({"nixgenNode"}, {"nodejs"})


def test_a_repl(repl: Repl, registry: NpmRegistry) -> None:
    """Each boot makes or heals node_modules, in silence; a program imports the lock's packages, and what npm installs
    lies above and survives the next boot."""
    assert repl.boot() == ""
    (repl.home / "main.js").write_text(MAIN)
    assert repl.run_file("nodejs") == "[ 'one', 'two' ]\n"
    assert repl.run(["one"]) == "ran two\n"
    (repl.home / "package.json").write_text('{"dependencies": {"one": "1.0.0", "two": "1.0.0"}}')
    offline = ["--registry", registry.url, "--no-audit", "--no-fund", "--loglevel", "error"]
    assert "added 1 package" in repl.run(["npm", "install", *offline, "more"])
    (repl.home / "node_modules/two").unlink()
    assert repl.boot() == "" and repl.boot() == ""
    assert repl.run(["node", "-p", "[require('more'), require('one'), require('two')].flat().join()"]) == (
        "more,one,two,two\n"
    )


def test_what_others_have_made_stays(repl: Repl) -> None:
    """A node_modules that nixgen has not made is left alone, and the boot says so."""
    (repl.home / "node_modules/mine").mkdir(parents=True)
    (command,) = (tool["start"]["args"] for tool in repl.module["initializers"].values())
    environment = {**repl.environment}
    done = subprocess.run(command, cwd=repl.home, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "this was not made by nixgen, and is left alone" in done.stderr and "a repl/node_modules" in done.stderr
    assert [path.name for path in (repl.home / "node_modules").iterdir()] == ["mine"]


def test_arguments(nix: Nix, values: dict[str, Any]) -> None:
    """Entry points are the user's; a directory with bin/node takes the place of nixpkgs' Node.js; `omit` and `form` are
    those of the environment."""
    more = {"entrypoints": ["shop.mjs", "main.py"], "node": "/opt/node", "omit": ["dev"], "form": "mounted"}
    tools = nix.evaluate(
        f"{{ inherit ({PLAIN}.replit) initializers runners; }}", write=True, **{**values, "more": more}
    )
    assert tools["runners"]["nodejs"]["defaultEntrypoints"] == ["shop.mjs"]
    assert tools["runners"]["nodejs"]["name"] == "Node.js"
    *_, command = tools["initializers"]["nixgenNode"]["start"]["args"]
    assert "-nixgen-venv/mounted.py attach --quiet --image " in command
    assert command.endswith('-mounted -- "$REPL_HOME/node_modules"')
    asked = {**values, "more": {"form": "links"}}
    assert "the form links" in nix.refusal(f"{PLAIN}.replit.initializers.nixgenNode.start.args", **asked)


def test_it_is_evaluated_without_builds(nix: Nix, values: dict[str, Any]) -> None:
    """Nothing is built or fetched to evaluate it; the closure of the JSON has the packages."""
    strict = {**nix.env, "NIX_CONFIG": nix.env["NIX_CONFIG"] + "allow-import-from-derivation = false\n"}
    drv = instantiate(MODULEIT, strict, **values)
    made = subprocess.run(["nix-store", "--realise", drv], env=nix.env, capture_output=True, text=True, check=True)
    command = ["nix-store", "--query", "--requisites", made.stdout.strip()]
    closure = subprocess.run(command, env=nix.env, capture_output=True, text=True, check=True).stdout.split()
    assert {path.rpartition("-")[2] for path in closure} >= {"one", "two", "env", "nodejs"}


@needs_root
def test_a_mounted_repl(nix: Nix, values: dict[str, Any], tmp_path: Path) -> None:
    """A mounted module shows real files at each boot."""
    home = tmp_path / "repl"
    home.mkdir()
    repl = Repl.of_file(home, nix.build(MODULEIT, **{**values, "more": {"form": "mounted"}}))
    (tool,) = repl.module["initializers"].values()
    # Its own, as the machine's are for what really runs there.
    environment = {**repl.environment, **own_places(tmp_path)}
    try:
        for _ in range(2):
            boot = subprocess.run(tool["start"]["args"], env=environment, capture_output=True, text=True, check=True)
            assert boot.stdout + boot.stderr == ""
        assert repl.run(["node", "-p", "require.resolve('one')"]) == f"{home}/node_modules/one/index.js\n"
    finally:
        unmount_below(tmp_path)
