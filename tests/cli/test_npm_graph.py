"""``nixgen list``, ``tree`` and ``why`` of packages of npm, alone and beside Python's."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.lock import Lock
from tests.support.cli import Cli
from tests.support.npm_locks import Json, npm_lock, write_npm_project
from tests.support.wheels import make_wheel


def package(at: str, version: str = "1.0.0", **more: object) -> Json:
    """Return what a lock says of a package; nobody looks at its archive."""
    name = str(more.pop("name", at.rpartition("node_modules/")[2]))
    letter = f"{name}{version}".encode().hex()[:8]
    integrity = f"sha512-{letter.ljust(86, 'A')}=="
    place = {"url": f"https://host.invalid/{name}-{version}.tgz", "integrity": integrity, "size": 2000}
    return {"at": at, "name": name, "version": version, **place, **more}


PACKAGES = (
    package(
        "node_modules/app", dependencies={"leaf": "node_modules/app/node_modules/leaf", "core": "node_modules/core"}
    ),
    package("node_modules/app/node_modules/leaf", "2.0.0"),
    package(
        "node_modules/core", dependencies={"leaf": "node_modules/leaf", "app": "node_modules/app"}, undeclared=["app"]
    ),
    package("node_modules/leaf"),
    package("node_modules/other", dependencies={"leaf": "node_modules/other/node_modules/leaf"}, dev=True),
    package("node_modules/other/node_modules/leaf", "2.0.0", dev=True),
    package("node_modules/old", name="leaf"),
    package("node_modules/windows", os=["win32"], optional=True),
    {"at": "node_modules/shared", "name": "shared", "version": "3.0.0", "link": "packages/shared"},
)

MANIFEST = {
    "name": "shop",
    "dependencies": {"app": "^1.0.0", "old": "npm:leaf@1", "windows": "*"},
    "devDependencies": {"other": "1"},
    "workspaces": ["packages/*"],
}


def write(directory: Path) -> None:
    """Write a project with one package at several places, a circle, an alias and a workspace."""
    write_npm_project(directory, *PACKAGES, workspaces=["packages/shared"], manifest=False)
    (directory / "package.json").write_text(json.dumps(MANIFEST))
    (directory / "packages" / "shared").mkdir(parents=True)
    (directory / "packages" / "shared" / "package.json").write_text('{"name": "shared", "dependencies": {"core": "1"}}')


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Cli:
    """Give a project of npm alone."""
    directory = tmp_path_factory.mktemp("shop")
    write(directory)
    return Cli(directory=directory)


def test_packages_are_listed_once_for_all_places(shop: Cli) -> None:
    """A version has a row, with its places where they are not what its name says; what does not run here has none."""
    done = shop("list")
    rows = {tuple(line.split()[:2]): line.split()[2:] for line in done.stdout.splitlines()}
    assert rows["app", "1.0.0"] == ["direct", "2.0", "kB", "npm"]
    assert rows["leaf", "1.0.0"] == ["direct", "2.0", "kB", "npm", "node_modules/leaf,", "node_modules/old"]
    assert rows["leaf", "2.0.0"][2:] == [
        "npm",
        "node_modules/app/node_modules/leaf,",
        "node_modules/other/node_modules/leaf",
    ]
    assert rows["shared", "3.0.0"] == ["direct", "npm", "packages/shared"]
    assert rows["core", "1.0.0"][0] == "direct"  # a workspace asks for it
    assert ("windows", "1.0.0") not in rows
    assert "6 packages of npm, 5 direct, 10.0 kB packed" in done.stderr
    report = json.loads(shop("list", "--json", "--omit", "dev").stdout)
    assert "python" not in report and [one["name"] for one in report["npm"]] == [
        "app",
        "core",
        "leaf",
        "leaf",
        "shared",
    ]
    assert report["npm"][3]["places"] == ["node_modules/app/node_modules/leaf"]


def test_the_tree_goes_by_the_edges_of_the_lock(shop: Cli) -> None:
    """Below each package stands what Node.js finds from its place; circles end, and other places are said."""
    assert shop("tree").stdout.splitlines() == [
        "app 1.0.0",
        "├── leaf 2.0.0 at node_modules/app/node_modules/leaf",
        "└── core 1.0.0",
        "    ├── app 1.0.0 (undeclared) (*)",
        "    └── leaf 1.0.0",
        "leaf 1.0.0 at node_modules/old",
        "shared 3.0.0 (packages/shared)",
        "└── core 1.0.0 (*)",
        "other 1.0.0 (dev)",
        "└── leaf 2.0.0 at node_modules/other/node_modules/leaf",
        "(*) shown above with all below it",
    ]
    assert shop("tree", "--invert", "node_modules/leaf", "--depth", "1").stdout.splitlines() == [
        "leaf 1.0.0",
        "└── core 1.0.0",
    ]
    report = json.loads(shop("tree", "--json").stdout)["npm"]
    assert {"at": "node_modules/other", "wanted": "1", "table": "devDependencies"} in report["roots"]
    assert report["packages"][2]["requires"] == [
        {"at": "node_modules/app", "undeclared": True},
        {"at": "node_modules/leaf"},
    ]


def test_why_says_it_of_each_place(shop: Cli) -> None:
    """A name stands for all of its places, each with its chains, a place for itself; a mistyped one gets a hint."""
    assert shop("why", "leaf").stdout.splitlines() == [
        "leaf 2.0.0 at node_modules/app/node_modules/leaf",
        "  the project → app 1.0.0 (^1.0.0) → leaf 2.0.0 at node_modules/app/node_modules/leaf",
        "  the project → shared 3.0.0 (packages/shared) → core 1.0.0 (1) → app 1.0.0 (undeclared) → "
        "leaf 2.0.0 at node_modules/app/node_modules/leaf",
        "leaf 1.0.0",
        "  the project → app 1.0.0 (^1.0.0) → core 1.0.0 → leaf 1.0.0",
        "  the project → shared 3.0.0 (packages/shared) → core 1.0.0 (1) → leaf 1.0.0",
        "leaf 1.0.0 at node_modules/old",
        "  the project → leaf 1.0.0 at node_modules/old (npm:leaf@1)",
        "leaf 2.0.0 at node_modules/other/node_modules/leaf",
        "  the project → other 1.0.0 (dev) (1) → leaf 2.0.0 at node_modules/other/node_modules/leaf",
    ]
    report = json.loads(shop("why", "node_modules/leaf", "--json").stdout)
    (place,) = report["npm"]
    assert (place["at"], place["direct"], place["complete"], len(place["chains"])) == (
        "node_modules/leaf",
        False,
        True,
        2,
    )
    assert "did you mean core?" in shop("why", "cor", code=3).stderr
    assert "for another choice or target" in shop("why", "windows", code=3).stderr


def test_both_kinds_are_told_apart(tmp_path: Path, shop: Cli) -> None:
    """One listing has both, by where they come from; a name that both have gives both; JSON has npm's under a key."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    name, content = make_wheel("leaf", "1.0", {"leaf.py": "x = 1\n"})
    (wheels / name).write_bytes(content)
    (tmp_path / "requirements.txt").write_text(f"leaf @ file:wheels/{name}\n")
    cli = Cli(directory=tmp_path, environment={"XDG_CACHE_HOME": str(tmp_path / "cache")})
    cli("lock", f"wheels/{name}")
    file = tmp_path / "nixgen.lock"
    npm = Lock.from_json(npm_lock(*PACKAGES)).npm
    file.write_text(replace(Lock.from_file(file), npm=npm).to_text())
    (tmp_path / "package.json").write_text(json.dumps(MANIFEST))
    lines = cli("list").stdout.splitlines()
    assert next(line.split()[4:6] for line in lines if line.startswith("leaf")) == ["B", "path"]
    assert sum(" npm" in line for line in lines) == len(lines) - 1 > 4
    tree = cli("tree").stdout.splitlines()
    assert tree[:3] == ["leaf 1.0", "", "packages of npm:"] and "app 1.0.0" in tree
    why = cli("why", "leaf").stdout.splitlines()
    assert why[0] == "leaf 1.0" and "packages of npm:" in why
    assert set(json.loads(cli("tree", "--json").stdout)) == {"python", "system", "roots", "packages", "unknown", "npm"}
    assert len(json.loads(cli("why", "leaf", "--json").stdout)["npm"]) == 4
