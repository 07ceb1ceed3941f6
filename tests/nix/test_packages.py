"""What a flake offers."""

from __future__ import annotations

import pytest

from tests.nix.conftest import Nix
from tests.support.locks import lock_json, target_json

PKGS = """
system: {
  python311 = { pythonVersion = "3.11"; interpreter = "/${system}/bin/python3.11"; };
  python312 = { pythonVersion = "3.12"; interpreter = "/${system}/bin/python3.12"; };
  python313FreeThreading = { pythonVersion = "3.13"; interpreter = "/${system}/bin/python3.13t"; };
}
"""
LOCK = lock_json(
    target_json("3.12", system="x86_64-linux"),
    target_json("3.11", system="x86_64-linux"),
    target_json("3.11", system="aarch64-darwin"),
    extras=["x"],
)


@pytest.mark.parametrize(("version", "expected"), [("3.11", "python3.11"), ("3.13t", "python3.13t")])
def test_a_version_is_an_attribute_of_nixpkgs(nix: Nix, version: str, expected: str) -> None:
    """``3.11`` is ``python311``, and the free-threaded build has nixpkgs' long name."""
    expression = f'(nixgen.nixpkgsPython (({PKGS}) "s") version).interpreter'
    assert nix.evaluate(expression, version=version) == f"/s/bin/{expected}"


def test_a_missing_python_is_an_error(nix: Nix) -> None:
    """A version that nixpkgs lacks is named with the attribute that was looked for."""
    said = nix.refusal("nixgen.nixpkgsPython { } version", version="3.7")
    assert "nixpkgs has no Python 3.7" in said
    assert "the attribute python37" in said


def test_there_is_one_environment_per_target(nix: Nix) -> None:
    """Each system has its targets by the name of their Python, and its first target as ``default``."""
    made = f'nixgen.packagesFor {{ lock = lock // {{ directory = /.; }}; pkgsFor = {PKGS}; ingest = "store"; }}'
    found = nix.evaluate(f"builtins.mapAttrs (_: builtins.mapAttrs (_: env: env.drvPath)) ({made})", lock=LOCK)
    assert {system: sorted(names) for system, names in found.items()} == {
        "x86_64-linux": ["default", "python311", "python312"],
        "aarch64-darwin": ["default", "python311"],
    }
    linux, darwin = found["x86_64-linux"], found["aarch64-darwin"]
    assert linux["default"] == linux["python312"] != linux["python311"]
    assert darwin["default"] == darwin["python311"] != linux["python311"]


def test_further_arguments_go_to_the_environments(nix: Nix) -> None:
    """Extras, groups and the like are those of ``env``: an unknown extra is refused."""
    made = f'nixgen.packagesFor {{ inherit lock; pkgsFor = {PKGS}; ingest = "store"; extras = [ "y" ]; }}'
    assert "no extra named y" in nix.refusal(f"({made}).x86_64-linux.default.drvPath", lock=LOCK)
