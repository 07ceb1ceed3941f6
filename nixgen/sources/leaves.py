"""The leaves of a wheel that was built: from the directory that the build has made, into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from nixgen.indexes import INDEX_NAME, index_leaf
from nixgen.leaf import leaf_name, leaf_path
from nixgen.model import WheelIndex
from nixgen.store import Store
from nixgen.store.daemon import Daemon
from nixgen.wheels.text import index_bytes


def leaves_of(index: WheelIndex, store_dir: str) -> Mapping[str, str]:
    """Return the path in the wheel of each of its leaves, by its store path; its index is not among them."""
    return {
        leaf_path(path.rpartition("/")[2], file.sha256, store_dir): path
        for path, file in index.files.items()
        if file.size
    }


def add_leaves(index: WheelIndex, output: Path, store: Store, daemon: Daemon) -> int:
    """Put the leaves of a wheel and its index into the store, as far as it lacks them; return how many it lacked.

    Args:
        index: the wheel's.
        output: what its build has made (nix/builders/wheel.py).
        store: where they go.
        daemon: a connection to it, which keeps them from garbage collection.

    Raises:
        NixError: the store refuses a file, which then is not what the index says.
    """
    leaves = leaves_of(index, store.directory)
    content = index_bytes(index)
    own = index_leaf(hashlib.sha256(content).hexdigest(), store.directory)
    daemon.hold([*leaves, own])
    missing = store.invalid([*leaves, own])
    for path in sorted(missing & leaves.keys()):
        member = leaves[path]
        daemon.add(leaf_name(member.rpartition("/")[2]), (output / "files" / member).read_bytes(), path)
    if own in missing:
        daemon.add(leaf_name(INDEX_NAME), content, own)
    daemon.wait()
    return len(missing)
