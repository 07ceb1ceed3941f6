"""Edges and flags beside npm's own: its arborist reads the same lock."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nixgen.npm.edges import edges_of, holders, optional_set, sources_of
from nixgen.npm.package_lock import parse
from tests.support.node import node, npm, npm_library
from tests.support.npm import NpmRegistry, npm_package

_ASK = """
const Arborist = require(process.argv[2]);
const optionalSet = require(process.argv[2] + '/lib/optional-set.js');
new Arborist({ path: process.cwd() }).loadVirtual().then(tree => {
  const edges = {}, bundled = [], optional = {};
  for (const node of tree.inventory.values()) {
    const at = node.location;
    if (!node.isLink) for (const edge of node.edgesOut.values()) {
      if (edge.to && edge.to !== node) (edges[at] ??= {})[edge.name] = [edge.to.location, edge.optional];
    }
    if (node.inDepBundle) bundled.push(at);
    if (node.optional && !node.isLink) optional[at] = [...optionalSet(node)].map(one => one.location).sort();
  }
  console.log(JSON.stringify({ edges, bundled: bundled.sort(), optional }));
});
"""


def _compare(directory: Path, home: Path) -> dict[str, Any]:
    """See that the lock of a project gives the same as arborist says; return what it says."""
    (home / "ask.cjs").write_text(_ASK)
    said = json.loads(node(home / "ask.cjs", npm_library("@npmcli/arborist"), directory=directory, home=home))
    lock = parse((directory / "package-lock.json").read_text(), where="package-lock.json")
    edges = edges_of(lock.entries)
    ours = {at: {name: [edge.to, edge.optional] for name, edge in own.items()} for at, own in edges.items() if own}
    # npm's root has edges to its workspaces, that nobody imports by: they are links at the top.
    for entry in lock.entries.values():
        if entry.link in lock.workspaces:
            said["edges"].get("", {}).pop(entry.name, None)
    assert ours == {at: own for at, own in said["edges"].items() if own}
    assert sorted(holders(lock.entries)) == said["bundled"]
    into = sources_of(edges)
    assert {at: sorted(optional_set([at], edges, into)) for at in said["optional"]} == said["optional"]
    return said


def test_edges_of_generated_packages_are_those_of_arborist(tmp_path: Path) -> None:
    """With peers, optional and bundled packages, aliases, overrides, workspaces and two versions: arborist's edges."""
    home, project = tmp_path / "home", tmp_path / "project"
    packages = [
        npm_package("leaf", "1.0.0"),
        npm_package("leaf", "2.0.0"),
        npm_package("@s/leaf", "1.0.0", dependencies={"leaf": "1"}),
        npm_package("middle", dependencies={"leaf": "^1", "@s/leaf": "1"}, peerDependencies={"host": "*"}),
        npm_package("host", dependencies={"middle": "1", "leaf": "2"}),
        npm_package(
            "maybe",
            peerDependencies={"leaf": "*", "nowhere": "*"},
            peerDependenciesMeta={"leaf": {"optional": True}, "nowhere": {"optional": True}},
        ),
        npm_package("native-win", os=["win32"], dependencies={"only-win": "1"}),
        npm_package("only-win"),
        npm_package("native-linux", os=["linux"], cpu=["x64"]),
        npm_package("wrapper", optionalDependencies={"native-win": "1", "native-linux": "1"}),
        npm_package("outer", dependencies={"native-win": "1", "leaf": "1"}),
        npm_package(
            "bundler",
            files={
                "index.js": "",
                "node_modules/inner/package.json": '{"name":"inner","version":"1.0.0","dependencies":{"leaf":"1"}}',
                "node_modules/inner/index.js": "",
            },
            dependencies={"inner": "1", "leaf": "2"},
            bundleDependencies=["inner"],
        ),
        npm_package("inner", dependencies={"leaf": "1"}),
        npm_package("overridden", dependencies={"leaf": "1"}),
    ]
    (project / "packages/a").mkdir(parents=True)
    (project / "packages/a/package.json").write_text(
        json.dumps(
            {"name": "ws-a", "version": "1.0.0", "dependencies": {"leaf": "1"}, "devDependencies": {"host": "1"}}
        )
    )
    (project / "lib").mkdir()
    (project / "lib/package.json").write_text(
        json.dumps({"name": "lib", "version": "1.0.0", "dependencies": {"maybe": "1"}})
    )
    (project / "package.json").write_text(
        json.dumps(
            {
                "name": "app",
                "workspaces": ["packages/*"],
                "dependencies": {
                    "host": "1",
                    "maybe": "1",
                    "wrapper": "1",
                    "old-leaf": "npm:leaf@1",
                    "bundler": "1",
                    "overridden": "1",
                    "lib": "file:lib",
                },
                "optionalDependencies": {"outer": "1"},
                "devDependencies": {"middle": "1"},
                "overrides": {"overridden": {"leaf": "2.0.0"}},
            }
        )
    )
    with NpmRegistry(packages) as registry:
        registry.lock(project, home=home)
    said = _compare(project, home)
    assert "node_modules/bundler/node_modules/inner" in said["bundled"]
    assert "node_modules/outer" in said["optional"]["node_modules/native-win"]


@pytest.mark.registry
def test_edges_of_a_real_project_are_those_of_arborist(tmp_path: Path) -> None:
    """A lock of more than a hundred packages of npm: not one edge differs, nor which are bundled or go together."""
    home, project = tmp_path / "home", tmp_path / "project"
    project.mkdir()
    wanted = {"eslint": "^8", "vite": "^5"}
    (project / "package.json").write_text(json.dumps({"name": "app", "dependencies": wanted}))
    npm("install", "--package-lock-only", "--ignore-scripts", directory=project, home=home)
    said = _compare(project, home)
    assert sum(map(len, said["edges"].values())) > 150
