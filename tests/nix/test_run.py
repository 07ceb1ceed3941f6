"""Derivations whose builder is the environment's own Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

from tests.nix.conftest import INTERPRETER, Nix
from tests.support.nix import LIBRARY, build, derivation, instantiate

RUN = """
(import (/. + directory + "/run.nix") { names = import (/. + directory + "/names.nix"); }).run {
  system = builtins.currentSystem;
  interpreter = { path = python; directory = dirOf python; };
  name = "a name!";
  builder = "nothing";
  inherit attributes;
}
"""


def test_a_builder_runs(nix: Nix) -> None:
    """The builder that is named runs, and the derivation has a name that a store path can carry."""
    out = nix.build(RUN, directory=str(LIBRARY), python=INTERPRETER, attributes={})
    assert out.read_bytes() == b""
    assert out.name.endswith("-a-name-")


def test_attributes_are_json_in_a_file(nix: Nix) -> None:
    """Attributes reach the builder as JSON in a file, whatever their length, and Python finds itself through PATH."""
    attributes = {"odd": "${x} ' \" \\ $(y) é"}
    long = 'builtins.genList (number: "/a/path/of/the/length/of/a/store/path/${toString number}") 5000'
    expression = RUN.replace("inherit attributes;", f"attributes = attributes // {{ long = {long}; }};")
    made = nix.instantiate(expression, directory=str(LIBRARY), python=INTERPRETER, attributes=attributes)
    said = derivation(made, nix.env)
    told = json.loads(said["env"]["attributes"])
    assert len(told.pop("long")) == 5000
    assert told == attributes
    assert said["env"]["passAsFile"] == "attributes"
    assert said["env"]["PATH"] == os.path.dirname(INTERPRETER)  # noqa: PTH120
    assert said["builder"] == INTERPRETER
    assert build(expression, nix.env, directory=str(LIBRARY), python=INTERPRETER, attributes=attributes).is_file()


def test_the_place_of_the_library_does_not_matter(nix: Nix, tmp_path: Path) -> None:
    """A copy of the library elsewhere, with bytecode and editors' files beside it, gives the same derivation."""
    copy = tmp_path / "else where" / "nix"
    shutil.copytree(LIBRARY, copy)
    (copy / "builders/__pycache__").mkdir(exist_ok=True)
    (copy / "builders/tree.py~").write_text("x")
    values = {"python": INTERPRETER, "attributes": {"a": 1}}
    drvs = {instantiate(RUN, nix.env, directory=str(place), **values) for place in (LIBRARY, copy)}
    assert len(drvs) == 1


COMPILED = """
(import (/. + directory + "/run.nix") { names = import (/. + directory + "/names.nix"); }).compiledOf
[ "nothing" "text" ] {
  system = builtins.currentSystem;
  interpreter = { path = python; directory = dirOf python; };
}
"""


def test_builders_are_compiled_once(nix: Nix) -> None:
    """Those that start often have bytecode, the same each time, and their sources for another Python."""
    values = {"directory": str(LIBRARY), "python": INTERPRETER}
    out = nix.build(COMPILED, **values)
    assert sorted(path.name for path in out.iterdir()) == ["__pycache__", "nothing.py", "text.py"]
    (cached,) = (out / "__pycache__").glob("text.*.pyc")
    assert cached.read_bytes()[4:8] == b"\1\0\0\0"  # by a hash that nobody compares (PEP 552)
    made = nix.instantiate(COMPILED, **values)
    subprocess.run(["nix-store", "--realise", "--check", made], env=nix.env, check=True, capture_output=True)
    found = "import sys; sys.path[0] = sys.argv[1]; import text; print(text.__cached__)"
    said = subprocess.check_output(
        [INTERPRETER, "-S", "-B", "-v", "-c", found, out], text=True, stderr=subprocess.STDOUT
    )
    assert f"code object from '{cached}'" in said
