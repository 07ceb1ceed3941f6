"""Packages of npm built by stock Nix: the versions that there are, and its sandbox."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.nix import NixInstallation, cannot_sandbox
from tests.support.nixpkgs import write_nixpkgs
from tests.support.node import with_node
from tests.support.npm import NpmRegistry, npm_package
from tests.support.npm_locks import of_registry, write_npm_project
from tests.whole.conftest import SUITES, nix_of

pytestmark = pytest.mark.nix


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A locked project with a chain of two packages and a cycle of two, whose archives are served."""
    names = {"one": "two", "two": "", "left": "right", "right": "left"}
    made = [npm_package(name, files={"index.js": f"exports.needs = '{needs}'\n"}) for name, needs in names.items()]
    directory = tmp_path_factory.mktemp("project")
    with NpmRegistry(made) as registry:
        rows = [
            of_registry(
                registry,
                package,
                **({"dependencies": {names[package.name]: f"node_modules/{names[package.name]}"}} if needs else {}),
                **({"cycle": "node_modules/left"} if package.name in ("left", "right") else {}),
            )
            for package, needs in zip(made, names.values(), strict=True)
        ]
        write_npm_project(directory, *rows)
        yield directory


def nix_build(nix: NixInstallation, project: Path, *arguments: str | Path) -> Path:
    """Return what ``nix-build`` makes of the project."""
    command = ["nix-build", project / "nix", "--no-out-link", *arguments]
    done = subprocess.run(command, env=nix.env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


@pytest.mark.parametrize("suite", ["distribution", *SUITES])
def test_every_version_of_nix(project: Path, tmp_path: Path, suite: str) -> None:
    """Each version gives the same names, a chain and a cycle that Node.js walks, and an image."""
    nix = nix_of(suite, tmp_path / "nix")
    environment = nix_build(nix, project)
    command = ["node", "-p", "JSON.stringify(['one', 'two', 'left', 'right'].map(name => require(name).needs))"]
    said = subprocess.run(command, cwd=environment, env=with_node(), capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == ["two", "", "right", "left"]
    assert (nix_build(nix, project, "-A", "mounted") / "image.erofs").is_file()
    nix.make_removable()


@pytest.mark.skipif(cannot_sandbox(), reason="no user namespaces here: Nix cannot sandbox")
def test_the_sandbox(project: Path, tmp_path: Path) -> None:
    """A sandbox that shows a Python of the store and the machine's libraries, and no program of it, is enough for
    packages, environment and image."""
    nix = NixInstallation.of_machine(tmp_path / "nix")
    packages = write_nixpkgs(tmp_path / "nixpkgs")
    python = ["--arg", "python", f"(import {packages} {{ }}).python3"]
    libraries = " ".join(path for path in ("/lib", "/lib64", "/usr/lib", "/usr/lib64") if Path(path).is_dir())
    # The stand-in for nixpkgs' Python is made of the machine's, outside of any.
    subprocess.run(
        ["nix-build", "--no-out-link", packages, "-A", "python3"], env=nix.env, capture_output=True, check=True
    )
    sandbox = ["--option", "sandbox", "true", "--option", "sandbox-fallback", "false"]
    inside = nix_build(nix, project, *python, *sandbox, "--option", "sandbox-paths", libraries)
    assert (inside / "node_modules/one/index.js").read_text() == "exports.needs = 'two'\n"
    image = nix_build(nix, project, *python, *sandbox, "--option", "sandbox-paths", libraries, "-A", "mounted")
    assert (image / "image.erofs").is_file()
    nix.make_removable()
