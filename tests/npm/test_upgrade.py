"""``nixgen outdated`` and ``upgrade`` of packages of npm: real npm does it, beside a registry on loopback."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.npm.test_locking import Project
from tests.support.node import node_programs
from tests.support.npm import NpmRegistry, npm_package


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A locked project, whose registry has newer versions of what it asks for itself, and of what that needs."""
    with NpmRegistry() as registry:
        environ = {
            "PATH": f"{node_programs()}:/usr/bin:/bin",
            "HOME": str(tmp_path / "home"),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "npm_config_cache": str(tmp_path / "npm"),
            "npm_config_registry": registry.url,
            "npm_config_globalconfig": str(tmp_path / "none"),
        }
        made = Project(tmp_path / "project", tmp_path / "home", registry, environ)
        registry.packages += [
            npm_package("app", dependencies={"leaf": "^1.0.0"}),
            npm_package("leaf"),
            npm_package("tool", optionalDependencies={"windows": "1"}),
            npm_package("windows", os=["win32"]),
            npm_package("same"),
        ]
        made.wants(dependencies={"app": "1", "same": "1"}, devDependencies={"tool": "1"}, workspaces=["packages/*"])
        (made.directory / "packages" / "part").mkdir(parents=True)
        part = {"name": "part", "version": "1.0.0", "dependencies": {"leaf": "1"}}
        (made.directory / "packages" / "part" / "package.json").write_text(json.dumps(part))
        made.npm_lock()
        made.nixgen("lock")
        registry.packages += [npm_package("leaf", "1.5.0"), npm_package("leaf", "2.0.0"), npm_package("tool", "3.0.0")]
        yield made


def test_npm_says_what_is_newer(project: Project) -> None:
    """All packages of the lock are asked for, direct or not, and the project stays as it is; a registry that does not
    answer is named."""
    before = sorted(path.name for path in project.directory.iterdir())
    project.registry.requests.clear()
    said = project.nixgen("outdated")
    assert [line.split() for line in said.splitlines()] == [
        ["package", "current", "allowed", "latest"],
        ["leaf", "1.0.0", "1.5.0", "2.0.0", "npm"],
        ["tool", "1.0.0", "1.0.0", "3.0.0", "npm"],
        ["2", "of", "4", "packages", "of", "npm", "have", "newer", "versions"],
    ]
    # What is for other systems is not asked for.
    assert set(project.registry.requests) == {"/app", "/leaf", "/same", "/tool"}
    report = json.loads(project.nixgen("-q", "outdated", "--json", "--omit", "dev"))
    assert report == {
        "npm": {
            "checked": 3,
            "packages": [{"name": "leaf", "current": "1.0.0", "allowed": "1.5.0", "latest": "2.0.0"}],
        }
    }
    assert sorted(path.name for path in project.directory.iterdir()) == before
    project.environ |= {"npm_config_registry": "http://127.0.0.1:9/", "npm_config_fetch_retries": "0"}
    assert "ECONNREFUSED" in project.nixgen("outdated", code=4)


def test_npm_upgrades_its_packages(project: Project) -> None:
    """npm renews its lock as package.json allows, and nixgen's is made of it; a dry run and a failure leave both."""
    lock = project.directory / "package-lock.json"
    before = lock.read_bytes()
    assert "the lock has no other" in project.nixgen("upgrade", "other", code=3)
    project.registry.altered["leaf-1.5.0.tgz"] = b"no archive"
    project.nixgen("upgrade", "leaf", code=5)
    assert lock.read_bytes() == before
    project.registry.altered.clear()
    assert "  leaf  1.0.0 -> 1.5.0" in project.nixgen("upgrade", "--dry-run")
    assert lock.read_bytes() == before and project.packages["node_modules/leaf"].version == "1.0.0"
    assert "  leaf  1.0.0 -> 1.5.0" in project.nixgen("upgrade", "leaf")
    assert project.packages["node_modules/leaf"].version == "1.5.0"
    project.environ["PATH"] = "/nowhere"
    assert "npm is missing" in project.nixgen("upgrade", code=7)
