"""``nixgen export`` of packages of npm: a bill of materials, alone and beside Python's."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from nixgen.lock import Lock
from nixgen.targets import default_python
from tests.support.cli import Cli
from tests.support.locks import lock_wheels
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project
from tests.support.wheels import make_wheel

APP = npm_package("@s/app", license="(MIT OR Apache-2.0)")
LEAF = npm_package("leaf", licenses=[{"type": "MIT"}, {"type": "ISC"}])
OWN = npm_package("own", license="SEE LICENSE IN LICENSE.md")


@pytest.fixture
def shop(nixgen: Cli) -> Iterator[Cli]:
    """A project with a package at two places, an optional one, one for development and a workspace."""
    with NpmRegistry([APP, LEAF, OWN]) as registry:
        packages = [
            of_registry(registry, APP, dependencies={"leaf": "node_modules/@s/app/node_modules/leaf"}),
            of_registry(registry, LEAF, "node_modules/@s/app/node_modules/leaf"),
            of_registry(registry, LEAF, optional=True),
            {**of_registry(registry, OWN, dev=True), "name": "mine"},
            {"at": "node_modules/part", "name": "part", "version": "3.0.0", "link": "packages/part"},
        ]
        write_npm_project(nixgen.directory, *packages, name="shop", workspaces=["packages/part"])
        (nixgen.directory / "packages" / "part").mkdir(parents=True)
        (nixgen.directory / "packages" / "part" / "package.json").write_text('{"dependencies": {"leaf": "1"}}')
        yield nixgen


def bill(cli: Cli) -> Any:
    """Return the bill of a project, which has to be valid and the same each time."""
    text = cli("export", "--format", "cyclonedx").stdout
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert cli("export", "--format", "cyclonedx").stdout == text
    return json.loads(text)


def test_the_bill_of_a_project_of_npm(shop: Cli) -> None:
    """It has package URLs, the hash that the lock binds, licences and who needs whom; one component for all places."""
    found = bill(shop)
    component = found["metadata"]["component"]
    assert (component["name"], component["version"]) == ("shop", "1.0.0")
    app, leaf, mine, part = found["components"]
    assert (app["purl"], leaf["purl"], part["purl"]) == (
        "pkg:npm/%40s/app@1.0.0",
        "pkg:npm/leaf@1.0.0",
        "pkg:npm/part@3.0.0",
    )
    assert app["hashes"] == [{"alg": "SHA-512", "content": hashlib.sha512(APP.archive).hexdigest()}]
    assert app["licenses"] == [{"expression": "(MIT OR Apache-2.0)"}]
    assert leaf["licenses"] == [{"expression": "(MIT OR ISC)"}]
    assert mine["licenses"] == [{"license": {"name": "SEE LICENSE IN LICENSE.md"}}]
    # It lies where no registry would have a package of its name.
    assert mine["purl"].startswith("pkg:npm/mine@1.0.0?download_url=http%3A%2F%2F")
    assert mine["properties"] == [{"name": "cdx:npm:package:development", "value": "true"}]
    assert "hashes" not in part
    edges = {one["ref"]: one.get("dependsOn", []) for one in found["dependencies"]}
    assert edges[app["bom-ref"]] == edges[part["bom-ref"]] == [leaf["bom-ref"]]
    assert set(edges[component["bom-ref"]]) == {app["bom-ref"], leaf["bom-ref"], mine["bom-ref"], part["bom-ref"]}
    text = shop("export", "--format", "cyclonedx", "--omit", "dev").stdout
    assert [one["name"] for one in json.loads(text)["components"]] == ["@s/app", "leaf", "part"]


def test_a_bill_has_both_kinds(shop: Cli) -> None:
    """One bill holds Python's packages and npm's; what is for Python's alone leaves npm's out, and says so."""
    file = shop.directory / "nixgen.lock"
    npm = Lock.from_file(file).npm
    assert "the lock has packages of npm alone" in shop("export", code=3).stderr
    assert "--format cyclonedx" in shop("export", "--format", "requirements", code=3).stderr
    lock_wheels(shop.directory, make_wheel("leaf", "1.0", {"leaf.py": "x = 1\n"}), python=default_python())
    file.write_text(replace(Lock.from_file(file), npm=npm).to_text())
    found = bill(shop)
    purls = [one["purl"] for one in found["components"]]
    assert "pkg:npm/leaf@1.0.0" in purls and any(purl.startswith("pkg:pypi/leaf@1.0") for purl in purls)
    done = shop("export")
    assert done.stdout.count("[[packages]]") == 1 and "those of npm are left out" in done.stderr
