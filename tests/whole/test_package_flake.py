"""A project that is a package, as a flake: built, run, and entered with its code as it is."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.flakes import Flakes, git_add
from tests.support.nix import NixInstallation
from tests.support.projects import write_project

pytestmark = pytest.mark.nix

SHELLS = """
      devShells = nixgen.devShellsFor {
        lock = nixgen.readLock ./nixgen.lock;
        pkgsFor = system: nixpkgs.legacyPackages.${system};
      };
    };
}
"""


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
    flake = (project / "flake.nix").read_text()
    (project / "flake.nix").write_text(flake[: flake.rindex("    };")] + SHELLS)
    (project / "src" / "own" / "__init__.py").write_text("def main():\n    print('two')\n")
    git_add(project)
    assert nix("run", cwd=project) == "two\n"
    (project / "src" / "own" / "__init__.py").write_text("def main():\n    print('three')\n")
    # What a command of `nix develop` prints comes after what the shell says at its start.
    assert nix("develop", "--command", "own", cwd=project).splitlines()[-1] == "three"
