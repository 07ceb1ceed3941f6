"""Modules of nixmodules for Python, evaluated as moduleit does, and run as a repl does."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import uv

from nixgen.targets import default_python
from tests.nix.conftest import Nix
from tests.support.locks import change_index, lock_wheels
from tests.support.modules import NIXMODULES, Repl, problems
from tests.support.nix import NixFailedError, instantiate
from tests.support.nixpkgs import write_nixpkgs
from tests.support.wheels import make_wheel

DEMO = make_wheel(
    "demo",
    files={"demo/__init__.py": "def main():\n    print('demo runs')\n"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
)

PKGS = "(import (/. + nixpkgs) { })"
MODULE = '(nixgen.mkModule ({ lock = nixgen.readLock (/. + file); id = "shop"; } // more))'
PLAIN = f"({MODULE} {{ pkgs = {PKGS}; lib = {{ }}; }})"
MODULEIT = f'(import (/. + nixmodules + "/pkgs/moduleit/entrypoint.nix") {{ pkgs = {PKGS}; configPath = {MODULE}; }})'
ENV = f"""
nixgen.env {{
  lock = nixgen.readLock (/. + file);
  system = builtins.currentSystem;
  python = nixgen.nixpkgsPython {PKGS} (nixgen.selectTarget {{
    lock = nixgen.readLock (/. + file);
    system = builtins.currentSystem;
  }}).python;
}}
"""


@pytest.fixture(scope="module")
def values(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A lock of one wheel, the stand-ins for nixpkgs and nixmodules, and no further arguments."""
    directory = tmp_path_factory.mktemp("module")
    return {
        "file": str(lock_wheels(directory, DEMO, python=default_python())),
        "nixpkgs": str(write_nixpkgs(directory / "nixpkgs")),
        "nixmodules": str(NIXMODULES),
        "more": {},
    }


@pytest.fixture
def env(nix: Nix, values: dict[str, Any]) -> Path:
    """The module's environment, built; so its leaves are in the store."""
    return nix.build(ENV, **values)


@pytest.fixture
def repl(nix: Nix, values: dict[str, Any], env: Path, tmp_path: Path) -> Repl:
    """A repl whose directory has a space in its name, with the module that moduleit makes."""
    (tmp_path / "a repl").mkdir()
    return Repl.of_file(tmp_path / "a repl", nix.build(MODULEIT, **values))


def test_the_json_is_as_described(repl: Repl) -> None:
    """Every field of the JSON is known and of its type, and none is missing."""
    assert list(problems(repl.module)) == []
    broken = json.loads(json.dumps(repl.module))
    del broken["packagers"]["upmPython"]["features"]["guessImports"]
    broken["env"]["PORT"] = 80
    broken["runners"]["python"]["start"]["arg"] = []
    assert [line.split(":")[0] for line in problems(broken)] == [
        "env.PORT",
        "runners.python.start.arg",
        "packagers.upmPython.features.guessImports",
    ]


def test_what_the_json_says(repl: Repl, env: Path) -> None:
    """Names, variables and tools are those of a Python repl; what a repl knows is left to it."""
    said = repl.module
    assert (said["id"], said["name"], said["displayVersion"]) == ("shop", "shop", default_python())
    assert said["env"] == {
        "PATH": f"$REPL_HOME/.pythonlibs/bin:{env}/bin",
        "VIRTUAL_ENV": "$REPL_HOME/.pythonlibs",
        "UV_PROJECT_ENVIRONMENT": "$REPL_HOME/.pythonlibs",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PYTHON_PREFERENCE": "only-system",
    }
    runner = said["runners"]["python"]
    assert (runner["language"], runner["fileParam"]) == ("python3", True)
    assert runner["defaultEntrypoints"] == ["main.py", "app.py", "run.py"]
    assert said["packagers"]["upmPython"]["ignoredPaths"] == [".pythonlibs"]
    assert said["initializers"]["nixgen"]["runOnce"] is False


def test_arguments(nix: Nix, values: dict[str, Any], env: Path) -> None:
    """Names, directory and entry points are the user's; further arguments are those of an environment."""
    more = {"name": "Shop", "description": "To sell", "venv": ".venv", "entrypoints": ["shop.py"]}
    said = nix.evaluate(f"{{ inherit ({PLAIN}) name description; }}", **{**values, "more": more})
    assert (said["name"], said["description"]) == ("Shop", "To sell")
    tools = nix.evaluate(f"{{ inherit ({PLAIN}.replit) env runners dev; }}", write=True, **{**values, "more": more})
    assert tools["env"]["UV_PROJECT_ENVIRONMENT"] == "$REPL_HOME/.venv"
    assert tools["runners"]["python"]["defaultEntrypoints"] == ["shop.py"]
    assert tools["dev"]["packagers"]["upmPython"]["ignoredPaths"] == [".venv"]
    asked = {**values, "more": {"extras": ["x"]}}
    assert "no extra named x" in nix.refusal(f"(builtins.head {PLAIN}.replit.packages).drvPath", **asked)
    asked = {**values, "more": {"form": "links"}}
    assert "the form links" in nix.refusal(f"{PLAIN}.replit.initializers.nixgen.start.args", **asked)
    mounted = {**values, "more": {"form": "mounted"}}
    *_, command = nix.evaluate(f"{PLAIN}.replit.initializers.nixgen.start.args", write=True, **mounted)
    assert re.fullmatch(r'exec \S+-mounted/bin/nixgen-venv --mounted "[$]REPL_HOME/.pythonlibs"', command)
    asked = {**values, "more": {"version": "3.5"}}
    assert "the lock has nothing for Python 3.5" in nix.refusal(f"{PLAIN}.displayVersion", **asked)


def test_it_is_evaluated_without_builds(nix: Nix, values: dict[str, Any], env: Path) -> None:
    """With the leaves in the store, nothing is built to evaluate it; the closure of the JSON has the environment."""
    strict = {**nix.env, "NIX_CONFIG": nix.env["NIX_CONFIG"] + "allow-import-from-derivation = false\n"}
    drv = instantiate(MODULEIT, strict, **values)
    json_file = subprocess.run(["nix-store", "--realise", drv], env=nix.env, capture_output=True, text=True, check=True)
    closure = subprocess.run(
        ["nix-store", "--query", "--requisites", json_file.stdout.strip()],
        env=nix.env,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert str(env) in closure
    assert str((env / "bin/python").resolve().parents[1]) in closure
    # The other way builds, and the option finds it out.
    asked = {**values, "more": {"ingest": "wheels"}}
    with pytest.raises(NixFailedError, match=r"import.from.derivation|disabled"):
        instantiate(MODULEIT, strict, **asked)


def test_it_says_what_to_do_without_leaves(nix: Nix, values: dict[str, Any], tmp_path: Path) -> None:
    """A leaf that is not in the store stops with a message that names what to run; ``fixed`` needs none there."""
    strange = make_wheel("strange", files={"strange.py": "nobody has built this = 1\n"})
    file = lock_wheels(tmp_path, strange, python=default_python())
    asked = {**values, "file": str(file)}
    assert "run-nixgen-fetch" in nix.refusal(f"(builtins.head {PLAIN}.replit.packages).drvPath", **asked)
    strict = {**nix.env, "NIX_CONFIG": nix.env["NIX_CONFIG"] + "allow-import-from-derivation = false\n"}
    change_index(file, strange, lambda index: None)
    assert instantiate(MODULEIT, strict, **{**asked, "more": {"ingest": "fixed"}}).endswith(".drv")


def test_nothing_bends_pythons_path(repl: Repl) -> None:
    """No variable of Python itself is set, and none twice."""
    text = json.dumps(repl.module)
    assert not re.search(r"PYTHON(PATH|HOME|STARTUP|USERBASE)|sitecustomize", text)
    tools = [*repl.module["runners"].values(), *repl.module["initializers"].values()]
    assert [tool["start"]["env"] for tool in tools] == [{}, {}]


def test_a_deployment_has_what_runs(nix: Nix, values: dict[str, Any], env: Path) -> None:
    """A deployment has the runner and the initializer, and no packager."""
    said = json.loads(nix.build(MODULEIT.replace("configPath", "deployment = true; configPath"), **values).read_text())
    assert list(said["runners"]) == ["python"] and list(said["initializers"]) == ["nixgen"]
    assert said["packagers"] == {}
    assert said["env"]["PATH"].endswith(f":{env}/bin")


def test_the_runner_runs(repl: Repl, env: Path) -> None:
    """A file and the first entry point that exists run with the environment's packages, before any boot too."""
    (repl.home / "app.py").write_text("import demo, sys; demo.main(); print(sys.prefix)")
    (repl.home / "with space.py").write_text("print('spaced')")
    assert repl.run_file("python") == f"demo runs\n{env}\n"
    assert repl.run_file("python", "with space.py") == "spaced\n"
    assert repl.run(["demo"]) == "demo runs\n"


def test_the_initializer_makes_the_environment(repl: Repl, env: Path) -> None:
    """At every boot the repl's own environment is made or healed, in silence; what runs then runs in it."""
    (command,) = (tool["start"]["args"] for tool in repl.module["initializers"].values())
    assert f"{env}/bin/nixgen-venv" in command[-1]
    repl.boot()
    assert repl.boot() == ""
    (repl.home / "main.py").write_text("import demo, sys; demo.main(); print(sys.prefix)")
    venv = repl.home / ".pythonlibs"
    assert repl.run_file("python") == f"demo runs\n{venv}\n"
    assert (venv / "pyvenv.cfg").is_file()


def test_uv_sees_its_packages(repl: Repl) -> None:
    """The platform's packager tries uv, which finds the lock's packages; what it removes stays away after a boot."""
    repl.boot()
    command = [uv.find_uv_bin(), "--quiet", "--offline", "--no-cache", "pip"]
    assert repl.run([*command, "freeze"]) == "demo==1.0\n"
    repl.run([*command, "uninstall", "demo"])
    assert repl.boot() == ""
    assert repl.run([*command, "freeze"]) == ""


def test_users_add_to_it(nix: Nix, values: dict[str, Any]) -> None:
    """What a user's module says beside it is merged: further packages, further variables."""
    more = '{ imports = [ { replit.env.MODE = "x"; replit.packages = [ pkgs.bash ]; } ]; }'
    wrapped = f"({{ pkgs, lib, ... }}@given: {MODULE} given // {more})"
    said = json.loads(nix.build(MODULEIT.replace(MODULE, wrapped), **values).read_text())
    assert said["env"]["MODE"] == "x"
    assert said["env"]["PATH"].endswith("-bash/bin")
    clash = wrapped.replace("MODE", "VIRTUAL_ENV")
    assert "conflicting" in nix.refusal(f"({MODULEIT.replace(MODULE, clash)}).drvPath", **values)
