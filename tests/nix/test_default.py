"""What the library exports."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.nix.conftest import Nix
from tests.support.nix import LIBRARY


def test_every_exported_function_is_tested(nix: Nix) -> None:
    """Each name that the library exports stands in the expression of a test of this directory."""
    exported = set(nix.evaluate("builtins.attrNames nixgen"))
    expressions = [text for path in Path(__file__).parent.glob("test_*.py") for text in _texts(path)]
    untested = {name for name in exported if not any(f"nixgen.{name}" in text for text in expressions)}
    assert untested == set()
    assert len(exported) > 10


def _texts(path: Path) -> list[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)]


def test_every_file_of_the_library_has_tests() -> None:
    """The tests mirror the library file for file."""
    files = {path.stem for path in LIBRARY.glob("*.nix")}
    assert files == {path.stem.removeprefix("test_") for path in Path(__file__).parent.glob("test_*.py")}


def test_the_library_needs_builtins_alone(nix: Nix) -> None:
    """The library evaluates without nixpkgs, channels or anything else of the machine's."""
    nix.env["NIX_PATH"] = ""
    assert nix.evaluate("builtins.isFunction nixgen.env") is True
    sources = "".join(path.read_text(encoding="utf-8") for path in LIBRARY.glob("*.nix"))
    assert "<nixpkgs>" not in sources
    assert "with builtins" not in sources
