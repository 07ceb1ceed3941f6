"""``nixgen size`` of packages of npm, alone and beside Python's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from nixgen.lock import Lock
from tests.cli.test_size import data_of
from tests.support.cli import Cli
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import Json, npm_lock, of_registry, write_npm_project
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

BIG = "x" * 5000 + "\n"


@pytest.fixture
def registry() -> Iterator[NpmRegistry]:
    """A registry whose packages have a content in common, one of them as a program too."""
    made = [
        npm_package(
            "app", files={"index.js": "module.exports = 1\n" * 500, "LICENSE": BIG, "empty.js": ""}, bin="x.js"
        ),
        npm_package("leaf", files={"COPYING": BIG, "run": f"#!{BIG}", "lib/run": f"#!{BIG}"}),
        npm_package("other", files={"LICENSE": BIG}),
    ]
    with NpmRegistry(made) as registry:
        yield registry


def packages(registry: NpmRegistry) -> list[Json]:
    """Return what the lock of a project says, which has one package at two places and one for another system."""
    app, leaf, other = registry.packages
    return [
        of_registry(registry, app, dependencies={"leaf": "node_modules/leaf"}),
        of_registry(registry, leaf),
        of_registry(registry, leaf, "node_modules/old", dependencies={"app": "node_modules/app"}),
        of_registry(registry, other, os=["win32"], optional=True),
    ]


def test_contents_of_npm_count_once(empty_store: Cli, registry: NpmRegistry) -> None:
    """A content counts once, whatever package, place or environment has it; what the store shares is there already, of
    whatever project; archives are read once, and what is for another system is left out."""
    cli = empty_store
    write_npm_project(cli.directory, *packages(registry))
    (one,) = json.loads(cli("size", "--json").stdout)["environments"]
    assert (one["name"], one["kind"], one["python"]) == (cli.directory.name, "npm", None)
    leaf, app = one["packages"]
    assert (app["name"], leaf["name"], leaf["files"]) == ("app", "leaf", 4)
    # Both copies of a program are one content; a package has its files at both of its places.
    assert one["bytes"] == app["bytes"] + leaf["bytes"] - 2 * len(BIG) - 2
    assert one["listed"] == app["bytes"] + 2 * leaf["bytes"]
    assert app["own"] == app["bytes"] - len(BIG)
    assert (one["stored_bytes"], one["environment"]) == (0, None)
    assert sorted(registry.archives) == ["app-1.0.0.tgz", "leaf-1.0.0.tgz"]

    cli("build")
    (one,) = json.loads(cli("size", "--json").stdout)["environments"]
    assert one["stored_bytes"] == one["bytes"]
    # The second place has other neighbours: it is a store path of its own, and takes no content again.
    assert one["tree_count"] == 3 and one["trees"]["bytes"] == one["listed"]
    assert one["environment"]["links"] >= 3
    said = cli("size").stdout
    assert ": npm on " in said and "its 3 packages, which environments share: " in said
    assert len(registry.archives) == 2

    (cli.directory / "beside").mkdir()
    write_npm_project(cli.directory / "beside", of_registry(registry, registry.packages[2]))
    one, other = json.loads(cli("size", ".", "beside", "--json").stdout)["environments"]
    assert one["shared"] == {"beside": len(BIG)} and other["stored_bytes"] == len(BIG) < other["bytes"]


def test_both_kinds_are_environments_of_their_own(empty_store: Cli, registry: NpmRegistry) -> None:
    """A mixed project has an environment of each kind, which are not compared with each other; the page has both."""
    cli = empty_store
    name, content = make_wheel("leaf", "1.0", {"leaf.py": BIG})
    (cli.directory / name).write_bytes(content)
    cli("lock", name)
    file = cli.directory / "nixgen.lock"
    file.write_text(replace(Lock.from_file(file), npm=Lock.from_json(npm_lock(*packages(registry))).npm).to_text())
    python, npm = json.loads(cli("size", "--json", "--html", "page.html").stdout)["environments"]
    assert (python["kind"], npm["kind"]) == ("python", "npm") and npm["name"] == f"{python['name']} (npm)"
    assert python["shared"] == npm["shared"] == {}
    one, other = data_of((cli.directory / "page.html").read_text())["environments"]
    assert one["packages"][0][0] == "leaf 1.0"
    leaf, app = other["packages"]
    assert (leaf[0], app[0]) == ("leaf 1.0.0", "app 1.0.0")
    assert ["lib", [["run", len(BIG) + 2, 0]]] in leaf[1]
