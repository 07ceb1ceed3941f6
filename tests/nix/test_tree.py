"""Trees as derivations."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from nixgen.leaf import leaf_path
from tests.nix.conftest import INTERPRETER, PYTHON, Nix
from tests.support.locks import change_index, change_package, index_bytes, lock_wheels
from tests.support.nix import attributes, derivation
from tests.support.wheels import make_wheel, nix_sha256

TREE = """
let
  lock = nixgen.readLock (/. + file);
  interpreter = nixgen.interpreter { python = pythonPath; inherit version; };
  system = builtins.currentSystem;
  package = builtins.head lock.packages;
  source = nixgen.sources way { inherit lock interpreter system; filenames = [ package.wheel ]; } package.wheel;
  index = nixgen.readIndex { inherit lock; filename = package.wheel; source = source.index; };
in
nixgen.tree { inherit package index system interpreter; source = source.member; }
"""

WHEEL = make_wheel(
    "Demo_Pkg",
    "1!2.0",
    {"demo/__init__.py": "", "demo/run.py": "#!/bin/sh\n", "demo/data.txt": "text", "demo/outPath": "x"},
    entry_points={
        "console_scripts": {"tool": "demo:main", "outPath": "demo:x"},
        "gui_scripts": {"__toString": "demo:y"},
    },
    data={"scripts/s": "#!python\n"},
    executable=["demo/run.py"],
)


def _values(directory: Path, way: str = "wheels") -> dict[str, Any]:
    file = lock_wheels(directory, WHEEL, python=PYTHON)
    return {"file": str(file), "pythonPath": INTERPRETER, "version": PYTHON, "way": way}


def test_a_tree_is_made_of_leaves(nix: Nix, tmp_path: Path) -> None:
    """The builder is told every file with its leaf, the commands and the names; nothing of the wheel is an input."""
    said = derivation(nix.instantiate(TREE, **_values(tmp_path)), nix.env)
    told = attributes(said)
    info = "Demo_Pkg-1!2.0.dist-info"

    def leaf(name: str, content: str) -> str:
        return leaf_path(name, nix_sha256(content), str(nix.path))

    files = {file[0]: file[1:] for file in told.pop("files")}
    assert files.keys() == {
        "demo/__init__.py",
        "demo/data.txt",
        "demo/outPath",
        "demo/run.py",
        "Demo_Pkg-1!2.0.data/scripts/s",
        *(f"{info}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt")),
    }
    assert files["demo/__init__.py"] == [""]
    assert files["demo/data.txt"] == [leaf("data.txt", "text")]
    assert files["demo/run.py"] == [leaf("run.py", "#!/bin/sh\n"), "x"]
    assert Path(told.pop("installer")).read_text() == "nixgen\n"
    assert Path(told.pop("index")).read_bytes() == index_bytes(WHEEL)
    assert told == {
        "distribution": "demo-pkg",
        "version": "1!2.0",
        "distInfo": info,
        "dataDir": "Demo_Pkg-1!2.0.data",
        "commands": [["__toString", "demo:y"], ["outPath", "demo:x"], ["tool", "demo:main"]],
    }
    inputs = json.dumps([said.get("inputSrcs"), said.get("inputDrvs"), said.get("inputs")])
    assert "unpacked" not in inputs
    assert ".whl" not in inputs


def test_a_tree_is_small_where_nothing_has_to_be_built(nix: Nix, tmp_path: Path) -> None:
    """What the builder is told lies in the store: Nix reads derivations again and again. Not where leaves are built."""
    said = derivation(nix.instantiate(TREE, **_values(tmp_path)), nix.env)
    told = Path(said["env"]["attributesPath"])
    assert told.parent == nix.path and "attributes" not in said["env"]
    assert len(json.dumps(said)) < 2500
    said = derivation(nix.instantiate(TREE, **_values(tmp_path, "fixed")), nix.env)
    assert "attributesPath" not in said["env"] and len(attributes(said)["files"]) == 9


def test_a_tree_is_installed(nix: Nix, tmp_path: Path) -> None:
    """The tree has the wheel's files where an installer puts them."""
    out = nix.build(TREE, **_values(tmp_path))
    assert (out / f"lib/python{PYTHON}/site-packages/demo/data.txt").read_text() == "text"
    assert sorted(path.name for path in (out / "bin").iterdir()) == ["__toString", "outPath", "s", "tool"]
    assert out.name.endswith("-demo-pkg-1-2.0")


def test_versions_share_a_program(nix: Nix, tmp_path: Path) -> None:
    """A large program that stands alone is one store path for every version, both ways of ingest, and it runs."""
    program = Path("/bin/echo").read_bytes() + bytes(1 << 20)
    found = set()
    for version in ("1.0", "2.0"):
        wheel = make_wheel("demo", version, {"demo/__init__.py": "", "demo/run": program}, executable=["demo/run"])
        (directory := tmp_path / version).mkdir()
        values = _values(directory)
        lock_wheels(directory, wheel, python=PYTHON)
        out = nix.build(TREE, **values)
        assert nix.instantiate(TREE, **values) == nix.instantiate(TREE, **{**values, "way": "store"})
        found.add((out / f"lib/python{PYTHON}/site-packages/demo/run").resolve())
    (shared,) = found
    assert shared.parent == nix.path
    assert shared.name.endswith("-run")
    assert subprocess.run([shared, "ran"], capture_output=True, text=True, check=True).stdout == "ran\n"


def test_both_ways_give_the_same_tree(nix: Nix, tmp_path: Path) -> None:
    """Once the leaves are in the store, both ways of ingest give the same derivation."""
    drvs = {nix.instantiate(TREE, **_values(tmp_path, way)) for way in ("wheels", "store")}
    assert len(drvs) == 1


@pytest.mark.parametrize("overrides", [{"solid": True}, {"copy": ["demo/data.txt"], "link": ["*.x"]}], ids=str)
def test_an_override_reaches_the_tree(overrides: dict[str, Any], nix: Nix, tmp_path: Path) -> None:
    """What the lock says of placement is in the derivation, the same for both ways of ingest, and is done."""
    drvs = set()
    for way in ("wheels", "store"):
        values = _values(tmp_path, way)
        change_package(Path(values["file"]), WHEEL[0], placement=overrides)
        drvs.add(nix.instantiate(TREE, **values))
    (drv,) = drvs
    assert attributes(derivation(drv, nix.env))["placement"] == overrides
    copies = json.loads((nix.build(TREE, **values) / "nix-support" / "nixgen.json").read_text())["copies"]
    assert copies[f"lib/python{PYTHON}/site-packages/demo/data.txt"] == ["override"]


def test_a_missing_leaf_names_the_command(nix: Nix, tmp_path: Path) -> None:
    """In ``store`` mode, a leaf that the store lacks stops Nix at a file whose name says what to run."""
    values = _values(tmp_path, "store")
    text = [nix_sha256(str(tmp_path)), 4]
    change_index(Path(values["file"]), WHEEL, lambda index: index["files"]["demo"].update({"data.txt": text}))
    assert "run-nixgen-fetch" in nix.refusal(f"({TREE}).drvPath", **values)
