"""Real packages of PyPI, built from their sources with the backends and compilers that they ask for."""

from __future__ import annotations

import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation, cannot_sandbox

pytestmark = pytest.mark.nix

#: A small package for each way to build one, and what of it can be imported only where it was built.
PACKAGES = {
    "docopt": "docopt",  # setuptools, without a pyproject.toml
    "idna": "idna",  # flit
    "iniconfig": "iniconfig",  # hatchling, with hatch-vcs
    "tomlkit": "tomlkit",  # poetry-core
    "dep-logic": "dep_logic",  # pdm-backend
    "markupsafe": "markupsafe._speedups",  # C, with setuptools
    "frozenlist": "frozenlist._frozenlist",  # Cython, with a backend in its tree
    "argon2-cffi-bindings": "_argon2_cffi_bindings",  # cffi
    "meson-python": "mesonpy",  # meson-python
    "pybind11": "pybind11",  # scikit-build-core
}


def with_store(nixgen: Cli, store: NixInstallation) -> Cli:
    kept = {name: value for name, value in store.env.items() if os.environ.get(name) != value}
    return replace(nixgen, environment={**nixgen.environment, **kept})


def test_each_way_to_build_a_package(nixgen: Cli, nix_store: NixInstallation) -> None:
    """One lock builds all of them side by side; the environment has them, and stock Nix builds the same one."""
    cli = with_store(nixgen, nix_store)
    (cli.directory / "requirements.in").write_text("".join(f"{name}\n" for name in PACKAGES))
    options = [word for name in PACKAGES for word in ("--build-from-source", name)]
    said = cli("lock", *options).stderr
    for name in PACKAGES:
        assert f"built {name} " in said
    path = cli("build", "--no-out-link").stdout.strip()
    modules = "; ".join(f"import {module}" for module in PACKAGES.values())
    subprocess.run([f"{path}/bin/python", "-c", modules], check=True)
    done = subprocess.run(
        ["nix-build", "nix", "--no-out-link"],
        cwd=cli.directory,
        env={**os.environ, **cli.environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == path


@pytest.mark.skipif(cannot_sandbox(), reason="no user namespaces here: Nix cannot sandbox")
def test_a_sandbox_changes_nothing(nixgen: Cli, nix_store: NixInstallation, tmp_path: Path) -> None:
    """What is locked without a sandbox is what comes out in one: every file of a compiled wheel is compared."""
    cli = with_store(nixgen, nix_store)
    (cli.directory / "requirements.in").write_text("markupsafe\n")
    cli("lock", "--build-from-source", "markupsafe")
    elsewhere = NixInstallation.of_machine(tmp_path / "elsewhere")
    shown = " ".join(path for path in ("/lib", "/lib64", "/usr", "/bin") if Path(path).exists())
    options = ["--option", "sandbox", "true", "--option", "extra-sandbox-paths", shown]
    path = with_store(cli, elsewhere)("build", "--no-out-link", *options).stdout.strip()
    assert list(Path(path).glob("lib/python*/site-packages/markupsafe/_speedups*.so"))
    elsewhere.make_removable()
