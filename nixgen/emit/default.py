"""The ``nix/default.nix`` of a project: whether it is the one that nixgen writes.

Every build asks: nothing is imported here that a build does not need.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from nixgen.errors import InputError

#: SHA-256 of the templates of before: a file that was written from one, and is as it was, reads nothing else either.
_EARLIER = frozenset(
    [
        "31f69cd721295746b7ec5208a1f2e851603ae3c8b16a26b1049242a4e3a5bb84",
        "8fef60dcfc67fe497c8933d85250467b01a164061bc4e3d3047c766c12b16694",
        "7ce45b7582fd881b2407e7a73239606727dc1c780ed8ee81d1a6efcbe05fde4f",
        "25071746b64432f0723182648778878456449d32de3dfa6268ae0ae488f81188",
        "ca40a352bc2ead35b7506bf5ce7505a49a339170bc3807bc32fc9011aabbd525",
    ]
)


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
    """Tell whether it is the one that nixgen writes, or wrote once, without a word of the user's."""
    content = path.read_bytes()
    # The template has nothing to fill in, and so it is its own text: no need to import what fills it in.
    if content == (Path(__file__).parent / "templates" / "default.nix.j2").read_bytes():
        return True
    return hashlib.sha256(content).hexdigest() in _EARLIER
