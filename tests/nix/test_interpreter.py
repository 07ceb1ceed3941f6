"""The Python of an environment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nix.conftest import INTERPRETER, PYTHON, Nix
from tests.support.nix import LIBRARY

FIND = "nixgen.interpreter { inherit python version; }"


def test_a_path_of_the_machine(nix: Nix) -> None:
    """A path outside of the store is taken as it is, and said to be the machine's."""
    assert nix.evaluate(FIND, python="/opt/x/bin/python3.11", version="3.11") == {
        "path": "/opt/x/bin/python3.11",
        "directory": "/opt/x/bin",
        "machine": True,
        "usesMachine": True,
    }


def test_a_path_without_a_version_is_believed(nix: Nix) -> None:
    """A path that shows no version is taken for any."""
    assert nix.evaluate(FIND, python="/opt/x/bin/python", version="3.13t")["path"] == "/opt/x/bin/python"


def test_a_store_path_becomes_an_input(nix: Nix, tmp_path: Path) -> None:
    """A path in the store is none of the machine's, and the store path it belongs to becomes an input."""
    (tmp_path / "python3.11").write_text("")
    stored = nix.evaluate('builtins.path { name = "py"; path = /. + p; }', write=True, p=str(tmp_path))
    python = f"{stored}/python3.11"
    found = nix.evaluate(FIND, write=True, python=python, version="3.11")
    assert found == {"path": python, "directory": stored, "machine": False, "usesMachine": False}
    context = f"builtins.attrNames (builtins.getContext ({FIND}).path)"
    assert nix.evaluate(context, write=True, python=python, version="3.11") == [stored]


def test_a_python_of_nixpkgs(nix: Nix) -> None:
    """A set with ``interpreter`` gives that, and one without its ``bin``; its ``pythonVersion`` must fit."""
    stand_in = '{ pythonVersion = "3.11"; interpreter = "/x/python3.11"; outPath = "/y"; }'
    assert nix.evaluate(f'(nixgen.interpreter {{ python = {stand_in}; version = "3.11"; }}).path') == "/x/python3.11"
    plain = '{ outPath = "/y"; }'
    assert nix.evaluate(f'(nixgen.interpreter {{ python = {plain}; version = "3.12"; }}).path') == "/y/bin/python3.12"
    said = nix.refusal(f'nixgen.interpreter {{ python = {stand_in}; version = "3.12"; }}')
    assert "the interpreter is Python 3.11, and the lock's target is Python 3.12" in said


def test_the_machines_own_is_the_default(nix: Nix) -> None:
    """Without a Python, the machine's own of that version is taken from where distributions put it, if it is there."""
    places = [f"{directory}/python{PYTHON}" for directory in ("/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")]
    there = [place for place in places if Path(place).exists()]
    if there:
        assert nix.evaluate(FIND, python=None, version=PYTHON)["path"] == there[0]
    else:
        assert f"this machine has no Python {PYTHON}" in nix.refusal(FIND, python=None, version=PYTHON)


def test_a_machine_without_it_is_an_error(nix: Nix) -> None:
    """A version that the machine lacks is an error that says where it was looked for and what to do."""
    said = nix.refusal(FIND, python=None, version="3.99")
    assert "this machine has no Python 3.99" in said
    assert "bin/python3.99" in said
    assert all(way in said for way in ("--argstr python", "uv python install 3.99", "`nixgen init`", "--standalone"))


@pytest.mark.parametrize("version", ["3.10", "3.1", "3.11t"])
def test_another_version_is_an_error(nix: Nix, version: str) -> None:
    """An interpreter that shows another version than the lock's is refused with both."""
    said = nix.refusal(FIND, python="/opt/bin/python3.11", version=version)
    assert f"the interpreter is Python 3.11, and the lock's target is Python {version}" in said
    assert "/opt/bin/python3.11" in said
    assert "`nixgen lock --python 3.11`" in said


def test_versions_are_shown(nix: Nix) -> None:
    """``versionOf`` reads a version from a path, a set or neither."""
    values = [None, "/x/python3.11", "/x/python3.13t", "/x/python", "/x/python3", {"pythonVersion": "3.9"}, {}]
    found = nix.evaluate(f"map (import {LIBRARY}/interpreter.nix).versionOf pythons", pythons=values)
    assert found == [None, "3.11", "3.13t", None, None, "3.9", None]


def test_the_interpreter_of_the_tests(nix: Nix) -> None:
    """The interpreter that the other tests build with is taken."""
    assert nix.evaluate(FIND, python=INTERPRETER, version=PYTHON)["path"] == INTERPRETER
