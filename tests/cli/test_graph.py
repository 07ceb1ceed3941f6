"""``nixgen list``, ``tree`` and ``why``, beside uv's own tree."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel


def wheel(name: str, *requires: str, version: str = "1.0") -> tuple[str, bytes]:
    """Make a wheel that requires something."""
    lines = [f"Requires-Dist: {line}" for line in requires]
    extras = sorted(set(re.findall(r"extra == '([^']+)'", " ".join(requires))))
    return make_wheel(
        name, version, {f"{name}.py": "x = 1\n"}, metadata=[*lines, *(f"Provides-Extra: {e}" for e in extras)]
    )


FLOW = ("core", "worker; extra == 'celery'", "flow[celery]; extra == 'all'")

WHEELS = (
    wheel("flow", *FLOW),
    wheel("core", "base>=0.5", "fast; platform_system == 'Linux'", "never; sys_platform == 'win32'"),
    wheel("worker", "flow", "base"),  # as the providers of Airflow ask for Airflow
    wheel("base"),
    wheel("fast"),
    wheel("never"),
    wheel("table"),
    wheel("checker", "base"),
)

PROJECT = """
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["flow[all]"]
optional-dependencies = { tables = ["table"] }
[dependency-groups]
dev = ["checker"]
"""


@dataclass(kw_only=True)
class Shop:
    """A project whose packages ask for each other as Airflow's do, locked; with the server and the cache."""

    cli: Cli
    server: WheelServer
    cache: Path


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Lock it once for all tests here, none of which changes it."""
    directory, cache = tmp_path_factory.mktemp("shop"), tmp_path_factory.mktemp("cache")
    environment = {"UV_CACHE_DIR": str(cache / "uv"), "UV_HTTP_RETRIES": "0", "XDG_CACHE_HOME": str(cache)}
    cli = Cli(directory=directory, environment=environment)
    (directory / "pyproject.toml").write_text(PROJECT)
    with WheelServer(dict(WHEELS)) as server:
        cli("lock", "--default-index", server.index)
        yield Shop(cli=cli, server=server, cache=cache)


def edges(text: str) -> set[tuple[str, str]]:
    """Return the edges of a tree that is drawn as uv and nixgen draw it."""
    found, above = set(), [""]
    for line in text.splitlines():
        match = re.match(r"([│├└─ ]*)([A-Za-z0-9._-]+) ?[\[(v0-9]", line)
        if match is not None:
            level = len(match[1]) // 4
            above[level:] = [match[2]]
            if level:
                found.add((above[level - 1], match[2]))
    return found


def uv_tree(directory: Path, *arguments: str) -> str:
    """Return what uv draws of a project, for the Python and system that nixgen locks."""
    lock = json.loads((directory / "nixgen.lock").read_text())["targets"][0]
    command = [find_uv_bin(), "tree", "--quiet", "--python-version", lock["python"], *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True).stdout


def test_the_tree_is_uvs(shop: Shop) -> None:
    """Extras of extras, markers and circles give the edges that uv's tree has."""
    theirs = uv_tree(shop.cli.directory, "--default-index", shop.server.index, "--cache-dir", str(shop.cache / "uv"))
    ours = shop.cli("tree").stdout
    assert edges(ours) == {edge for edge in edges(theirs) if edge[0] != "shop"}
    assert ("flow", "worker") in edges(ours) and ("worker", "flow") in edges(ours)


@pytest.mark.registry
def test_the_tree_of_real_packages_is_uvs(nixgen: Cli) -> None:
    """So it is with real packages, whose METADATA is what they publish."""
    (nixgen.directory / "pyproject.toml").write_text(
        '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'
        'dependencies = ["flask[async]", "uvicorn[standard]", "celery[redis]"]\n'
    )
    del nixgen.environment["UV_CACHE_DIR"]
    nixgen("lock")
    theirs = edges(uv_tree(nixgen.directory))
    assert edges(nixgen("tree").stdout) == {edge for edge in theirs if edge[0] != "shop"}
    assert len(theirs) > 20


def test_packages_are_listed(shop: Shop) -> None:
    """Each has its version, size and source, and whether the project asks for it; extras and groups choose."""
    rows = {line.split()[0]: line.split()[1:] for line in shop.cli("list").stdout.splitlines()}
    assert sorted(rows) == ["base", "checker", "core", "fast", "flow", "worker"]
    assert rows["flow"][:2] == ["1.0", "direct"] and rows["base"][1] != "direct"
    report = json.loads(shop.cli("list", "--json", "--all-extras", "--no-default-groups").stdout)
    assert [one["name"] for one in report["packages"] if one["direct"]] == ["flow", "table"]
    table = report["packages"][-2]
    assert table["name"] == "table" and table["files"] == 4 and table["kind"] == "index"
    assert table["place"].startswith(shop.server.base) and table["size"] > 0 < table["wheel"]


def test_nothing_is_asked_of_a_server(shop: Shop) -> None:
    """What METADATA says is kept from locking; without it, it is read from the wheels again, and once."""
    shop.server.requests.clear()
    first = shop.cli("tree").stdout
    assert shop.server.requests == []
    shutil.rmtree(shop.cache / "nixgen" / "metadata")
    assert shop.cli("tree").stdout == first
    assert shop.server.requests
    shop.server.requests.clear()
    assert shop.cli("tree").stdout == first
    assert shop.server.requests == []


def test_a_changed_metadata_is_refused(shop: Shop) -> None:
    """A server that gives another wheel than the one that was locked is found out."""
    shutil.rmtree(shop.cache / "nixgen" / "metadata")
    name, content = wheel("flow", *(line.replace("core", "evil") for line in FLOW))
    assert len(content) == len(shop.server.wheels[name])  # only a hash tells
    honest = shop.server.wheels
    shop.server.wheels = {**honest, name: content}
    assert "flow-1.0" in shop.cli("tree", code=5).stderr
    shop.server.wheels = honest


def test_why_a_package_is_there(shop: Shop) -> None:
    """Every chain is named, the shortest first, with versions, extras and groups."""
    assert shop.cli("why", "Base").stdout.splitlines() == [
        "base 1.0",
        "  the project → checker (group: dev) → base",
        "  the project → flow [all] → core → base (>=0.5)",
        "  the project → flow [all] → worker (extra: celery) → base",
    ]
    report = json.loads(shop.cli("why", "fast", "--json").stdout)
    assert report["complete"] and not report["direct"]
    assert [[edge["name"] for edge in chain] for chain in report["chains"]] == [["flow", "core", "fast"]]


def test_an_unknown_package_gets_the_nearest(shop: Shop) -> None:
    """A mistyped name gets the nearest one, and one that another choice has is said to be there."""
    assert "no package named cheker: did you mean checker?" in shop.cli("why", "cheker", code=3).stderr
    assert "for another choice or target" in shop.cli("tree", "table", code=3).stderr


def test_trees_from_elsewhere(shop: Shop) -> None:
    """A tree starts from a package, goes the other way round, and as deep as is said; ASCII where nothing else goes."""
    assert shop.cli("tree", "core", environment={"PYTHONIOENCODING": "ascii"}).stdout.splitlines() == [
        "core 1.0",
        "|-- base 1.0",
        "`-- fast 1.0",
    ]
    assert shop.cli("tree", "--invert", "fast", "--depth", "1").stdout.splitlines() == ["fast 1.0", "└── core 1.0"]
    assert shop.cli("tree", "--depth", "0").stdout.splitlines() == ["flow 1.0 [all]", "checker 1.0 (group: dev)"]
    report = json.loads(shop.cli("tree", "--json").stdout)
    assert report["roots"] == [{"name": "flow", "extras": ["all"]}, {"name": "checker", "group": "dev"}]
    assert "no number of levels" in shop.cli("tree", "--depth", "x", code=2).stderr
