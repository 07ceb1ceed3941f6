"""Text of the Nix language: expressions, and literals of values that are known in Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

#: A text in the store that lists leaves, those of a JSON file; those with a file are added.
LIST_OF_LEAVES = """
{ listed }:
let
  leaf = one:
    if one ? path then builtins.storePath one.path
    else builtins.path { inherit (one) name sha256; recursive = false; path = one.file; };
  lines = map (one: "${leaf one}\\n") (builtins.fromJSON (builtins.readFile listed));
in
builtins.toFile "adopted" (builtins.concatStringsSep "" lines)
"""


#: Texts in the store that have store paths as references: what is cut off of a string keeps what it depends on.
TEXTS = """
{ listed }:
let
  kept = paths: builtins.concatStringsSep "" (map (path: builtins.substring 0 0 "${builtins.storePath path}") paths);
  text = one: builtins.toFile one.name (one.content + kept one.paths);
in
map text (builtins.fromJSON (builtins.readFile listed))
"""


def nix_string(text: str) -> str:
    """Return a string literal of the Nix language for any text (Nix manual, "String")."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def nix_list(texts: Iterable[str]) -> str:
    """Return a list of strings of the Nix language."""
    return "[ " + "".join(f"{nix_string(text)} " for text in texts) + "]"


def nix_path(path: Path) -> str:
    """Return an expression of the Nix language for a path of any name."""
    return f"(/. + {nix_string(str(path.absolute()))})"


def nix_set(attributes: Mapping[str, str]) -> str:
    """Return a set of the Nix language.

    Args:
        attributes: text of the Nix language by name; names of any kind.
    """
    return "{ " + "".join(f"{nix_string(name)} = {value}; " for name, value in attributes.items()) + "}"
