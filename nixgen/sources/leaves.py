"""The leaves of a wheel that was built: from the directory that the build has made, into the store."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
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


def differences(known: WheelIndex, built: WheelIndex, where: str = "in the lock") -> Iterator[str]:
    """Yield a line for each file that is another one than is known, and for other commands.

    Args:
        known: what there was before.
        built: what was built now.
        where: what is said of the former.
    """
    for path in sorted({*known.files, *built.files}):
        ours, theirs = known.files.get(path), built.files.get(path)
        if theirs is None or ours is None:
            yield f"{path}: only {where if theirs is None else 'built'}"
        elif ours != theirs:
            yield (
                f"{path}: {ours.sha256[:12] or 'empty'}… with {ours.size} bytes {where}, "
                f"{theirs.sha256[:12] or 'empty'}… with {theirs.size} bytes built"
            )
    if (known.console_scripts, known.gui_scripts) != (built.console_scripts, built.gui_scripts):
        yield "entry_points.txt: other commands"
