"""Modules of nixmodules: what is common to those of Python and of Node.js, and one of both."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from nixgen.targets import default_python
from tests.nix.conftest import Nix
from tests.support.locks import lock_wheels
from tests.support.modules import NIXMODULES, Repl, problems
from tests.support.nixpkgs import write_nixpkgs
from tests.support.npm_locks import make_tgz, npm_lock, write_package
from tests.support.wheels import make_wheel

PKGS = "(import (/. + nixpkgs) { })"
MODULE = '(nixgen.mkModule ({ lock = nixgen.readLock (/. + file); id = "shop"; } // more))'
PLAIN = f"({MODULE} {{ pkgs = {PKGS}; lib = {{ }}; }})"
MODULEIT = f'(import (/. + nixmodules + "/pkgs/moduleit/entrypoint.nix") {{ pkgs = {PKGS}; configPath = {MODULE}; }})'


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A lock of one wheel, the stand-ins for nixpkgs and nixmodules, and no further arguments."""
    directory = tmp_path_factory.mktemp("module")
    wheel = make_wheel("demo", files={"demo/__init__.py": "print('demo runs')\n"})
    return {
        "file": str(lock_wheels(directory, wheel, python=default_python())),
        "nixpkgs": str(write_nixpkgs(directory / "nixpkgs")),
        "nixmodules": str(NIXMODULES),
        "more": {},
    }


def test_it_is_a_function_of_packages(nix: Nix, values: dict[str, Any]) -> None:
    """A module names the arguments that the module system passes, and takes any others."""
    assert nix.evaluate(f"builtins.functionArgs {MODULE}", **values) == {"pkgs": False, "lib": False}
    assert nix.evaluate(f"({MODULE} {{ pkgs = {PKGS}; lib = {{ }}; config = {{ }}; }}).id", **values) == "shop"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"id": "a shop"}, "the id a shop"),
        ({"venv": "/x"}, "the venv /x"),
        ({"venv": "$x"}, "the venv $x"),
        ({"venv": "../x"}, "the venv ../x"),
        ({"venv": ".venv/"}, "the venv .venv/"),
    ],
)
def test_names_that_cannot_be_used(nix: Nix, values: dict[str, Any], more: dict[str, str], said: str) -> None:
    """An id that no store path carries, and a directory that is none of the repl's, are refused."""
    expression = f"let made = {PLAIN}; in [ made.id made.replit.env ]"
    assert said in nix.refusal(expression, **{**values, "more": more})


def test_both_kinds(nix: Nix, values: dict[str, Any], tmp_path: Path) -> None:
    """A lock of both kinds has both: the environment of each, entry points by their names, two initializers."""
    one = make_tgz("one", files={"index.js": "module.exports = 'one'\n"})
    section = npm_lock(write_package(tmp_path, one, "node_modules/one"))["npm"]
    file = Path(values["file"]).with_name("both.lock")
    file.write_text(json.dumps({**json.loads(Path(values["file"]).read_text()), "npm": section}))
    asked = {**values, "file": str(file), "more": {"entrypoints": ["start.py", "web.js"]}}
    nix.build(
        "nixgen.env { lock = nixgen.readLock (/. + file); system = builtins.currentSystem; "
        f"python = {PKGS}.python3; }}",
        file=str(file),
        nixpkgs=values["nixpkgs"],
    )
    (tmp_path / "repl").mkdir()
    repl = Repl.of_file(tmp_path / "repl", nix.build(MODULEIT, **asked))
    assert list(problems(repl.module)) == []
    assert repl.module["displayVersion"].startswith(f"Python {default_python()}, Node.js ")
    assert repl.module["description"] == "Python and Node.js with the packages of shop"
    assert repl.boot() == ""
    (repl.home / "start.py").write_text("import demo\n")
    (repl.home / "web.js").write_text("import('one').then(found => console.log(found.default))\n")
    assert repl.run_file("python") == "demo runs\n"
    assert repl.run_file("nodejs") == "one\n"
