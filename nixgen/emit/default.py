"""The ``nix/default.nix`` of a project: whether it is the one that nixgen writes.

Every build asks: nothing is imported here that a build does not need.
"""

from __future__ import annotations

from pathlib import Path

from nixgen.errors import InputError


def check_default(path: Path) -> None:
    """See that a ``nix/default.nix`` has to do with nixgen: somebody may have had one before.

    Raises:
        InputError: it does not name nixgen.
    """
    if b"nixgen" not in path.read_bytes():
        raise InputError(
            "this file is not nixgen's, and does not use nixgen",
            where=str(path),
            todo="move it elsewhere and run `nixgen lock`, which writes its own; or let it call (import ./nixgen).env",
        )


def is_our_default(path: Path) -> bool:
    """Tell whether it is the one that nixgen writes, without a word of the user's."""
    # The template has nothing to fill in, and so it is its own text: no need to import what fills it in.
    return path.read_bytes() == (Path(__file__).parent / "templates" / "default.nix.j2").read_bytes()
