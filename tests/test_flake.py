"""The flake of this repository, in pure mode, with a stand-in for nixpkgs, which is out of reach of tests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from nixgen.targets import default_python, default_system
from tests.support.cli import Cli
from tests.support.flakes import Flakes, git_add
from tests.support.nix import NixInstallation
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

ROOT = Path(__file__).resolve().parents[1]
LOCKED = ROOT / "tests" / "flake"

GREETING = '''\
"""What the flake's checks import."""


def hello() -> str:
    """Return a greeting."""
    return "hello from a file of its own"
'''


@pytest.fixture
def nix(nix_store: NixInstallation, nixpkgs: Path) -> Flakes:
    """Run ``nix`` in a directory, its nixpkgs the stand-in."""
    return Flakes(nix_store, {"nixpkgs": nixpkgs})


def test_outputs(nix: Flakes, checkout: Path) -> None:
    """The flake has the package, the library, the template and the checks, and evaluates in pure mode."""
    shown = json.loads(nix("flake show", "--json", cwd=checkout))
    system = default_system()
    assert set(shown["packages"][system]) == {"default", "nixgen"}
    assert set(shown["checks"][system]) == {"environment", "program"}
    assert shown["templates"]["default"]["type"] == "template"
    assert "lib" in shown


def test_checks_build(nix: Flakes, checkout: Path) -> None:
    """``nix flake check`` builds an environment from the committed lock, and the program of it runs."""
    nix("flake check", cwd=checkout)
    done = nix("build", f".#checks.{default_system()}.program", "--no-link", "--json", cwd=checkout)
    assert Path(json.loads(done)[0]["outputs"]["out"]).read_text() == "hello from a file of its own\n"


def test_library(nix: Flakes, checkout: Path) -> None:
    """``lib`` is the library of the checkout."""
    names = json.loads(nix("eval", "--json", ".#lib", "--apply", "builtins.attrNames", cwd=checkout))
    assert {"env", "packagesFor", "readLock"} <= set(names)


def test_the_package_has_the_dependencies_of_pyproject(nix: Flakes, checkout: Path) -> None:
    """The package for nixpkgs has the version and the dependencies that pyproject.toml has, also those of serve."""
    done = nix("build", ".#nixgen", "--no-link", "--json", cwd=checkout)
    described = json.loads(Path(json.loads(done)[0]["outputs"]["out"]).read_text())
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert described["version"] == pyproject["project"]["version"]
    for given, asked in (
        (described["dependencies"], [*pyproject["project"]["dependencies"], *_of_serve(pyproject)]),
        (described["build-system"], pyproject["build-system"]["requires"]),
    ):
        assert set(given) == {Requirement(text).name for text in asked}
    assert (Path(described["src"]) / "nix" / "default.nix").is_file()


def _of_serve(pyproject: dict[str, Any]) -> list[str]:
    found: list[str] = pyproject["project"]["optional-dependencies"]["serve"]
    return found


def test_the_locked_wheel_is_made_here(tmp_path: Path) -> None:
    """The wheel in the repository is what the tests' own maker makes, and the lock beside it is up to date."""
    filename, content = make_wheel(
        "greeting", "1.0", {"greeting/__init__.py": GREETING}, compression=zipfile.ZIP_STORED
    )
    assert (LOCKED / "wheels" / filename).read_bytes() == content
    project = tmp_path / "project"
    shutil.copytree(LOCKED, project)
    Cli(directory=project)("lock", "--no-index")
    assert (project / "nixgen.lock").read_bytes() == (LOCKED / "nixgen.lock").read_bytes()


def test_the_template_is_what_init_writes(tmp_path: Path) -> None:
    """The template's flake.nix is the one that ``nixgen init`` writes in a directory of its name."""
    (tmp_path / "project").mkdir()
    Cli(directory=tmp_path / "project")("init")
    template = ROOT / "templates" / "project"
    assert (tmp_path / "project" / "flake.nix").read_text() == (template / "flake.nix").read_text()


def test_a_project_from_the_template_builds(
    nix: Flakes, nix_store: NixInstallation, checkout: Path, tmp_path: Path
) -> None:
    """``nix flake init``, ``nixgen lock``, ``git add`` and ``nix build`` give an environment that works."""
    project = tmp_path / "new"
    project.mkdir()
    git_add(project)
    nix("flake init", "-t", checkout, cwd=project)
    assert {path.name for path in project.iterdir()} == {
        *(".git", ".gitignore", "README.md", "flake.nix", "requirements.in"),
    }
    shutil.copytree(LOCKED / "wheels", project / "wheels")
    (project / "requirements.in").write_text("./wheels/greeting-1.0-py3-none-any.whl\n")
    Cli(directory=project, environment={"UV_CACHE_DIR": str(tmp_path / "uv")})("lock", "--no-index")
    git_add(project)
    nix("build", cwd=project)
    python = project / "result" / "bin" / "python"
    said = subprocess.run([python, "-c", "import greeting, sys; print(sys.executable)"], capture_output=True, text=True)
    assert said.stdout.strip() == os.fspath(python), said.stderr
    environments = json.loads(nix("flake show", "--json", cwd=project))["packages"][default_system()]
    assert set(environments) == {"default", f"python{default_python().replace('.', '')}"}
