"""Nix's roots of links: which one is a link's, and whether every collection knows of one that was just made.

Every build asks: nothing is imported here that a build does not need.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path

from nixgen.leaf import base32

#: Where Nix has its roots unless somebody says otherwise.
_STATE = "/nix/var/nix"


def held(link: Path, path: str) -> list[int] | None:
    """Return which files a link is, and Nix's root that leads to it; None where one is not there, or leads elsewhere.

    As long as they are these, every collection has found the root, and what it leads to is valid. One that was removed
    and made again, or renamed, has another time of its last change, which nobody can set.

    Args:
        link: the link.
        path: the store path that it leads to.
    """
    # As Nix does it: no link on the way is followed.
    link = Path(os.path.abspath(link))  # noqa: PTH100
    name = base32(hashlib.sha1(os.fsencode(link), usedforsecurity=False).digest())
    root = os.path.join(_state(), "gcroots", "auto", name)  # noqa: PTH118
    try:
        if os.readlink(link) != path or os.readlink(root) != os.fspath(link):  # noqa: PTH115
            return None
        return [number for file in (link, root) for number in _identity(file)]
    except OSError:
        return None


def counts(link: Path, path: str) -> bool:
    """Tell whether no collection is under way that has read Nix's roots before that of a link was made.

    A collection holds Nix's lock of them from before it reads the roots until it ends (``collectGarbage`` in
    src/libstore/gc.cc, from 2.4 to 2.34), so that none is under way where the lock is free. False where that cannot be
    seen: the lock of a daemon is root's, and another store has another one.

    Args:
        link: the link.
        path: the store path that it leads to.
    """
    if held(link, path) is None:
        return False
    try:
        lock = os.open(os.path.join(_state(), "gc.lock"), os.O_RDONLY | os.O_CLOEXEC)  # noqa: PTH118
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True


def _state() -> str:
    return os.environ.get("NIX_STATE_DIR") or _STATE


def _identity(file: str | Path) -> tuple[int, int]:
    about = os.lstat(file)
    return about.st_ino, about.st_ctime_ns
