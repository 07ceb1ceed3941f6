"""Where leaves are taken from."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.leaf import leaf_path
from tests.nix.conftest import INTERPRETER, PYTHON, Nix
from tests.support.locks import change_index, lock_wheels
from tests.support.nix import NixFailedError, evaluate
from tests.support.wheels import make_wheel, nix_sha256

SOURCES = """
nixgen.sources way {
  lock = nixgen.readLock (/. + file);
  inherit filenames;
  system = builtins.currentSystem;
  interpreter = nixgen.interpreter { python = pythonPath; inherit version; };
}
"""
ONE, TWO = (make_wheel(name, files={f"{name}/a.py": f"x = '{name}'\n"}) for name in ("one", "two"))


def _values(directory: Path) -> dict[str, object]:
    file = lock_wheels(directory, ONE, TWO, python=PYTHON)
    return {"file": str(file), "filenames": [ONE[0], TWO[0]], "pythonPath": INTERPRETER, "version": PYTHON}


def test_wheels_gives_the_unpacked_file(nix: Nix, tmp_path: Path) -> None:
    """The way ``wheels`` leads to the member inside the unpacked wheel."""
    expression = f"builtins.readFile (({SOURCES} member.wheel).member member.path)"
    for wheel, name in ((ONE, "one"), (TWO, "two")):
        member = {"wheel": wheel[0], "path": f"{name}/a.py"}
        assert (
            nix.evaluate(expression, write=True, way="wheels", member=member, **_values(tmp_path)) == f"x = '{name}'\n"
        )


def test_store_gives_a_file_that_says_what_to_do(nix: Nix, tmp_path: Path) -> None:
    """The way ``store`` leads to a placeholder, whose name is the advice, and opens no wheel."""
    values = _values(tmp_path)
    (tmp_path / "wheels" / ONE[0]).unlink()
    found = nix.evaluate(f'toString (({SOURCES} "any.whl").member "any.py")', way="store", **values)
    assert Path(found).name == "run-nixgen-fetch"
    assert "run `nixgen fetch`" in Path(found).read_text()


def test_fixed_gives_derivations_of_leaves(nix: Nix, tmp_path: Path) -> None:
    """The way ``fixed`` leads to one derivation for each leaf, shared by equal files, and builds none of them."""
    one, two = (make_wheel(name, files={f"{name}/a.py": "nobody builds this\n"}) for name in ("one", "two"))
    values = _values(tmp_path)
    file = lock_wheels(tmp_path, one, two, python=PYTHON)
    for wheel in (one, two):
        change_index(file, wheel, lambda index: None)
    expression = f"let source = {SOURCES}; in map (a: with (source a.wheel).member a.path; [ outPath drvPath ]) members"
    members = [{"wheel": one[0], "path": "one/a.py"}, {"wheel": two[0], "path": "two/a.py"}]
    found = nix.evaluate(expression, write=True, way="fixed", members=members, **values)
    assert found[0] == found[1]
    leaf = leaf_path("a.py", nix_sha256("nobody builds this\n"), str(nix.path))
    assert found[0][0] == leaf
    assert Path(found[0][1]).exists()
    assert not Path(leaf).exists()


def test_an_unknown_way_is_an_error(nix: Nix, tmp_path: Path) -> None:
    """A way that is none is refused, with those there are."""
    said = nix.refusal(f'{SOURCES} "a" "b"', way="magic", **_values(tmp_path))
    assert "no ingest named magic" in said
    assert 'choose "wheels", "store" or "fixed"' in said


def test_fixed_without_an_index_names_the_command(nix: Nix, tmp_path: Path) -> None:
    """The way ``fixed`` builds nothing to evaluate: an index that nobody vendored stops it, saying what to run."""
    wheel = make_wheel("alone", files={"a.py": str(tmp_path)})
    values = {**_values(tmp_path), "file": str(lock_wheels(tmp_path, wheel, python=PYTHON)), "filenames": [wheel[0]]}
    said = nix.refusal(f'(({SOURCES} "{wheel[0]}").member "a.py").outPath', way="fixed", **values)
    assert "run-nixgen-lock--vendor" in said


def test_wheels_where_nothing_may_be_built_to_evaluate(nix: Nix, tmp_path: Path) -> None:
    """Where evaluation may not wait for builds, Nix's message names a build that says what to do."""
    strict = {**nix.env, "NIX_CONFIG": nix.env["NIX_CONFIG"] + "\nallow-import-from-derivation = false\n"}
    expression = f'toString (({SOURCES} "{ONE[0]}").member "one/a.py")'
    with pytest.raises(NixFailedError, match="if-import-from-derivation-is-forbidden-take-ingest-store-or-fixed"):
        evaluate(expression, strict, write=True, way="wheels", **_values(tmp_path))
