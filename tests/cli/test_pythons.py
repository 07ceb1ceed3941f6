"""Which Python is locked for and built with, where nobody names one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.pythons import machine_python
from nixgen.targets import default_version
from tests.support.cli import Cli, listing
from tests.support.interpreters import interpreters, manage
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

Serve = Callable[..., WheelServer]

DEMO = make_wheel("demo", "1.0", {"demo.py": "import sys\nprint(*sys.version_info[:2], sep='.')\n"})


def _locked(project: Path) -> list[str]:
    return [target["fullVersion"] for target in json.loads((project / "nixgen.lock").read_text())["targets"]]


def test_what_decides(nixgen: Cli, project: Path, serve: Serve) -> None:
    """The command line, then the lock, then the version file, then what the project is for, then the machine."""
    default = ["--default-index", serve(DEMO).index]
    (project / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\ndependencies = ["demo"]\nrequires-python = ">=3.10"\n'
    )
    nixgen("lock", *default)
    assert _locked(project) == [default_version()]
    (project / ".python-version").write_text("3.99.1\n")
    said = nixgen("lock", *default).stderr
    assert _locked(project) == [default_version()]
    assert ".python-version asks for Python 3.99.1" in said and "`nixgen lock --python 3.99.1` changes that" in said
    (project / "nixgen.lock").unlink()
    said = nixgen("lock", *default).stderr
    assert _locked(project) == ["3.99.1"]
    # It locks, and says what a build will lack and all the ways to have it.
    assert "this machine has no Python 3.99" in said
    assert all(way in said for way in ("`uv python install 3.99`", "`nixgen init`", "--python PATH"))
    nixgen("lock", *default, "--python", "3.98")
    before = listing(project)
    assert "asks for" in nixgen("lock", *default).stderr
    assert _locked(project) == ["3.98.0"] and listing(project) == before
    # Where another Python than the machine's is meant, nothing is lacking.
    nixgen("init")
    assert "this machine has no Python" not in nixgen("lock", *default).stderr


@pytest.mark.nix
def test_a_python_that_uv_manages(empty_store: Cli, project: Path, serve: Serve, tmp_path: Path) -> None:
    """Where the machine has none of the lock's version, the one that uv manages is built with; without it, none."""
    others = {version: path for version, path in interpreters().items() if machine_python(version) is None}
    others = {version: path for version, path in others.items() if int(version[2:]) >= 10}
    if not others:
        pytest.skip("every Python of this machine is one that a build finds by itself")
    version, path = others.popitem()
    managed = manage(tmp_path / "managed", path)
    there = {"UV_PYTHON_INSTALL_DIR": str(tmp_path / "managed")}
    (project / "requirements.in").write_text("demo\n")
    (project / ".python-version").write_text(f"{version}\n")
    said = empty_store("lock", "--default-index", serve(DEMO).index, environment=there).stderr
    assert "has no Python" not in said and _locked(project)[0].startswith(f"{version}.")
    run = ("run", "--", "python", "-m", "demo")
    assert empty_store(*run, environment=there).stdout.strip() == version
    assert (project / "result/bin/python").readlink() == managed
    empty_store("venv", environment=there)
    assert f"home = {managed.parent}" in (project / ".venv/pyvenv.cfg").read_text()
    # The one that was found is gone: what was built with it is not taken for what would be built.
    refused = empty_store("build", code=6, environment={"UV_PYTHON_INSTALL_DIR": str(tmp_path)}).stderr
    assert f"this machine has no Python {version}" in refused
    assert all(way in refused for way in (f"`uv python install {version}`", "`nixgen init`", "--python PATH"))
    # Who writes a nix/default.nix chooses there.
    default = project / "nix/default.nix"
    default.write_text(default.read_text() + "# mine\n")
    assert f"has no Python {version}" in empty_store("build", code=6, environment=there).stderr
