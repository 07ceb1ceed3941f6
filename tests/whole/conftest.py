"""The whole path on real packages: the example project, locked from PyPI, built by the oldest and the newest Nix."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.nix import NixInstallation

ROOT = Path(__file__).resolve().parents[2]

#: Debian's suites that have a newer Nix than this machine: 2.26 and 2.34 when this was written.
SUITES = ("trixie", "sid")

#: The machine's own Python, which stock nix-build takes.
MACHINE_PYTHON = Path("/usr/bin/python3.11")


@dataclass(frozen=True, kw_only=True)
class Built:
    """The example, built.

    Attributes:
        nix: what built it.
        cli: ``nixgen`` in the project, with that Nix.
        result: the link that ``nix-build nix`` made.
    """

    nix: NixInstallation
    cli: Cli
    result: Path


@pytest.fixture(scope="session")
def locked_example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project with its lock, made from PyPI once."""
    directory = tmp_path_factory.mktemp("example") / "repl"
    ignored = shutil.ignore_patterns("nixgen.lock", "nix", "result*")
    shutil.copytree(ROOT / "examples" / "repl", directory, ignore=ignored)
    Cli(directory=directory)("lock", "--python", "3.11", "--system", "x86_64-linux", "--system", "aarch64-linux")
    return directory


@pytest.fixture(scope="session", params=["distribution", SUITES[-1]])
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, locked_example: Path
) -> Iterator[Built]:
    """The example, built by stock ``nix-build`` of the distribution's Nix and of the newest one."""
    root = tmp_path_factory.mktemp(f"nix-{request.param}")
    nix = nix_of(request.param, root)
    directory = root / "project"
    shutil.copytree(locked_example, directory)
    cli = Cli(directory=directory, environment=nix.env)
    subprocess.run(["nix-build", "nix"], cwd=directory, env=nix.env, check=True)
    yield Built(nix=nix, cli=cli, result=directory / "result")
    nix.make_removable()


def nix_of(suite: str, root: Path) -> NixInstallation:
    """Return the machine's Nix (``distribution``), or that of a Debian suite, with a store below a directory."""
    if suite == "distribution":
        return NixInstallation.of_machine(root)
    return NixInstallation(newer_nix(suite), root)


def newer_nix(suite: str) -> Path:
    """Put the Nix of a Debian suite beside the machine's, and return the directory of its programs."""
    directory = ROOT / ".cache" / "nix"
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(
        [ROOT / "script" / "nix-versions", directory, suite],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"script/nix-versions failed; it needs Debian's archive:\n{done.stderr}"
    return directory / suite / "bin"


@pytest.fixture(scope="session")
def pip_venv(tmp_path_factory: pytest.TempPathFactory, locked_example: Path) -> Path:
    """A virtual environment of the same wheels, made by pip."""
    import json

    directory = tmp_path_factory.mktemp("pip") / "venv"
    lock = json.loads((locked_example / "nixgen.lock").read_text())
    pins = [f"{package['name']}=={package['version']}" for package in lock["packages"]]
    subprocess.run([MACHINE_PYTHON, "-m", "venv", directory], check=True)
    pip = [directory / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    subprocess.run([*pip, "--only-binary", ":all:", *pins], check=True)
    return directory
