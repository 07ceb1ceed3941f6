"""A project with npm's lock, locked: by the command, beside real npm and a registry on loopback."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from nixgen.lock import Lock
from nixgen.npm.model import NpmLock, NpmPackage
from tests.support.cli import Cli
from tests.support.node import npm
from tests.support.npm import NpmMade, NpmRegistry, npm_package, tgz


@dataclass
class Project:
    """A project in a directory, and the registry of what it wants."""

    directory: Path
    home: Path
    registry: NpmRegistry
    environ: dict[str, str] = field(default_factory=dict)

    def wants(self, **manifest: Any) -> None:
        """Write package.json."""
        self.directory.mkdir(exist_ok=True)
        (self.directory / "package.json").write_text(json.dumps({"name": "app", "version": "1.0.0", **manifest}))

    def npm_lock(self, *arguments: str, **more: str) -> dict[str, Any]:
        """Let npm lock it."""
        return self.registry.lock(self.directory, *arguments, home=self.home, **more)

    def nixgen(self, *arguments: str, code: int = 0) -> str:
        """Run nixgen in it, and return all that it prints."""
        done = Cli(directory=self.directory, environment=self.environ)(*arguments, code=code)
        return done.stdout + done.stderr

    @property
    def section(self) -> NpmLock:
        """What was locked of npm."""
        section = Lock.from_file(self.directory / "nixgen.lock").npm
        assert section is not None
        return section

    @property
    def packages(self) -> dict[str, NpmPackage]:
        """The packages that were locked, by place."""
        return {package.at: package for package in self.section.packages}


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """Give an empty project, a registry that has nothing, and a cache of its own."""
    with NpmRegistry() as registry:
        environ = {
            "HOME": str(tmp_path / "home"),
            "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "npm_config_cache": str(tmp_path / "npm"),
            "npm_config_registry": registry.url,
            "npm_config_globalconfig": str(tmp_path / "none"),
        }
        yield Project(tmp_path / "project", tmp_path / "home", registry, environ)


def _written(directory: Path, packages: dict[str, Any], **root: Any) -> None:
    """Write the lock of npm by hand, where npm need not be asked."""
    data = {"name": "app", "lockfileVersion": 3, "packages": {"": {"name": "app", **root}, **packages}}
    (directory / "package-lock.json").write_text(json.dumps(data))


def _entry(made: NpmMade, registry: NpmRegistry, **more: Any) -> dict[str, Any]:
    return {"version": made.version, "resolved": registry.archive_url(made), "integrity": made.integrity, **more}


def test_a_project_of_npm_alone_is_locked(project: Project) -> None:
    """Real npm resolves; the lock has each place with its archive, edges, commands and scripts, and no target."""
    project.registry.packages += [
        npm_package("leaf", "1.0.0"),
        npm_package("leaf", "2.0.0"),
        npm_package("@s/tool", dependencies={"leaf": "1"}, bin={"tool": "./cli.js"}, files={"cli.js": "#!/bin/sh\n"}),
        npm_package("native", scripts={"install": "node build.js"}, files={"index.js": "require('helper')"}),
        npm_package("helper"),
    ]
    project.wants(
        dependencies={"leaf": "2", "@s/tool": "1", "native": "1", "old": "npm:leaf@1"}, devDependencies={"helper": "1"}
    )
    project.npm_lock()
    said = project.nixgen("lock")
    assert "locked 6 packages of npm" in said
    assert "native 1.0.0 install: node build.js" in said
    lock = Lock.from_file(project.directory / "nixgen.lock")
    assert (lock.targets, lock.wheels) == ((), {})
    assert sorted(lock.inputs) == ["package-lock.json", "package.json"]
    found = project.packages
    tool = found["node_modules/@s/tool"]
    assert (tool.name, tool.version, tool.bin) == ("@s/tool", "1.0.0", {"tool": "cli.js"})
    assert tool.dependencies == {"leaf": "node_modules/@s/tool/node_modules/leaf"}
    assert (found["node_modules/old"].name, found["node_modules/old"].version) == ("leaf", "1.0.0")
    native = found["node_modules/native"]
    assert (native.dependencies, native.undeclared) == ({"helper": "node_modules/helper"}, ("helper",))
    assert native.scripts == {"install": "node build.js"}
    assert found["node_modules/helper"].dev
    archive = tool.archive
    assert archive is not None
    assert archive.url == project.registry.archive_url(project.registry.packages[2])
    assert archive.integrity == project.registry.packages[2].integrity
    assert archive.size == len(project.registry.packages[2].archive)
    # Each archive once, also where it lies twice; and locking again asks for none, and changes nothing.
    assert sorted(project.registry.archives) == sorted(set(project.registry.archives))
    asked = len(project.registry.requests)
    assert "nothing changed" in project.nixgen("lock")
    assert "up to date" in project.nixgen("lock", "--check")
    assert len(project.registry.requests) == asked


def test_both_kinds_are_in_one_lock(project: Project) -> None:
    """A project with requirements and npm's lock has both in one lock; naming inputs chooses."""
    made = npm_package("leaf")
    project.registry.packages.append(made)
    project.wants(dependencies={"leaf": "1"})
    _written(project.directory, {"node_modules/leaf": _entry(made, project.registry)}, dependencies={"leaf": "1"})
    (project.directory / "requirements.in").write_text("")
    project.nixgen("lock", "--no-index")
    lock = Lock.from_file(project.directory / "nixgen.lock")
    assert lock.npm is not None
    assert len(lock.targets) == 1
    assert sorted(lock.inputs) == ["package-lock.json", "package.json", "requirements.in"]
    project.nixgen("lock", "--no-index", "requirements.in")
    assert Lock.from_file(project.directory / "nixgen.lock").npm is None
    project.nixgen("lock", "package-lock.json")
    assert Lock.from_file(project.directory / "nixgen.lock").targets == ()


def test_what_changed_is_said(project: Project) -> None:
    """After npm has locked anew, the lock says which versions are others; a dry run says it and writes nothing."""
    one, two, more = npm_package("leaf", "1.0.0"), npm_package("leaf", "1.1.0"), npm_package("more")
    project.registry.packages += [one, two, more]
    project.wants(dependencies={"leaf": "1"})
    _written(project.directory, {"node_modules/leaf": _entry(one, project.registry)}, dependencies={"leaf": "1"})
    project.nixgen("lock")
    before = (project.directory / "nixgen.lock").read_text()
    packages = {f"node_modules/{made.name}": _entry(made, project.registry) for made in (two, more)}
    _written(project.directory, packages, dependencies={"leaf": "1"})
    project.nixgen("lock", "--check", code=3)
    said = project.nixgen("lock", "--dry-run")
    assert "  leaf  1.0.0 -> 1.1.0\n+ more  1.0.0\n" in said
    assert (project.directory / "nixgen.lock").read_text() == before
    project.nixgen("lock")
    assert project.packages["node_modules/leaf"].version == "1.1.0"


def test_a_lock_that_is_older_than_package_json_is_an_error(project: Project) -> None:
    """Every difference is a line, and the error says what to run; scripts and versions of the project are none."""
    made = npm_package("leaf")
    project.registry.packages.append(made)
    project.wants(dependencies={"leaf": "1"}, scripts={"build": "x"})
    _written(project.directory, {"node_modules/leaf": _entry(made, project.registry)}, dependencies={"leaf": "1"})
    project.nixgen("lock")
    project.wants(dependencies={"leaf": "1"}, scripts={"build": "y"})
    assert "nothing changed" in project.nixgen("lock")
    project.wants(dependencies={"leaf": "2", "new": "1"}, devDependencies={"other": "1"})
    said = project.nixgen("lock", code=3)
    assert "package.json: leaf 2 is wanted, and 1 was when it was locked" in said
    assert "package.json: new 1 is wanted, and not locked" in said
    assert "package.json: other 1 is wanted, and not locked" in said
    assert "npm install --package-lock-only" in said


def test_workspaces_links_and_archives_of_the_project(project: Project) -> None:
    """Workspaces and directories are links, an archive of the project has its path; a new workspace makes it old."""
    project.registry.packages += [npm_package("leaf", "1.0.0"), npm_package("leaf", "2.0.0")]
    project.wants(workspaces=["packages/*"], dependencies={"leaf": "1", "lib": "file:lib", "packed": "file:packed.tgz"})
    for place, manifest in {
        "packages/a": {"name": "ws-a", "version": "1.0.0", "dependencies": {"leaf": "2"}, "bin": {"a": "a.js"}},
        "lib": {"name": "lib", "version": "3.0.0"},
    }.items():
        (project.directory / place).mkdir(parents=True)
        (project.directory / place / "package.json").write_text(json.dumps(manifest))
    (project.directory / "packed.tgz").write_bytes(npm_package("packed").archive)
    project.npm_lock()
    project.nixgen("lock")
    found = project.packages
    assert project.section.workspaces == ("packages/a",)
    assert (found["node_modules/ws-a"].link, found["node_modules/ws-a"].bin) == ("packages/a", {"a": "a.js"})
    assert (found["node_modules/lib"].link, found["node_modules/lib"].version) == ("lib", "3.0.0")
    packed = found["node_modules/packed"].archive
    assert packed is not None
    assert (packed.url, packed.path) == (None, "packed.tgz")
    assert found["packages/a/node_modules/leaf"].version == "2.0.0"
    (project.directory / "packages/b").mkdir()
    (project.directory / "packages/b/package.json").write_text('{"name": "ws-b", "version": "1.0.0"}')
    assert "packages/b/package.json: it is a workspace, and not in the lock" in project.nixgen("lock", code=3)


def test_a_lock_without_urls_and_with_weak_hashes(project: Project) -> None:
    """URLs follow from the registry; SHA-1 is compared once, and the lock has SHA-512; npm makes such locks itself."""
    made = npm_package("leaf")
    project.registry.packages += [made, npm_package("@s/leaf", dependencies={"leaf": "1"})]
    project.registry.weak = True
    project.wants(dependencies={"@s/leaf": "1"})
    lock = project.npm_lock(npm_config_omit_lockfile_registry_resolved="true")
    entry = lock["packages"]["node_modules/leaf"]
    assert "resolved" not in entry
    assert entry["integrity"].startswith("sha1-")
    project.nixgen("lock")
    archive = project.packages["node_modules/leaf"].archive
    assert archive is not None
    assert (archive.url, archive.integrity) == (project.registry.archive_url(made), made.integrity)
    asked = len(project.registry.archives)
    assert "nothing changed" in project.nixgen("lock")
    assert len(project.registry.archives) == asked
    entry["integrity"] = "sha1-AAAAAAAAAAAAAAAAAAAAAAAAAAA="
    (project.directory / "package-lock.json").write_text(json.dumps(lock))
    assert "expected sha1-AAAA" in project.nixgen("lock", code=5)


def test_what_a_server_alters_is_named(project: Project) -> None:
    """Archives with other bytes than npm's lock says are an error that names all of them; nothing is written."""
    made = [npm_package("one"), npm_package("two")]
    project.registry.packages += made
    project.registry.altered = {one.filename: npm_package("evil").archive for one in made}
    project.wants(dependencies={"one": "1", "two": "1"})
    packages = {f"node_modules/{one.name}": _entry(one, project.registry) for one in made}
    _written(project.directory, packages, dependencies={"one": "1", "two": "1"})
    said = project.nixgen("lock", code=5)
    assert "one 1.0.0 has sha512-" in said
    assert "two 1.0.0 has sha512-" in said
    assert not (project.directory / "nixgen.lock").exists()


def test_hostile_archives_are_refused_by_package_and_member(project: Project) -> None:
    """An archive that would leave its package is refused, with its package, its member, and nothing written."""
    evil = NpmMade(
        manifest={"name": "evil", "version": "1.0.0"},
        archive=tgz({"package/package.json": '{"name": "evil"}', "package/../../x": "", "/abs": ""}),
    )
    project.registry.packages.append(evil)
    project.wants(dependencies={"evil": "1"})
    _written(project.directory, {"node_modules/evil": _entry(evil, project.registry)}, dependencies={"evil": "1"})
    said = project.nixgen("lock", code=3)
    assert "evil 1.0.0: 'package/../../x': a path that leaves the archive" in said
    assert "evil 1.0.0: '/abs': an absolute path" in said
    assert not (project.directory / "nixgen.lock").exists()


def test_logins_of_npmrc_are_used_and_shown_nowhere(project: Project) -> None:
    """A token from .npmrc, by a variable, opens the registry of a scope; neither lock nor messages have it."""
    secret = "t0p-s3cret-token"
    made = npm_package("@corp/leaf")
    project.registry.packages.append(made)
    project.registry.token = secret
    project.registry.failures = 1
    project.wants(dependencies={"@corp/leaf": "1"})
    host = project.registry.url.removeprefix("http:")
    (project.directory / ".npmrc").write_text(
        f"@corp:registry={project.registry.url}\n{host}:_authToken=${{CORP_TOKEN}}\n; a comment\n"
    )
    project.environ = {**project.environ, "CORP_TOKEN": secret}
    del project.environ["npm_config_registry"]
    entry = {"version": made.version, "integrity": made.integrity}
    _written(project.directory, {"node_modules/@corp/leaf": entry}, dependencies={"@corp/leaf": "1"})
    said = project.nixgen("--debug", "lock")
    assert "is not in the lock: `nixgen build` takes it from .npmrc" in said
    assert secret not in said
    written = [
        path for path in project.directory.rglob("*") if path.is_file() and secret in path.read_text("utf-8", "replace")
    ]
    assert written == []
    shutil.rmtree(project.environ["XDG_CACHE_HOME"])
    project.environ["CORP_TOKEN"] = "wrong-token-here"
    said = project.nixgen("--debug", "lock", code=4)
    assert "401" in said
    assert "wrong-token-here" not in said


@pytest.mark.parametrize(("more", "said"), [("", False), ("?token=t0psecret", True)])
def test_only_urls_with_secrets_are_warned_of(project: Project, more: str, said: bool) -> None:
    """A lock that carries a token is for few readers; the "@" of a scope is no login."""
    made = npm_package("@s/leaf")
    project.registry.packages.append(made)
    project.wants(dependencies={"@s/leaf": "1"})
    entry = _entry(made, project.registry)
    entry["resolved"] += more
    _written(project.directory, {"node_modules/@s/leaf": entry}, dependencies={"@s/leaf": "1"})
    assert ("take care who reads it" in project.nixgen("lock")) is said
    assert "t0psecret" not in (project.directory / "nixgen.lock").read_text()


def test_a_login_by_name_and_password(project: Project) -> None:
    """``username`` and ``_password`` (base64) of a registry log in as npm does."""
    made = npm_package("leaf")
    project.registry.packages.append(made)
    project.registry.user = "me:pa:ss"
    project.wants(dependencies={"leaf": "1"})
    host = project.registry.url.removeprefix("http:")
    (project.directory / ".npmrc").write_text(f"{host}:username=me\n{host}:_password=cGE6c3M=\n")
    _written(project.directory, {"node_modules/leaf": _entry(made, project.registry)}, dependencies={"leaf": "1"})
    project.nixgen("lock")
    assert "pa:ss" not in (project.directory / "nixgen.lock").read_text()


def test_packages_for_other_systems_are_not_downloaded(project: Project) -> None:
    """An optional package of some systems alone is locked with its hash, and read where it is installed."""
    native = npm_package("native", os=["sunos"])
    tool = npm_package("tool", optionalDependencies={"native": "1"})
    project.registry.packages += [native, tool]
    project.wants(dependencies={"tool": "1"})
    project.npm_lock()
    project.registry.requests.clear()
    project.nixgen("lock")
    assert project.registry.archives == [tool.filename]
    found = project.packages["node_modules/native"]
    assert found.archive is not None
    assert (found.archive.integrity, found.archive.size, found.os) == (native.integrity, None, ("sunos",))
    assert project.packages["node_modules/tool"].dependencies == {"native": "node_modules/native"}


def test_what_is_bundled_only_in_name_is_installed(project: Project) -> None:
    """npm locks what a bundled package lacks in the archive as bundled too, and installs it: so do we."""
    bundler = npm_package(
        "bundler",
        files={"index.js": "", "node_modules/inner/package.json": '{"name": "inner", "dependencies": {"leaf": "1"}}'},
        dependencies={"inner": "1", "leaf": "2"},
        bundleDependencies=["inner"],
    )
    project.registry.packages += [bundler, npm_package("leaf", "1.0.0"), npm_package("leaf", "2.0.0")]
    project.wants(dependencies={"bundler": "1"})
    project.npm_lock()
    project.nixgen("lock")
    place = "node_modules/bundler/node_modules/inner/node_modules/leaf"
    assert project.packages[place].version == "1.0.0"
    found = project.packages["node_modules/bundler"].dependencies
    assert {key: project.packages[at].version for key, at in found.items()} == {
        "leaf": "2.0.0",
        "bundler/node_modules/inner/node_modules/leaf": "1.0.0",
    }


def test_allowed_scripts_are_in_the_lock(project: Project) -> None:
    """package.json and pyproject.toml allow install scripts by name; a name that no package has is a note."""
    made = npm_package("native", scripts={"postinstall": "make"})
    project.registry.packages.append(made)
    project.wants(dependencies={"native": "1"}, nixgen={"scripts": ["native", "nowhere"]})
    _written(project.directory, {"node_modules/native": _entry(made, project.registry)}, dependencies={"native": "1"})
    said = project.nixgen("lock")
    assert project.section.scripts == ("native", "nowhere")
    assert "do not run" not in said
    assert "allowed of nowhere, and the lock has no such package" in said
    project.wants(dependencies={"native": "1"}, nixgen={"skripts": []})
    assert '"unprepared": ["name"], "venv": {"form": "mounted"}}' in project.nixgen("lock", code=3)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("pnpm-lock.yaml", "no tool takes over pnpm's versions"),
        ("yarn.lock", "takes over the versions of a yarn.lock"),
        ("bun.lock", "npm install --package-lock-only"),
        (None, "package.json alone does not say which versions are wanted"),
    ],
)
def test_locks_of_other_tools_say_how_they_become_npms(project: Project, name: str | None, said: str) -> None:
    """Without npm's lock, the error says what makes one; a project of Python is locked all the same, with a note."""
    project.wants(dependencies={"leaf": "1"})
    if name is not None:
        (project.directory / name).write_text("")
    assert said in project.nixgen("lock", code=3)
    (project.directory / "requirements.in").write_text("")
    told = project.nixgen("lock", "--no-index")
    assert "nothing of npm is locked" in told
    assert Lock.from_file(project.directory / "nixgen.lock").npm is None


def test_what_is_no_commit_is_refused_with_what_to_do(project: Project) -> None:
    """Of what npm names otherwise than by a commit, all packages are named, without logins, and what to ask for."""
    project.wants(dependencies={"g": "git+https://host.invalid/o/g.git"})
    resolved = "git+https://user:hunter22@host.invalid/o/g.git#main"
    _written(
        project.directory,
        {"node_modules/g": {"version": "1.0.0", "resolved": resolved}},
        dependencies={"g": "git+https://host.invalid/o/g.git"},
    )
    said = project.nixgen("lock", code=3)
    assert "node_modules/g: git+https://host.invalid/o/g.git#main" in said
    assert "hunter22" not in said
    assert "archive/COMMIT.tar.gz" in said


def test_a_yarn_lock_becomes_npms_with_its_versions(project: Project) -> None:
    """What the error tells to run does it: npm takes over the versions of a yarn.lock of Yarn 1."""
    project.registry.packages += [npm_package("leaf", "1.0.0"), npm_package("leaf", "1.1.0")]
    old = project.registry.packages[0]
    project.wants(dependencies={"leaf": "^1.0.0"})
    (project.directory / "yarn.lock").write_text(
        f'# yarn lockfile v1\n\n\nleaf@^1.0.0:\n  version "1.0.0"\n'
        f'  resolved "{project.registry.archive_url(old)}"\n  integrity {old.integrity}\n'
    )
    assert "yarn.lock is not read" in project.nixgen("lock", code=3)
    project.npm_lock()
    project.nixgen("lock")
    assert project.packages["node_modules/leaf"].version == "1.0.0"


def test_the_lock_is_what_npm_installs(project: Project) -> None:
    """Format 2 and 3 give the same section, and every place of it is one of ``npm ci``."""
    project.registry.packages += [
        npm_package("leaf", "1.0.0"),
        npm_package("leaf", "2.0.0"),
        npm_package("a", dependencies={"leaf": "1", "b": "1"}),
        npm_package("b", dependencies={"leaf": "2", "a": "1"}),
    ]
    project.wants(dependencies={"a": "1", "leaf": "2"})
    project.npm_lock("--lockfile-version=2")
    project.nixgen("lock")
    first = project.section
    assert [package.cycle for package in first.packages if package.name in "ab"] == ["node_modules/a"] * 2
    project.npm_lock("--lockfile-version=3")
    project.nixgen("lock")
    assert project.section == first
    npm(
        "ci",
        "--ignore-scripts",
        directory=project.directory,
        home=project.home,
        npm_config_registry=project.registry.url,
    )
    installed = {
        str(path.parent.relative_to(project.directory))
        for path in (project.directory / "node_modules").rglob("package.json")
    }
    assert installed == set(project.packages)
