"""Derivations whose builder is the environment's own Python."""

from __future__ import annotations

import json
import os
import shutil
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
