"""``nixgen show`` of packages of npm."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.lock import Lock
from nixgen.targets import default_python
from tests.support.cli import Cli
from tests.support.locks import lock_wheels
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix


def test_each_place_is_shown_with_its_archive(empty_store: Cli) -> None:
    """A place has its archive, its files with their hashes, and its store path when it is built; a link a directory;
    Python's packages stand before."""
    cli = empty_store
    app = npm_package("@s/app", files={"index.js": "1", "run.js": "#!/bin/sh\n"})
    leaf = npm_package("leaf")
    with NpmRegistry([app, leaf]) as registry:
        write_npm_project(
            cli.directory,
            of_registry(registry, app, dependencies={"leaf": "node_modules/@s/app/node_modules/leaf"}),
            of_registry(registry, leaf, "node_modules/@s/app/node_modules/leaf"),
            {"at": "node_modules/part", "name": "part", "version": "3.0.0", "link": "packages/part"},
        )
        rows = [line.split() for line in cli("show").stdout.splitlines()]
        assert rows == [
            ["@s/app", "1.0.0", "app-1.0.0.tgz", "3", "files", "not", "built"],
            ["leaf", "1.0.0", "at", "node_modules/@s/app/node_modules/leaf", *rows[1][4:]],
            ["part", "3.0.0", "(packages/part)", "a", "directory"],
        ]
        cli("build")
        found = json.loads(cli("show", "leaf", "@s/app", "--files", "--json").stdout)["npm"]
        assert [one["name"] for one in found] == ["@s/app", "leaf"]
        assert (Path(found[0]["path"]) / "node_modules/@s/app/index.js").read_text() == "1"
        assert found[0]["integrity"] == app.integrity
        (index,) = [one for one in found[0]["contents"] if one["path"] == "index.js"]
        assert index == {"path": "index.js", "size": 1, "sha256": hashlib.sha256(b"1").hexdigest(), "executable": False}
        assert "no package named other" in cli("show", "other", code=3).stderr

        file = cli.directory / "nixgen.lock"
        npm = Lock.from_file(file).npm
        lock_wheels(cli.directory, make_wheel("leaf", "1.0", {"leaf.py": "x = 1\n"}), python=default_python())
        file.write_text(replace(Lock.from_file(file), npm=npm).to_text())
        lines = cli("show", "leaf").stdout.splitlines()
        assert lines[0].startswith("leaf 1.0 ") and lines[1:3] == ["", "packages of npm:"] and len(lines) == 4
