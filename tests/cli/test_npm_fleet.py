"""``nixgen fleet`` of locks with packages of npm, alone and beside Python's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from nixgen.lock import Lock
from nixgen.npm.versions import fits
from tests.cli.test_size import data_of
from tests.support.cli import Cli
from tests.support.locks import lock_wheels
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import npm_lock, of_registry, write_npm_project
from tests.support.wheels import make_wheel

BIG = "x" * 5000 + "\n"
OLD = npm_package("demo", "9.0.0", files={"LICENSE": BIG, "a.js": "1"})
NEW = npm_package("demo", "10.0.0", files={"LICENSE": BIG, "a.js": "22"})
TWIN = npm_package("@s/twin", "2.0.0-rc.1", files={"twin.js": BIG})
OTHER = npm_package("other", files={"other.js": BIG})


@pytest.fixture
def registry() -> Iterator[NpmRegistry]:
    """A registry with two versions of a package, and others that have one of its files."""
    with NpmRegistry([OLD, NEW, TWIN, OTHER]) as registry:
        yield registry


@pytest.fixture
def fleet(nixgen: Cli, registry: NpmRegistry) -> Cli:
    """Three projects: two of npm alone, the third with a package of Python that is called as one of npm's."""
    one, new, twin, other = (of_registry(registry, package) for package in registry.packages)
    for directory in ("a", "b", "c"):
        (nixgen.directory / directory).mkdir()
    windows = {**other, "os": ["win32"], "optional": True}
    again = {**one, "at": "node_modules/old"}
    write_npm_project(nixgen.directory / "a", one, again, windows)
    write_npm_project(nixgen.directory / "b", new, twin)
    wheel = make_wheel("demo", "1.0", {"demo.py": BIG})
    lock_wheels(nixgen.directory / "c", wheel, python="3.11")
    file = nixgen.directory / "c" / "nixgen.lock"
    file.write_text(replace(Lock.from_file(file), npm=Lock.from_json(npm_lock(one)).npm).to_text())
    return nixgen


def report(cli: Cli, *arguments: str, code: int = 0) -> Any:
    return json.loads(cli("fleet", "--json", *arguments, code=code).stdout)


def test_both_kinds_count_beside_each_other(fleet: Cli, registry: NpmRegistry) -> None:
    """Each content counts once over all locks, and what several have is shared; archives for other systems are held and
    not read; a name of both kinds is two packages."""
    found = report(fleet)
    a, b, c = found["locks"]
    assert [(one["wheels"], one["archives"], one["packages"]) for one in (a, b, c)] == [(0, 2, 2), (0, 2, 2), (1, 1, 2)]
    assert (found["wheels"], found["archives"], found["versions"]) == (1, 4, 5)
    assert [one["unknown"] for one in (a, b, c)] == [[], [], []]
    assert "other-1.0.0.tgz" not in registry.archives and len(registry.archives) == 3
    of_npm, of_python = sorted((one for one in found["packages"] if one["name"] == "demo"), key=lambda one: one["kind"])
    assert (of_npm["kind"], of_python["kind"]) == ("npm", "python")
    assert [(one["version"], one["locks"], one["archives"]) for one in of_npm["versions"]] == [
        ("9.0.0", [0, 2], 1),
        ("10.0.0", [1], 1),
    ]
    # The large file is in both versions, and in another package too; the wheel's is a leaf, and another file.
    assert of_npm["between_bytes"] == 0 and found["several_bytes"] == len(BIG)
    assert a["own_bytes"] == 0 and a["copied"] == 2 * a["bytes"]
    assert found["unique_bytes"] + found["shared_bytes"] == found["bytes"]
    said = fleet("fleet", "--html", "page.html", ".").stderr + fleet("fleet").stdout
    assert "3 locks, 4 packages in 5 versions, 1 wheel and 4 archives of npm of " in said
    names = [name for name, _ in data_of((fleet.directory / "page.html").read_text())["fleet"]["packages"]]
    assert {"demo", "demo (npm)"} <= set(names)


def test_who_holds_a_version_of_npm(fleet: Cli) -> None:
    """One question is for both kinds, by the order of each; a name with a scope is of npm, and other systems count."""
    assert [line.split() for line in fleet("fleet", "--has", "demo<10").stdout.splitlines()] == [
        ["a/nixgen.lock", "demo", "(npm)", "9.0.0"],
        ["c/nixgen.lock", "demo", "(npm)", "9.0.0"],
        ["c/nixgen.lock", "demo", "1.0"],
    ]
    (holder,) = report(fleet, "--has", "@s/twin<2", "--has", "other")["holders"][:1]
    assert (holder["path"], holder["name"], holder["kind"], holder["targets"]) == ("a/nixgen.lock", "other", "npm", [])
    assert "(for other systems)" in fleet("fleet", "--has", "other").stdout
    (twin,) = report(fleet, "--has", "@s/twin<2")["holders"]
    assert (twin["versions"], twin["places"]) == (["2.0.0-rc.1"], ["node_modules/@s/twin"])
    fleet("fleet", "--has", "@s/twin>=2", code=8)
    assert "write it such as" in fleet("fleet", "--has", "@s/twin@latest", code=2).stderr
    (twin,) = report(fleet, "--has", "@s/twin@2.x")["holders"]
    assert twin["versions"] == ["2.0.0-rc.1"]
    assert [one["kind"] for one in report(fleet, "--has", "demo@<10 || 11")["holders"]] == ["npm", "npm"]
    fleet("fleet", "--has", "demo@1.0", code=8)
    assert "nixgen outdated" in fleet("fleet", "--upgrade", "other", code=3).stderr


def test_an_archive_that_cannot_be_read_is_named(fleet: Cli, registry: NpmRegistry) -> None:
    """The others count, and the exit code says that something is missing."""
    registry.altered["twin-2.0.0-rc.1.tgz"] = OTHER.archive
    found = report(fleet, code=3)
    assert [one["path"] for one in found["problems"]] == ["@s/twin 2.0.0-rc.1"]
    assert found["locks"][1]["unknown"] == ["@s/twin"] and found["locks"][1]["bytes"] > len(BIG)


@pytest.mark.parametrize(
    ("clause", "held"),
    [
        (("<", "4.17.21"), "4.3.0 4.17.20 4.17.21-rc.1"),
        (("<=", "4.17"), "4.3.0"),
        ((">", "4.17.20"), "4.17.21-rc.1 4.17.21 5.0.0"),
        (("==", "4.17.*"), "4.17.20 4.17.21-rc.1 4.17.21"),
        (("!=", "4.*"), "5.0.0"),
        (("~=", "4.17.21"), "4.17.21"),
        (("==", "4.17.21"), "4.17.21"),
    ],
)
def test_clauses_fit_versions_of_npm(clause: tuple[str, str], held: str) -> None:
    """They are compared in npm's order: what leads to a release is before it."""
    versions = ["4.3.0", "4.17.20", "4.17.21-rc.1", "4.17.21", "5.0.0"]
    assert " ".join(version for version in versions if fits(version, *clause)) == held
