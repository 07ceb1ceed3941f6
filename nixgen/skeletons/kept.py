"""Where skeletons are kept: in the user's cache, by the wheel's SHA-256.

Not in the lock: it has 444 bytes of a wheel, and the skeleton takes 0.9 kB for the median of 76 wheels and 30 kB for
Django's, compressed, and changes nothing of what is built.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from nixgen.cache import cache_directory
from nixgen.skeletons.skeleton import Skeleton


def find_skeleton(sha256: str) -> Skeleton | None:
    """Return the skeleton of the wheel with a SHA-256, None where there is none, or nothing of use."""
    with contextlib.suppress(OSError, ValueError):
        return Skeleton.from_bytes(_place(sha256).read_bytes())
    return None


def comes_out(sha256: str) -> bool:
    """Tell whether there is a skeleton of a wheel, without reading it."""
    try:
        return _place(sha256).stat().st_size > 0
    except OSError:
        return False


def has_none(sha256: str) -> bool:
    """Tell whether it was tried before to make a skeleton of a wheel, and none was worth keeping."""
    try:
        return _place(sha256).stat().st_size == 0
    except OSError:
        return False


def keep_skeleton(sha256: str, skeleton: Skeleton | None) -> None:
    """Keep a skeleton, or that a wheel has none; where the cache cannot be written, nothing happens."""
    from nixgen.emit.files import write_several

    with contextlib.suppress(OSError):
        write_several(_place(sha256).parent, {sha256: b"" if skeleton is None else skeleton.to_bytes()})


def drop_skeleton(sha256: str) -> None:
    """Forget a skeleton that does not give its wheel: it is damaged, or this zlib compresses otherwise."""
    with contextlib.suppress(OSError):
        _place(sha256).unlink()


def _place(sha256: str) -> Path:
    return cache_directory() / "skeletons" / sha256
