"""A project that is a package, as a flake: built, run, and entered with its code as it is."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.flakes import Flakes, git_add
from tests.support.nix import NixInstallation
from tests.support.projects import write_project

pytestmark = pytest.mark.nix


def test_a_package_is_run_and_entered(nixgen: Cli, nix_store: NixInstallation, nixpkgs: Path, tmp_path: Path) -> None:
    """What ``nixgen init`` writes runs the project's command; a development shell has it editable."""
    nix = Flakes(nix_store, {"nixpkgs": nixpkgs})
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    cli = replace(nixgen, environment={**nixgen.environment, **kept})
    project = cli.directory
    write_project(project, script="own")
    cli("lock", "--no-index")
    cli("init")
    git_add(project)
    assert nix("run", cwd=project) == "one\n"
    (project / "src" / "own" / "__init__.py").write_text("def main():\n    print('two')\n")
    git_add(project)
    assert nix("run", cwd=project) == "two\n"
    (project / "src" / "own" / "__init__.py").write_text("def main():\n    print('three')\n")
    # What a command of `nix develop` prints comes after what the shell says at its start.
    assert nix("develop", "--command", "own", cwd=project).splitlines()[-1] == "three"


@pytest.mark.parametrize(
    "build_system",
    [
        'requires = ["setuptools>=64", "setuptools-scm>=8"]\nbuild-backend = "setuptools.build_meta"\n'
        "[tool.setuptools_scm]\n",
        'requires = ["hatchling", "hatch-vcs"]\nbuild-backend = "hatchling.build"\n'
        '[tool.hatch.version]\nsource = "vcs"\n',
    ],
    ids=["setuptools-scm", "hatch-vcs"],
)
def test_a_version_of_the_last_tag(nixgen: Cli, nix_store: NixInstallation, nixpkgs: Path, build_system: str) -> None:
    """What the repository says while locking is the version in a build and in a flake, which do not see it."""
    nix = Flakes(nix_store, {"nixpkgs": nixpkgs})
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    cli = replace(nixgen, environment={**nixgen.environment, **kept})
    project = cli.directory
    (project / "src" / "tagged").mkdir(parents=True)
    (project / "src" / "tagged" / "__init__.py").write_text("")
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "tagged"\ndynamic = ["version"]\n[build-system]\n{build_system}'
    )
    (project / ".gitignore").write_text("*.egg-info\nbuild\n")
    git = ["git", "-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "v2.3.4"]):
        subprocess.run([*git, *arguments], cwd=project, check=True, capture_output=True)
    cli("lock")
    cli("init")
    git_add(project)
    built = Path(cli("build", "--no-out-link").stdout.strip())
    nix("build", cwd=project)
    for environment in (built, project / "result"):
        assert list(environment.glob("lib/python*/site-packages/tagged-2.3.4.dist-info"))
