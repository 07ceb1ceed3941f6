"""Text of the Nix language, read by Nix."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.emit.nix import nix_path, nix_set, nix_string
from tests.support.nix import NixInstallation, evaluate

pytestmark = pytest.mark.nix

NASTY = [
    "",
    "plain",
    'say "hi"',
    "${builtins.throw 1}",
    "$${x}",
    "$$${x}",
    "\\${x}",
    "\\\\${x}",
    "\\",
    "\\n",
    "''${x}''",
    "line\nline\r\ttab",
    "größe 日本語 😀",
    "$",
    "{",
    "a$",
    "# no comment */ /*",
    "\x01\x7f",
]


def test_strings_of_nix_mean_the_text(nix_store: NixInstallation) -> None:
    """``nix_string`` writes any text as a literal that Nix reads as that text."""
    expression = "[ " + " ".join(nix_string(text) for text in NASTY) + " ]"
    assert evaluate(expression, nix_store.env) == NASTY


def test_sets_of_nix_have_any_names(nix_store: NixInstallation) -> None:
    """``nix_set`` writes a set whose names are any text, with values that are text of Nix."""
    expression = nix_set({name: nix_string(name) for name in NASTY})
    assert evaluate(expression, nix_store.env) == {name: name for name in NASTY}


def test_paths_of_nix_have_any_names(nix_store: NixInstallation, tmp_path: Path) -> None:
    """``nix_path`` writes a path that Nix finds, whatever its name."""
    path = tmp_path / 'a ${b} "c"'
    path.write_text("found")
    assert evaluate(f"builtins.readFile {nix_path(path)}", nix_store.env) == "found"
