"""Packages of npm that locks have, in a warm store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project

pytestmark = pytest.mark.nix


def test_locks_of_npm(empty_store: Cli, tmp_path: Path) -> None:
    """The packages of every lock are made before anybody asks: a build fetches and builds nothing then, for a
    user with an empty cache; what is kept is counted, and --measure says that it is all there."""
    one = npm_package("one", files={"index.js": "module.exports = ['one', require('two')]\n"})
    two, three = npm_package("two"), npm_package("three")
    with NpmRegistry([one, two, three]) as registry:
        for name, rows in (
            ("a", [of_registry(registry, one, dependencies={"two": "node_modules/two"}), of_registry(registry, two)]),
            ("b", [of_registry(registry, two), of_registry(registry, three)]),
        ):
            (empty_store.directory / "fleet" / name).mkdir(parents=True)
            write_npm_project(empty_store.directory / "fleet" / name, *rows)
        said = empty_store("warm", "--budget", "10MB", "fleet").stdout
        assert "keeps 2 of 2 entries" in said and "of npm: 3 packages, " in said
        assert sorted(registry.archives) == ["one-1.0.0.tgz", "three-1.0.0.tgz", "two-1.0.0.tgz"]
        again = json.loads(empty_store("warm", "--json", "fleet").stdout)
        assert again["npm"]["packages"] == 3 and again["npm"]["bytes"] > 300
        measured = json.loads(empty_store("warm", "--json", "--measure", "fleet").stdout)["measured"]
        assert [(found["trees"], found["treesThere"], found["full"]) for found in measured] == [(2, 2, True)] * 2
        registry.requests.clear()
        other = {"XDG_CACHE_HOME": str(tmp_path / "other"), "npm_config_cache": str(tmp_path / "npm")}
        done = empty_store("build", "--debug", "-C", "fleet/a", environment=other)
        assert not registry.requests and "building '" not in done.stderr
        assert not empty_store("warm", "--budget", "1B", "fleet").stdout.count("of npm")
