"""Environments, evaluated and built by Nix."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nixgen.leaf import leaf_path
from tests.nix.conftest import INTERPRETER, PYTHON, Nix
from tests.nix.test_wheel import ODD
from tests.support.locks import index_bytes, lock_json, lock_wheels, package_json, target_json, wheel_json, write_lock
from tests.support.nix import derivation
from tests.support.wheels import make_wheel, write_wheel

ARGUMENTS = "{ lock = nixgen.readLock (/. + file); system = builtins.currentSystem; python = pythonPath; } // more"
ENV = f"nixgen.env ({ARGUMENTS})"

ONE = make_wheel(
    "one",
    files={"one/__init__.py": "import sys\ndef main():\n    print('one', *sys.argv[1:])\n"},
    entry_points={"console_scripts": {"run-one": "one:main"}},
)
TWO = make_wheel("two", files={"two.py": "x = 2\n"})
THREE = make_wheel("three", files={"three.py": "x = 3\n"})


def _values(file: Path, **more: Any) -> dict[str, Any]:
    return {"file": str(file), "pythonPath": INTERPRETER, "more": more}


@pytest.fixture
def choices(tmp_path: Path) -> Path:
    """Write a lock with an extra, a default group and another group."""
    for wheel in (ONE, TWO, THREE):
        write_wheel(tmp_path / "wheels", wheel)
    packages = [package_json(ONE), package_json(THREE, [["group:dev"]]), package_json(TWO, [["extra:more"]])]
    described = {wheel[0]: wheel_json(wheel, path=f"wheels/{wheel[0]}") for wheel in (ONE, TWO, THREE)}
    lock = lock_json(
        target_json(PYTHON, packages),
        target_json("3.99"),
        wheels=described,
        extras=["more"],
        groups=["dev", "test"],
        default_groups=["dev"],
    )
    return write_lock(tmp_path, lock)


def test_an_environment_runs(nix: Nix, tmp_path: Path) -> None:
    """A lock becomes an environment whose commands and modules run."""
    env = nix.build(ENV, **_values(lock_wheels(tmp_path, ONE, TWO, python=PYTHON)))
    done = subprocess.run([env / "bin/run-one", "a b"], capture_output=True, text=True, check=True)
    assert done.stdout == "one a b\n"
    code = "import sys, one, two; print(sys.prefix)"
    done = subprocess.run([env / "bin/python", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{env}\n"
    assert env.name.endswith(f"-python{PYTHON}-env")


def test_both_ways_give_the_same_derivation(nix: Nix, tmp_path: Path) -> None:
    """``wheels`` and ``store`` give the same derivation: the promise that lets them be mixed."""
    file = lock_wheels(tmp_path, ONE, TWO, python=PYTHON)
    wheels = nix.instantiate(ENV, **_values(file, ingest="wheels"))
    assert nix.instantiate(ENV, **_values(file, ingest="store")) == wheels
    assert nix.instantiate(ENV, **_values(file)) == wheels


def test_the_place_of_the_lock_does_not_matter(nix: Nix, tmp_path: Path) -> None:
    """A copy of the project elsewhere, its wheels on disk with it, gives the same derivation."""
    file = lock_wheels(tmp_path / "here", ONE, TWO, python=PYTHON)
    shutil.copytree(tmp_path / "here", tmp_path / "moved to/there")
    drvs = {nix.instantiate(ENV, **_values(place)) for place in (file, tmp_path / "moved to/there/nixgen.lock")}
    assert len(drvs) == 1


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {"one", "three"}),
        ({"groups": []}, {"one"}),
        ({"groups": ["test"]}, {"one"}),
        ({"extras": ["more"]}, {"one", "two", "three"}),
        ({"extras": ["more"], "groups": []}, {"one", "two"}),
    ],
)
def test_extras_and_groups_choose(nix: Nix, choices: Path, more: dict[str, Any], expected: set[str]) -> None:
    """Any combination of extras and groups has its own packages; the default groups are those of the lock."""
    assert set(nix.evaluate(f"builtins.attrNames (nixgen.trees ({ARGUMENTS}))", **_values(choices, **more))) == expected


def test_trees_are_shared(nix: Nix, choices: Path) -> None:
    """Environments of different choices share the trees that they have in common, and differ otherwise."""
    expression = f"builtins.mapAttrs (_: tree: tree.drvPath) (nixgen.trees ({ARGUMENTS}))"
    small = nix.evaluate(expression, write=True, **_values(choices, groups=[]))
    large = nix.evaluate(expression, write=True, **_values(choices, extras=["more"]))
    assert small["one"] == large["one"]
    assert nix.instantiate(ENV, **_values(choices, groups=[])) != nix.instantiate(ENV, **_values(choices))


def test_the_interpreter_chooses_the_target(nix: Nix, choices: Path) -> None:
    """The version that an interpreter shows selects the target; a version given wins, and must fit."""
    assert f"-python{PYTHON}-" in nix.instantiate(ENV, **_values(choices))
    said = nix.refusal(f"({ENV}).drvPath", **_values(choices, version="3.99"))
    assert f"the interpreter is Python {PYTHON}, and the lock's target is Python 3.99" in said
    said = nix.refusal(f"({ENV}).drvPath", **_values(choices, python="/opt/bin/python3.5"))
    assert "the lock has nothing for Python 3.5" in said


def test_the_builder_is_told_preferences_and_trees(nix: Nix, tmp_path: Path) -> None:
    """The builder gets the trees, the interpreter and the lock's preferences as pairs."""
    prefer = {"outPath": "one", "bin/x": "two"}
    file = lock_wheels(tmp_path, ONE, TWO, python=PYTHON, prefer=prefer)
    told = json.loads(derivation(nix.instantiate(ENV, **_values(file)), nix.env)["env"]["attributes"])
    assert told["prefer"] == [["bin/x", "two"], ["outPath", "one"]]
    assert told["python"] == INTERPRETER
    assert [Path(tree).name[33:] for tree in told["trees"]] == ["one-1.0", "two-1.0"]


def test_a_name_may_be_given(nix: Nix, tmp_path: Path) -> None:
    """``name`` is the last part of the environment's name; what a store path cannot carry becomes a hyphen."""
    file = lock_wheels(tmp_path, TWO, python=PYTHON)
    assert nix.instantiate(ENV, **_values(file, name="my ${app}")).endswith(f"-python{PYTHON}-my-app-.drv")


def test_an_unknown_argument_is_refused(nix: Nix, tmp_path: Path) -> None:
    """A misspelt argument is an error, not ignored."""
    file = lock_wheels(tmp_path, TWO, python=PYTHON)
    assert "extra" in nix.refusal(f"({ENV}).drvPath", **_values(file, extra=["x"]))


def test_nothing_of_a_wheel_becomes_nix_or_shell(nix: Nix, tmp_path: Path) -> None:
    """A wheel whose files are named in the signs of Nix and shells builds, and its files are read and imported."""
    # importlib.metadata splits RECORD at every newline, quoted or not, and the index refuses such names.
    odd = {name: content for name, content in ODD.items() if "\n" not in name}
    hostile = make_wheel(
        "demo",
        "1.0",
        {**odd, "demo/größe.py": "x = 4\n", "demo/outPath": "o", "demo/sub/__toString": "t", "demo/sub/type": "d"},
        entry_points={"console_scripts": {"$(touch pwned)": "demo.größe:x", "a ${b} 'c'": "demo.größe:x"}},
    )
    env = nix.build(ENV, **_values(lock_wheels(tmp_path, hostile, python=PYTHON)))
    package = env / f"lib/python{PYTHON}/site-packages/demo"
    assert {name: (package.parent / name).read_text() for name in odd} == odd
    assert (package / "outPath").read_text() + (package / "sub/__toString").read_text() == "ot"
    code = "import demo.größe as g, importlib.metadata as m; print(g.x, {f.locate().exists() for f in m.files('demo')})"
    done = subprocess.run([env / "bin/python", "-X", "utf8", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "4 {True}\n"
    assert {"$(touch pwned)", "a ${b} 'c'"} <= {path.name for path in (env / "bin").iterdir()}
    assert not list(tmp_path.rglob("pwned"))


def test_leaves_are_flat_fixed_outputs(nix: Nix, tmp_path: Path) -> None:
    """Every leaf that an environment refers to is a fixed output of the hash that RECORD gives it."""
    # Wheels without a package: its __init__.py would be a copy.
    file = lock_wheels(tmp_path, TWO, THREE, python=PYTHON)
    env = nix.build(ENV, **_values(file))
    listed = subprocess.run(
        ["nix", "path-info", "--recursive", "--json", env], env=nix.env, capture_output=True, text=True, check=True
    )
    found = json.loads(listed.stdout)
    infos = {i["path"]: i for i in found} if isinstance(found, list) else found
    indexes = [json.loads(index_bytes(wheel)) for wheel in (TWO, THREE)]
    # An environment has a RECORD of its own making.
    files = [file for index in indexes for file in _files(index["files"]) if file[0] != "RECORD"]
    leaves = {leaf_path(name, digest, str(nix.path)) for name, digest in files}
    assert leaves <= infos.keys()
    assert {infos[leaf]["ca"].rpartition(":")[0] for leaf in leaves} == {"fixed:sha256"}


def _files(tree: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, entry in tree.items():
        if isinstance(entry, dict):
            yield from _files(entry)
        else:
            yield name, entry[0]
