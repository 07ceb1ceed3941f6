"""Where the index of a locked wheel is found: vendored, in the user's cache, in the store; else it is made again.

Whatever lies there is compared with the hash in the lock, and nothing else is believed of it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import parse_wheel_filename

from nixgen.cache import cache_directory
from nixgen.errors import VerificationError
from nixgen.leaf import leaf_path
from nixgen.model import LockedWheel, Traffic, WheelIndex, WheelSource
from nixgen.observer import Progress
from nixgen.ties import Tie, find_word, keep_tie, keep_words
from nixgen.wheels.text import index_bytes, index_hash, parse_index

if TYPE_CHECKING:
    from nixgen.access import Access

#: Where a project keeps indexes, below its directory; nix/index.nix looks there too.
VENDORED = Path("nix", "index")

#: What an index is called where its wheel does not name it: its leaf's own name follows from that.
INDEX_NAME = "index.json"


def vendored_name(wheel: str) -> str:
    """Return the name of a wheel's index below ``VENDORED``.

    Args:
        wheel: the wheel's file name.
    """
    return f"{wheel}.json"


def index_leaf(index: str, store_dir: str = "/nix/store") -> str:
    """Return the store path of an index.

    Args:
        index: its SHA-256, hexadecimal.
        store_dir: the store's directory.
    """
    return leaf_path(INDEX_NAME, bytes.fromhex(index), store_dir)


def find_index(wheel: LockedWheel, base: Path) -> WheelIndex | None:
    """Return the index of a wheel if this machine has it.

    Args:
        wheel: what the lock says of it.
        base: the project's directory.
    """
    if wheel.index is None:
        return None
    for path in _places(wheel, wheel.index, base):
        with contextlib.suppress(OSError, ValueError):
            content = path.read_bytes()
            if hashlib.sha256(content).hexdigest() == wheel.index:
                return parse_index(content, wheel.source, wheel.name)
    return None


def read_before(source: WheelSource) -> WheelIndex | None:
    """Return the index of a wheel that this user has read from the same URL before, None where that is forgotten.

    Args:
        source: where the wheel is, and its SHA-256.
    """
    if source.url is None or source.sha256 is None:
        return None
    word = find_word(source.url, source.sha256)
    if word is None or source.size not in (None, word.size):
        return None
    with contextlib.suppress(OSError, ValueError):
        content = _cached(word.index).read_bytes()
        if hashlib.sha256(content).hexdigest() == word.index:
            name = parse_wheel_filename(source.filename)[0]
            return parse_index(content, replace(source, size=word.size), name)
    return None


def _places(wheel: LockedWheel, index: str, base: Path) -> Iterator[Path]:
    yield base / VENDORED / vendored_name(wheel.source.filename)
    yield _cached(index)
    # The usual store, without asking Nix which it is: what is found elsewhere would be the same.
    yield Path(index_leaf(index, os.environ.get("NIX_STORE_DIR", "/nix/store")))


def _cached(index: str) -> Path:
    return _cache() / index


def _cache() -> Path:
    return cache_directory() / "indexes"


def keep_indexes(indexes: Iterable[WheelIndex]) -> list[WheelIndex]:
    """Put indexes into the user's cache, with the METADATA that was read, and return them with their hashes.

    Where the cache cannot be written, nothing is kept.
    """
    from nixgen.emit.files import write_several
    from nixgen.metadata import keep_metadata

    indexes = list(indexes)
    keep_metadata(index.metadata for index in indexes)
    place, content, kept = _cache(), {}, []
    for index in indexes:
        text = index_bytes(index)
        digest = hashlib.sha256(text).hexdigest()
        kept.append(replace(index, sha256=digest, metadata=b""))
        if not (place / digest).exists():
            content[digest] = text
    with contextlib.suppress(OSError):
        write_several(place, content)
    return kept


def make_indexes(
    sources: Sequence[WheelSource],
    *,
    base: Path,
    verify: bool = False,
    access: Access | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> tuple[list[WheelIndex], Traffic]:
    """Do what ``index_wheels`` does, and keep the indexes in the user's cache."""
    from nixgen.wheels.index import index_all

    made, traffic = index_all(sources, base=base, verify=verify, access=access, progress=progress)
    indexes = keep_indexes(made)
    words = {}
    for index in indexes:
        source = index.source
        if source.sha256 is None or source.size is None:
            continue
        tie = Tie(index=index_hash(index), size=source.size)
        # Of an index with warnings nothing is remembered: the next one is to see them, too.
        if source.url is not None and not index.warnings:
            words[source.url, source.sha256] = tie
        if index.whole:
            keep_tie(source.sha256, tie)
    keep_words(words)
    return indexes, traffic


def indexes_of_lock(
    wheels: Iterable[LockedWheel],
    *,
    base: Path,
    access: Callable[[], Access | None] = lambda: None,
    progress: Callable[[Progress], None] | None = None,
) -> Mapping[str, WheelIndex]:
    """Return the index of each of some wheels, by file name; those that this machine lacks are made again.

    Args:
        wheels: what the lock says of them.
        base: the project's directory.
        access: says how servers are reached, if any has to be asked.
        progress: called as wheels are read.

    Raises:
        VerificationError: a wheel does not have the index that the lock names.
        NixgenError: as ``nixgen.wheels.index.index_wheels``.
    """
    found: dict[str, WheelIndex] = {}
    lacking: dict[str, LockedWheel] = {}
    for wheel in wheels:
        index = find_index(wheel, base)
        if index is None:
            lacking[wheel.source.filename] = wheel
        else:
            found[wheel.source.filename] = index
    if lacking:
        # Of the size the lock has only a server's word, too.
        sources = [replace(wheel.source, size=None) for wheel in lacking.values()]
        made, _ = make_indexes(sources, base=base, access=access(), progress=progress)
        wrong = [index.source.filename for index in made if index_hash(index) != lacking[index.source.filename].index]
        if wrong:
            raise VerificationError(
                f"the lock does not have the index of {', '.join(wrong)}",
                where="nixgen.lock, or the server that the wheel was read from",
                todo="run `nixgen lock --verify`, which downloads the wheels and compares every file",
            )
        for index in made:
            wheel = lacking[index.source.filename]
            found[index.source.filename] = replace(index, source=wheel.source)
    return found
