"""``nixgen image``: an archive for containers."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.targets import default_python
from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.nixpkgs import write_nixpkgs
from tests.support.programs import program
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

DEMO = make_wheel("demo", files={"demo/__init__.py": "", "demo/image.txt": "of the tests of nixgen image"})


@pytest.fixture
def locked(nixgen: Cli, nix_store: NixInstallation, serve: Callable[..., WheelServer]) -> Cli:
    """A locked project in a directory of an odd name, and a store of the tests' own."""
    directory = nixgen.directory.rename(nixgen.directory.with_name('an "odd" ${name}'))
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    cli = replace(nixgen, directory=directory, environment={**nixgen.environment, **kept})
    (directory / "requirements.in").write_text("demo\n")
    cli("lock", "--default-index", serve(DEMO).index)
    return cli


@pytest.fixture
def python(nix_store: NixInstallation, tmp_path: Path) -> str:
    """A Python of the store."""
    nixpkgs = write_nixpkgs(tmp_path / "nixpkgs")
    command = ["nix-build", "--no-out-link", nixpkgs, "-A", "python3"]
    done = subprocess.run(command, env=nix_store.env, capture_output=True, text=True, check=True)
    return f"{done.stdout.strip()}/bin/python{default_python()}"


def test_an_image(locked: Cli, python: str) -> None:
    """The image has the name, command and variables that were asked for, and a link; a second time is the same."""
    asked = ("image", "--python", python, "--name", "shop", "--tag", "v1", "--env", "A=${x}=1", "--layers", "10")
    command = ("--", "python", "-m", "demo")
    made = locked(*asked, *command)
    image = locked.directory / "result-image"
    assert str(image.readlink()) == made.stdout.strip()
    inspect = [program("skopeo"), "inspect", "--config", f"oci-archive:{made.stdout.strip()}"]
    said = json.loads(subprocess.run(inspect, capture_output=True, text=True, check=True).stdout)["config"]
    assert said["Cmd"] == ["python", "-m", "demo"]
    assert said["Env"][-1] == "A=${x}=1"
    again = locked(*asked, *command)
    assert (again.stdout, again.stderr) == (made.stdout, "")
    refused = locked(*asked, "--shell", str(Path(python).parents[1]), *command, code=6)
    assert "there is no shell for the image" in refused.stderr


def test_the_machines_python_is_refused(locked: Cli) -> None:
    """Without a Python of the store, the message says what to do, and no link is made."""
    said = locked("image", code=6).stderr
    assert "nixgen: an image cannot hold the machine's own Python" in said
    assert "what to do" in said
    assert not (locked.directory / "result-image").is_symlink()


def test_a_variable_without_a_value_is_refused(locked: Cli) -> None:
    """A variable is a name and a value."""
    assert "NAME=VALUE" in locked("image", "--env", "DEBUG", code=2).stderr
