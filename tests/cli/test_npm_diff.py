"""``nixgen diff`` of packages of npm, and what a lock says that has changed."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from nixgen.npm.versions import in_order
from tests.cli.test_diff import git
from tests.support.cli import Cli
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project

BIG = "x" * 5000 + "\n"
OLD = [npm_package("app", "9.0.0", files={"LICENSE": BIG, "a.js": "1"}), npm_package("gone"), npm_package("same")]
NEW = [
    npm_package("app", "10.0.0", files={"LICENSE": BIG, "a.js": "22"}),
    npm_package("came", "1.0.0-rc.1"),
    npm_package("same", files={"index.js": "made again"}),
]


@pytest.fixture
def registries() -> Iterator[tuple[NpmRegistry, NpmRegistry]]:
    """Two registries, which have a version in common, and other archives of it."""
    with NpmRegistry(OLD) as old, NpmRegistry(NEW) as new:
        yield old, new


def write(cli: Cli, registry: NpmRegistry) -> None:
    """Write the lock of a project with all that a registry has, and of one package for another system."""
    packages = [of_registry(registry, package) for package in registry.packages]
    windows = of_registry(registry, registry.packages[0], "node_modules/windows", os=["win32"], optional=True)
    write_npm_project(cli.directory, windows, *packages)


def test_what_differs_of_npm(nixgen: Cli, registries: tuple[NpmRegistry, NpmRegistry]) -> None:
    """Packages, versions, archives and files by content are compared, in the order of npm's versions."""
    old, new = registries
    write(nixgen, old)
    git(nixgen, "init", "--quiet")
    git(nixgen, "add", "-A")
    git(nixgen, "commit", "--quiet", "-m", "one")
    write(nixgen, new)
    lines = nixgen("diff").stdout.splitlines()
    assert lines[:4] == [
        "  app   9.0.0 -> 10.0.0",
        "+ came  1.0.0-rc.1",
        "- gone  1.0.0",
        "  same  other archives of the same version",
    ]
    assert lines[4].startswith("packages of npm: 1 changed, 1 added, 1 removed; ")
    report = json.loads(nixgen("diff", "--json").stdout)
    assert report["changed"] == report["added"] == [] and report["fetch"] == 0
    npm = report["npm"]
    assert npm["changed"] == [{"name": "app", "old": ["9.0.0"], "new": ["10.0.0"]}]
    assert ([one["name"] for one in (*npm["added"], *npm["removed"])], npm["rebuilt"]) == (["came", "gone"], ["same"])
    assert npm["fetch"] == sum(len(package.archive) for package in NEW)
    files = npm["files"]
    # The large file, and the package.json of the package that was made again.
    assert files["same"] == 2 and len(BIG) < files["shared_bytes"] < len(BIG) + 100
    assert files["shared_bytes"] + files["added_bytes"] == files["new_bytes"]
    (line,) = nixgen("diff", "--line", "--packages").stdout.splitlines()
    assert line.startswith("app 9.0.0 -> 10.0.0, +came 1.0.0-rc.1, -gone 1.0.0; packages of npm: ")
    assert json.loads(nixgen("diff", "--json", "--packages").stdout)["npm"]["files"] is None
    assert nixgen("diff", "nixgen.lock").stdout == "the packages are the same\n"


def test_versions_of_npm_have_their_order() -> None:
    """Numbers are compared as numbers; what leads to a release comes before it, numbers before words."""
    ordered = ["not-one", "1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0", "10.0.0"]
    assert [*in_order(reversed(ordered))] == ordered


@pytest.mark.nix
def test_a_lock_says_what_changes_of_npm(empty_store: Cli, registries: tuple[NpmRegistry, NpmRegistry]) -> None:
    """Where a lock was there, what npm has changed since then is said, and what of it the store has not."""
    cli = empty_store

    def lock(registry: NpmRegistry) -> str:
        package = registry.packages[0]
        said = {"version": package.version, "resolved": registry.archive_url(package), "integrity": package.integrity}
        wanted = {"dependencies": {package.name: package.version}}
        (cli.directory / "package.json").write_text(json.dumps({"name": "app", **wanted}))
        packages = {"": {"name": "app", **wanted}, f"node_modules/{package.name}": said}
        text = json.dumps({"name": "app", "lockfileVersion": 3, "packages": packages})
        (cli.directory / "package-lock.json").write_text(text)
        return cli("lock").stderr

    assert "->" not in lock(registries[0])
    said = lock(registries[1]).splitlines()
    assert "  app  9.0.0 -> 10.0.0" in said
    assert "the store lacks 1 archive of npm's packages, 5.0 kB unpacked" in said
    cli("build")
    assert "lacks" not in lock(registries[1])
