"""``nixgen add`` and ``remove`` of packages of npm: real npm edits, beside a registry on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.npm.test_locking import Project
from tests.support.cli import Cli
from tests.support.node import node_programs
from tests.support.npm import NpmRegistry, npm_package


@pytest.fixture
def registry() -> Iterator[NpmRegistry]:
    """A registry with a few packages."""
    with NpmRegistry(
        [npm_package("app", dependencies={"leaf": "1"}), npm_package("leaf"), npm_package("@s/tool")]
    ) as one:
        yield one


@pytest.fixture
def project(tmp_path: Path, registry: NpmRegistry) -> Project:
    """An empty project, with npm and a cache of its own."""
    environ = {
        "PATH": f"{node_programs()}:/usr/bin:/bin",
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "npm_config_cache": str(tmp_path / "npm"),
        "npm_config_registry": registry.url,
        "npm_config_globalconfig": str(tmp_path / "none"),
    }
    (tmp_path / "project").mkdir()
    return Project(tmp_path / "project", tmp_path / "home", registry, environ)


def test_npm_edits_what_it_wants(project: Project) -> None:
    """npm adds and removes, the lock follows, and a package.json is made where there is none; what fails or is tried
    dry leaves all as it was."""
    directory = project.directory
    said = project.nixgen("add", "--npm", "app")
    assert "making " in said and "package.json: added app@^1.0.0" in said and "next: nixgen sync" in said
    assert json.loads((directory / "package.json").read_text())["dependencies"] == {"app": "^1.0.0"}
    assert set(project.packages) == {"node_modules/app", "node_modules/leaf"}
    assert not (directory / "node_modules").exists()
    # Nothing but package.json says what is wanted: npm is meant.
    project.nixgen("add", "--dev", "@s/tool@1.0.0")
    assert project.packages["node_modules/@s/tool"].dev
    before = {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}
    assert "E404" in project.nixgen("add", "nowhere-to-be-found", code=3)
    assert "would add leaf@^1.0.0" in project.nixgen("add", "--dry-run", "leaf")
    assert "it does not ask for leaf" in project.nixgen("remove", "leaf", code=3)
    assert "no extras" in project.nixgen("add", "--optional", "web", "leaf", code=2)
    assert {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()} == before
    assert "package.json: removed app" in project.nixgen("remove", "app")
    assert set(project.packages) == {"node_modules/@s/tool"}


def test_another_tool_edits_its_own(project: Project) -> None:
    """Where pnpm has locked, the error says with which command it adds."""
    (project.directory / "package.json").write_text("{}")
    (project.directory / "pnpm-lock.yaml").write_text("")
    assert "run `pnpm add leaf`" in project.nixgen("add", "leaf", code=3)
    assert not (project.directory / "package-lock.json").exists()


@pytest.mark.nix
def test_node_modules_is_renewed(empty_store: Cli, registry: NpmRegistry, project: Project) -> None:
    """Where node_modules is nixgen's, it has what was added, and no more what was removed."""
    project.environ |= {**empty_store.environment, "PATH": f"{node_programs()}:{empty_store.environment['PATH']}"}
    project.nixgen("add", "--npm", "leaf")
    project.nixgen("sync")
    modules = project.directory / "node_modules"
    assert "node_modules leads to " in project.nixgen("add", "@s/tool")
    assert (modules / "@s/tool/index.js").is_file() and (modules / "leaf/index.js").is_file()
    project.nixgen("remove", "leaf")
    assert not (modules / "leaf").exists()
