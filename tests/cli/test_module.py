"""``nixgen module``: a file that moduleit takes."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from nixgen.targets import default_python
from tests.support.cli import Cli
from tests.support.modules import NIXMODULES, problems
from tests.support.nix import NixInstallation, evaluate
from tests.support.nixpkgs import write_nixpkgs
from tests.support.npm_locks import write_npm_project
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]

DEMO = make_wheel("demo", files={"demo/__init__.py": "", "demo/module.txt": "of the tests of nixgen module"})


@pytest.fixture
def locked(nixgen: Cli, serve: Serve) -> Cli:
    """A project that is locked, with an extra and a group."""
    (nixgen.directory / "pyproject.toml").write_text(
        '[project]\nname = "My_Shop"\nversion = "1"\ndescription = "Sells ${things} \\"here\\""\n'
        'dependencies = ["demo"]\noptional-dependencies = { more = ["demo"] }\n[dependency-groups]\ndev = ["demo"]\n'
    )
    nixgen("lock", "--default-index", serve(DEMO).index)
    return nixgen


def said(nixgen: Cli, nix: NixInstallation) -> dict[str, object]:
    """Return what the written module says of itself, without its packages."""
    expression = """
    let
      made = import (/. + file) { lib = { }; pkgs.stdenv.hostPlatform = { inherit system; }; };
    in {
      inherit (made) id name description displayVersion;
      inherit (made.replit.env) VIRTUAL_ENV;
      inherit (made.replit.runners.python) defaultEntrypoints;
    }
    """
    path = nixgen.directory / "nix" / "module.nix"
    system = json.loads((nixgen.directory / "nixgen.lock").read_text())["targets"][0]["system"]
    found: dict[str, object] = evaluate(expression, nix.env, file=str(path), system=system)
    return found


def test_names_come_from_the_project(locked: Cli, nix_store: NixInstallation) -> None:
    """Without options, the module has the project's name and description, whatever is in them."""
    (locked.directory / "app.py").write_text("")
    assert "next: nixgen fetch, then moduleit nix/module.nix" in locked("module").stderr
    assert said(locked, nix_store) == {
        "id": "my_shop",
        "name": "My_Shop",
        "description": 'Sells ${things} "here"',
        "displayVersion": default_python(),
        "VIRTUAL_ENV": "$REPL_HOME/.pythonlibs",
        "defaultEntrypoints": ["app.py"],
    }


def test_names_are_the_users(locked: Cli, nix_store: NixInstallation) -> None:
    """Options say otherwise."""
    locked(
        *("module", "--id", "shop-1", "--name", "Shop", "--description", "It sells", "--venv", ".venv"),
        *("--entrypoint", "sell.py", "--entrypoint", "buy.py", "--python", default_python()),
        *("--extra", "more", "--group", "dev"),
    )
    assert said(locked, nix_store) == {
        "id": "shop-1",
        "name": "Shop",
        "description": "It sells",
        "displayVersion": default_python(),
        "VIRTUAL_ENV": "$REPL_HOME/.venv",
        "defaultEntrypoints": ["sell.py", "buy.py"],
    }
    text = (locked.directory / "nix" / "module.nix").read_text()
    assert 'extras = [ "more" ];' in text and 'groups = [ "dev" ];' in text


def test_a_directory_without_a_name(nixgen: Cli, serve: Serve, nix_store: NixInstallation) -> None:
    """A project of requirements alone is named after its directory."""
    (nixgen.directory / "requirements.in").write_text("demo\n")
    nixgen("lock", "--default-index", serve(DEMO).index)
    nixgen("module")
    found = said(nixgen, nix_store)
    assert (found["id"], found["description"]) == ("project", "Python with the packages of project")
    assert found["defaultEntrypoints"] == ["main.py", "app.py", "run.py"]


def test_a_module_is_not_overwritten(locked: Cli) -> None:
    """A second time is refused, and what the user has written stays."""
    locked("module")
    path = locked.directory / "nix" / "module.nix"
    path.write_text("mine")
    assert "there is a module already" in locked("module", code=3).stderr
    assert path.read_text() == "mine"


def test_what_cannot_be(locked: Cli, tmp_path: Path) -> None:
    """What the lock lacks, no lock, and a directory outside of the repl are refused, and nothing is written."""
    assert "no extra named x" in locked("module", "--extra", "x", code=3).stderr
    assert "no group named x" in locked("module", "--group", "x", code=3).stderr
    assert "nothing for Python 3.5" in locked("module", "--python", "3.5", code=3).stderr
    for place in ("/x", "../x", ".venv/", "a b"):
        assert "--venv" in locked("module", "--venv", place, code=2).stderr
    assert "nixgen lock" in locked("module", "-C", tmp_path, code=3).stderr
    assert not (locked.directory / "nix" / "module.nix").exists()


def test_moduleit_takes_it(locked: Cli, nix_store: NixInstallation, tmp_path: Path) -> None:
    """After ``nixgen fetch`` the file becomes JSON as described, without a build during evaluation."""
    locked("module")
    locked("fetch", environment=nix_store.env)
    nixpkgs = write_nixpkgs(tmp_path / "nixpkgs")
    done = subprocess.run(
        [
            *("nix-build", NIXMODULES / "pkgs" / "moduleit" / "entrypoint.nix", "--no-out-link"),
            *("--arg", "pkgs", f"import {nixpkgs} {{ }}", "--option", "allow-import-from-derivation", "false"),
            *("--argstr", "configPath", locked.directory / "nix" / "module.nix"),
        ],
        env=nix_store.env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    assert path.name.endswith("-replit-module-my_shop")
    assert list(problems(json.loads(path.read_text()))) == []


def test_packages_of_npm_alone(nixgen: Cli) -> None:
    """Names and entry points of a project with nothing of Python come from its package.json and its files; options that
    are for Python's packages are refused."""
    write_npm_project(nixgen.directory)
    said = {"name": "@me/shop", "description": "Sells things"}
    (nixgen.directory / "package.json").write_text(json.dumps(said))
    (nixgen.directory / "server.js").write_text("")
    assert "--extra is for those of Python" in nixgen("module", "--extra", "web", code=2).stderr
    assert "next: moduleit nix/module.nix" in nixgen("module").stderr
    text = (nixgen.directory / "nix/module.nix").read_text()
    assert 'id = "me-shop";' in text and 'name = "@me/shop";' in text and 'description = "Sells things";' in text
    assert '"server.js"' in text and "index.js" not in text
    assert "node = pkgs: pkgs.nodejs;" in text and "venv" not in text and "fetch" not in text
