"""Which indexes are known to be those of the wheels that they are locked with.

An index that was read by ranges is only the server's word: it may be that of another wheel. It is *tied* to the wheel's
SHA-256 when a whole wheel with that hash was seen to have it, and every file to have the hash that it gives. The lock
says so where it was made with ``--verify``; else each user's cache remembers what was seen.

It remembers what servers said, too: a wheel that was read from a URL for one project is not read from there again for
another. That is as much as the first lock had, and no tie.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from nixgen.cache import cache_directory
from nixgen.model import LockedWheel


@dataclass(frozen=True, kw_only=True)
class Tie:
    """What was seen of a whole wheel.

    Attributes:
        index: SHA-256 of its index, hexadecimal.
        size: of the wheel, in bytes.
    """

    index: str
    size: int


def find_tie(sha256: str) -> Tie | None:
    """Return what was seen of the wheel with a SHA-256 (64 hexadecimal digits), None where nothing was.

    What this user has seen counts, and what root has seen for all users of the machine (``share_ties``).
    """
    return _read(_place(sha256)) or (_read(_shared(sha256)) if _is_of_root(_shared(sha256)) else None)


def share_ties(wheels: Iterable[str]) -> None:
    """Let all users of this machine know what was seen of some wheels; nothing happens where that is not ours to say.

    Without it, each user's first build of a wheel would fetch it whole, though the store has all that it holds.

    Args:
        wheels: their SHA-256, 64 hexadecimal digits.
    """
    from nixgen.emit.files import write_several

    if os.geteuid() != 0:
        return
    texts = {}
    for sha256 in wheels:
        if not _shared(sha256).exists() and (tie := find_tie(sha256)) is not None:
            texts[sha256] = _text(tie)
    with contextlib.suppress(OSError):
        write_several(_shared("any").parent, texts)


def keep_tie(sha256: str, tie: Tie) -> None:
    """Remember what was seen of a wheel; where the cache cannot be written, nothing happens."""
    _write(_place(sha256), tie)


def find_word(url: str, sha256: str) -> Tie | None:
    """Return what a server said before of the wheel at a URL with a SHA-256, None where nothing is remembered."""
    return _read(_place_of_word(url, sha256))


def keep_words(words: Mapping[tuple[str, str], Tie]) -> None:
    """Remember what servers say of wheels, by URL and SHA-256; where the cache cannot be written, nothing happens."""
    from nixgen.emit.files import write_several

    texts = {_place_of_word(*key).name: _text(word) for key, word in words.items()}
    with contextlib.suppress(OSError):
        write_several(_words(), texts)


def is_tied(wheel: LockedWheel) -> bool:
    """Tell whether the index that the lock names is known to be the wheel's; that of a built one was made of it."""
    if wheel.verified or wheel.build is not None:
        return True
    tie = find_tie(wheel.source.sha256 or "")
    return tie is not None and tie.index == wheel.index


def _read(place: Path) -> Tie | None:
    try:
        index, size = place.read_text(encoding="ascii").split()
        return Tie(index=index, size=int(size))
    except (OSError, ValueError):
        return None


def _write(place: Path, tie: Tie) -> None:
    from nixgen.emit.files import write_several

    with contextlib.suppress(OSError):
        write_several(place.parent, {place.name: _text(tie)})


def _text(tie: Tie) -> bytes:
    return f"{tie.index} {tie.size}\n".encode("ascii")


def _words() -> Path:
    return cache_directory() / "said"


def _place_of_word(url: str, sha256: str) -> Path:
    return _words() / hashlib.sha256(f"{url} {sha256}".encode()).hexdigest()


def _shared(sha256: str) -> Path:
    # Beside what is mounted (nix/venv/records.py).
    return Path(os.environ.get("NIXGEN_STATE_DIR") or "/var/lib/nixgen", "tied", sha256)


def _is_of_root(place: Path) -> bool:
    """Tell whether nobody but root, or this user himself, can have written a file that lies there."""
    try:
        abouts = [path.lstat() for path in (place, place.parent)]
    except OSError:
        return False
    ours = (0, os.geteuid())
    return all(about.st_uid in ours and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH) for about in abouts)


def _place(sha256: str) -> Path:
    return cache_directory() / "tied" / sha256
