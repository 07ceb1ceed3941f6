"""Packages from Git: locked by nixgen beside real npm and real Git, built by it and by stock Nix."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nixgen.lock import Lock
from nixgen.npm.checkout import checkout_of, covering
from nixgen.npm.model import Checkout, NpmArchive
from tests.support.cli import Cli
from tests.support.node import npm, with_node

COMMIT = "1234567890" * 4

_WHO = ("git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org")


@pytest.mark.parametrize(
    ("resolved", "repository"),
    [
        ("git+https://host.test/o/n.git", "https://host.test/o/n.git"),
        ("git+https://bob:sesame@host.test:8443/o/n.git", "https://host.test:8443/o/n.git"),
        ("git+https://token@host.test/o/n.git?access=sesame", "https://host.test/o/n.git"),
        ("git+ssh://git@host.test/o/n.git", "ssh://git@host.test/o/n.git"),
        ("git+ssh://git:sesame@host.test:2222/o/n.git", "ssh://git@host.test:2222/o/n.git"),
        ("git+ssh://git@host.test:o/n.git", "ssh://git@host.test/o/n.git"),
        ("git+ssh://git@host.test:n.git", "ssh://git@host.test/n.git"),
        ("git+ssh://git@[::1]/o/n.git", "ssh://git@[::1]/o/n.git"),
        ("git+ssh://git@github.com/o/n.git", "https://github.com/o/n.git"),
        ("git+file:///srv/n", "file:///srv/n"),
        ("git://host.test/o/n.git", "git://host.test/o/n.git"),
        ("https://host.test/o/n.git", None),
        ("git+svn://host.test/o/n", None),
        ("git+https://bob:ses/ame@host.test/o/n.git", None),
    ],
)
def test_what_the_lock_says_of_a_repository(resolved: str, repository: str | None) -> None:
    """The lock has a URL that Git takes, without a login; hosts that npm knows are asked by HTTPS; else it is no
    commit of Git's."""
    found = checkout_of(f"{resolved}#{COMMIT}")
    assert found == (None if repository is None else Checkout(repository=repository, commit=COMMIT))
    assert checkout_of(f"{resolved}#main") is None


@pytest.mark.parametrize(
    ("packed", "there", "names"),
    [
        ({"a", "d/b"}, {"a", "d/b"}, []),
        ({"a", "d/b", "d/e/c"}, {"a", "d/b", "d/e/c", "x"}, ["a", "d/"]),
        ({"a", "d/b", "d/e/c"}, {"a", "d/b", "d/e/c", "d/x"}, ["a", "d/b", "d/e/"]),
        ({"d/e/b"}, {"d/e/b", "d/f/x"}, ["d/e/"]),
        (set(), {"a"}, []),
    ],
)
def test_files_are_named_by_directories(packed: set[str], there: set[str], names: list[str]) -> None:
    """A directory of which npm packs everything is one name; where it packs all that there is, there is none."""
    if packed:
        assert list(covering(packed, there)) == names


@pytest.fixture
def app(empty_store: Cli, tmp_path: Path) -> Cli:
    """A project in a directory of its own, with a cache and a home of its own, and npm on PATH."""
    directory = tmp_path / "app"
    directory.mkdir()
    own = {
        "HOME": str(tmp_path / "home"),
        "XDG_CACHE_HOME": str(tmp_path / "cache"),
        "npm_config_cache": str(tmp_path / "npm"),
        "GIT_CONFIG_GLOBAL": str(tmp_path / "gitconfig"),
        "PATH": with_node()["PATH"],
    }
    (tmp_path / "gitconfig").write_text("[protocol.file]\nallow = always\n")
    return replace(empty_store, directory=directory, environment={**empty_store.environment, **own})


def repository(directory: Path, manifest: Mapping[str, Any], files: Mapping[str, str]) -> str:
    """Make a repository with one commit, and return this."""
    for path, text in {"package.json": json.dumps(manifest), **files}.items():
        place = directory / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)
        place.chmod(0o755 if text.startswith("#!") else 0o644)
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "one"]):
        git(directory, *arguments)
    return git(directory, "rev-parse", "HEAD")


def git(directory: Path, *arguments: str) -> str:
    """Run Git as nobody in particular, and return what it prints."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    allowed = ("-c", "protocol.file.allow=always")
    command = [*_WHO, *allowed, *arguments]
    return subprocess.run(
        command, cwd=directory, env=environ, capture_output=True, text=True, check=True
    ).stdout.strip()


def by_npm(app: Cli, **dependencies: str) -> None:
    """Let npm lock a project that wants some packages."""
    said = {"name": "app", "version": "1.0.0", "dependencies": dependencies}
    (app.directory / "package.json").write_text(json.dumps(said))
    run_npm(app, "install", "--package-lock-only")


def run_npm(app: Cli, *arguments: str) -> None:
    """Run npm in the project, with the Git of the test."""
    config = app.environment["GIT_CONFIG_GLOBAL"]
    npm(*arguments, directory=app.directory, home=Path(app.environment["HOME"]), GIT_CONFIG_GLOBAL=config)


def by_hand(app: Cli, resolved: str, **settings: Any) -> None:
    """Write what npm would lock of one package."""
    wants = {"g": resolved.partition("#")[0]}
    manifest = {"name": "app", "version": "1.0.0", "dependencies": wants, **settings}
    (app.directory / "package.json").write_text(json.dumps(manifest))
    packages = {
        "": {"name": "app", "version": "1.0.0", "dependencies": wants},
        "node_modules/g": {"version": "1.0.0", "resolved": resolved, "integrity": "sha512-ignoredbynpmtoo=="},
    }
    (app.directory / "package-lock.json").write_text(
        json.dumps({"name": "app", "version": "1.0.0", "lockfileVersion": 3, "packages": packages})
    )


def archive_of(app: Cli, place: str) -> NpmArchive:
    """Return the archive that the lock has for a place."""
    section = Lock.from_file(app.directory / "nixgen.lock").npm
    assert section is not None
    found = next(package.archive for package in section.packages if package.at == place)
    assert found is not None
    return found


def files_of(directory: Path) -> dict[str, tuple[bool, bytes]]:
    """Return the files of a package, with whether each may be run."""
    return {
        file.relative_to(directory).as_posix(): (bool(file.stat().st_mode & 0o100), file.read_bytes())
        for file in sorted(directory.rglob("*"))
        if file.is_file()
    }


def test_packages_from_git_are_as_in_npm_ci(app: Cli, tmp_path: Path) -> None:
    """Of a commit, the environment has the files that ``npm ci`` installs: what package.json and ``.npmignore`` say,
    those of submodules, and no links; locking again asks nobody, and stock Nix makes the same path of the lock."""
    inner = tmp_path / "inner"
    repository(inner, {"name": "inner", "version": "1.0.0"}, {"inside.js": "module.exports = 'inside'\n"})
    some, every = tmp_path / "some", tmp_path / "every"
    repository(
        some,
        {
            "name": "some",
            "version": "2.0.0",
            "files": ["lib", "cli.js"],
            "bin": {"some": "cli.js", "quiet": "quiet.js"},
        },
        {
            "lib/index.js": "module.exports = require('./sub/inside.js')\n",
            "lib/x/.npmignore": "left-out\n",
            "lib/x/left-out": "",
            "lib/x/taken": "",
            "cli.js": "#!/usr/bin/env node\nconsole.log('some')\n",
            "quiet.js": "console.log()\n",
            "src/index.ts": "",
            "README.md": "some\n",
        },
    )
    git(some, "submodule", "--quiet", "add", inner.as_uri(), "lib/sub")
    (some / "lib/link.js").symlink_to("index.js")
    git(some, "add", "-A")
    git(some, "commit", "-qm", "two")
    repository(every, {"main": "a.js"}, {"a.js": "module.exports = 'every'\n", "tool": "#!/bin/sh\n"})
    by_npm(app, some=f"git+{some.as_uri()}", every=f"git+{every.as_uri()}")
    said = app("lock")
    assert "no hash" not in said.stderr
    archive = archive_of(app, "node_modules/some")
    assert archive.checkout is not None
    assert archive.checkout.repository == some.as_uri()
    assert archive.checkout.commit == git(some, "rev-parse", "HEAD")
    assert "lib/sub/" in (archive.checkout.files or ())
    assert archive_of(app, "node_modules/every").checkout == Checkout(
        repository=every.as_uri(), commit=git(every, "rev-parse", "HEAD"), files=()
    )
    built = Path(app("build").stdout.strip())
    run_npm(app, "ci")
    for name in ("some", "every"):
        assert files_of(built / "node_modules" / name) == files_of(app.directory / "node_modules" / name)
    kinds = {one["name"]: one["kind"] for one in json.loads(app("list", "--json").stdout)["npm"]}
    assert kinds == {"some": "git", "every": "git"}
    assert "vcs_url=git%2Bfile" in app("export", "--format", "cyclonedx").stdout
    # Another machine, with the lock and the repositories: no npm, and nothing kept.
    shutil.rmtree(app.environment["XDG_CACHE_HOME"])
    (app.directory / "result").unlink()
    alone = {**os.environ, **app.environment, "PATH": os.environ["PATH"]}
    subprocess.run(["nix-collect-garbage"], env=alone, capture_output=True, check=True)
    command = ["nix-build", "nix", "--no-out-link"]
    done = subprocess.run(command, cwd=app.directory, env=alone, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(built)
    subprocess.run(["nix-collect-garbage"], env=alone, capture_output=True, check=True)
    assert app("build").stdout.strip() == str(built)
    assert "nothing changed" in app("lock").stderr
    for directory in (some, every):
        directory.rename(directory.with_suffix(".gone"))
    assert "nothing changed" in app("lock").stderr


def test_what_npm_would_prepare_is_refused_or_taken_as_it_is(app: Cli, tmp_path: Path) -> None:
    """A script that npm runs before it packs is never run: the package is refused with that, or taken unprepared where
    the project says so."""
    commit = repository(
        tmp_path / "g", {"name": "g", "version": "1.0.0", "scripts": {"prepare": "touch made"}}, {"index.js": ""}
    )
    resolved = f"git+{(tmp_path / 'g').as_uri()}#{commit}"
    by_hand(app, resolved)
    said = app("lock", code=3).stderr
    assert "node_modules/g: touch made" in said
    assert '"nixgen": {"unprepared": ["name"]}' in said
    by_hand(app, resolved, nixgen={"unprepared": ["g"]})
    app("lock")
    built = Path(app("build").stdout.strip())
    assert sorted(files_of(built / "node_modules/g")) == ["index.js", "package.json"]


def test_hosts_that_npm_knows_are_asked_by_https_and_ssh(app: Cli, tmp_path: Path) -> None:
    """npm writes SSH for these; what anybody can read is locked by HTTPS, else it stays."""
    commit = repository(tmp_path / "g", {"name": "g", "version": "1.0.0"}, {"index.js": ""})
    by_hand(app, f"git+ssh://git@github.com/o/g.git#{commit}")
    (tmp_path / "g.git").symlink_to("g")
    here, nowhere = (f'[url "{place.as_uri()}/"]\ninsteadOf = ' for place in (tmp_path, tmp_path / "none"))
    for said, shown in (
        (f"{nowhere}https://github.com/o/\n{here}ssh://git@github.com/o/\n", "ssh://git@github.com/o/g.git"),
        (f"{here}https://github.com/o/\n", "https://github.com/o/g.git"),
    ):
        (tmp_path / "gitconfig").write_text(said)
        (app.directory / "nixgen.lock").unlink(missing_ok=True)
        app("lock")
        checkout = archive_of(app, "node_modules/g").checkout
        assert checkout is not None
        assert checkout.repository == shown


def test_a_commit_that_is_not_there(app: Cli, tmp_path: Path) -> None:
    """The error names the commit, the repository without its login, and what to see to; no lock is written."""
    repository(tmp_path / "g", {"name": "g", "version": "1.0.0"}, {"index.js": ""})
    by_hand(app, f"git+{(tmp_path / 'g').as_uri()}#{COMMIT}")
    said = app("lock", code=6).stderr
    assert f"commit {COMMIT} cannot be fetched" in said
    assert f"where: {(tmp_path / 'g').as_uri()}" in said
    by_hand(app, f"git+https://bob:sesame@127.0.0.1:9/o/g.git#{COMMIT}")
    done = app("lock", "--debug", code=6)
    assert "where: https://127.0.0.1:9/o/g.git" in done.stderr
    assert "sesame" not in done.stdout + done.stderr
    assert not (app.directory / "nixgen.lock").exists()
