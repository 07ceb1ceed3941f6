"""Modules, images and development shells under newer versions of Nix; tests/nix has them under the machine's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.flakes import Flakes, git_add
from tests.support.modules import NIXMODULES, problems
from tests.support.nix import NixInstallation
from tests.support.nixpkgs import write_nixpkgs
from tests.support.programs import program
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel
from tests.whole.conftest import SUITES, newer_nix

pytestmark = pytest.mark.nix

DEMO = make_wheel("demo", files={"demo/__init__.py": "x = 1\n"})

FLAKE = """\
{
  inputs.nixmodules.flake = false;
  outputs =
    { nixpkgs, nixmodules, ... }:
    let
      nixgen = import ./nix/nixgen;
      given = {
        lock = nixgen.readLock ./nixgen.lock;
        pkgsFor = system: nixpkgs.legacyPackages.${system};
      };
    in
    {
      devShells = nixgen.devShellsFor given;
      packages = builtins.mapAttrs (system: found: {
        image = nixgen.image { env = found.default; };
        module = import "${nixmodules}/pkgs/moduleit/entrypoint.nix" {
          pkgs = given.pkgsFor system;
          configPath = ./nix/module.nix;
        };
      }) (nixgen.packagesFor given);
    };
}
"""


@pytest.fixture(scope="module", params=SUITES)
def nix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NixInstallation]:
    """Each newer version of Nix, with a store of its own."""
    made = NixInstallation(newer_nix(request.param), tmp_path_factory.mktemp(f"hosting-{request.param}"))
    yield made
    made.make_removable()


def test_module_image_and_shell(nix: NixInstallation, tmp_path: Path, serve: Callable[..., WheelServer]) -> None:
    """One project's module is evaluated without builds, its image is read by skopeo, and ``nix develop`` enters it."""
    nixpkgs = write_nixpkgs(tmp_path / "nixpkgs")
    project = tmp_path / "project"
    project.mkdir()
    (project / "requirements.in").write_text("demo\n")
    cli = Cli(directory=project, environment={**nix.env, "UV_CACHE_DIR": str(tmp_path / "uv")})
    cli("lock", "--default-index", serve(DEMO).index)
    cli("fetch")
    cli("module")
    (project / "flake.nix").write_text(FLAKE)
    git_add(project)
    run = Flakes(nix, {"nixpkgs": nixpkgs, "nixmodules": NIXMODULES})
    run("build", ".#module", "--option", "allow-import-from-derivation", "false", cwd=project)
    assert list(problems(json.loads((project / "result").read_text()))) == []
    run("build", ".#image", cwd=project)
    inspect = [program("skopeo"), "inspect", f"oci-archive:{(project / 'result').resolve()}"]
    described = json.loads(subprocess.run(inspect, capture_output=True, text=True, check=True).stdout)
    assert len(described["Layers"]) == 4
    assert run("develop", "--command", "python", "-c", "import demo; print(demo.x)", cwd=project) == "1\n"
