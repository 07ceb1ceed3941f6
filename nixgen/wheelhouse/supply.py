"""Where a whole file comes from: put together of leaves, the disk, the store, a cache, the index, in this order.

Whatever way it came, its SHA-256 is compared before anybody may use it; what has another one is left, with a warning,
and the next way taken.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import threading
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, Self

from nixgen.errors import InputError, VerificationError
from nixgen.leaf import flat_path, leaf_path, store_name
from nixgen.mistakes import about
from nixgen.model import WheelIndex, WheelSource
from nixgen.skeletons.kept import drop_skeleton, find_skeleton, has_none, keep_skeleton
from nixgen.wheelhouse.wanted import Wanted

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.caches.reading import Caches
    from nixgen.wheels.transport import Transport

_log = logging.getLogger(__name__)

#: How a file was got.
Way = Literal["leaves", "disk", "store", "cache", "index"]

#: How much larger than somebody said a file may be, in bytes, or twice as large.
_SLACK = 1 << 20

_CHUNK = 1 << 20


class Supply:
    """Gets whole files; used as a context.

    Args:
        access: says how servers are reached, if one has to be.
        caches: binary caches that are asked before the index, as a user names them.
        store_dir: the store's directory; what is taken from there is compared like everything else.
        on_bytes: called with the length of every piece that arrives over the network.
    """

    def __init__(
        self,
        *,
        access: Callable[[], Access | None] = lambda: None,
        caches: Sequence[str] = (),
        store_dir: str | None = None,
        on_bytes: Callable[[int], None] = lambda count: None,
    ) -> None:
        self._access = access
        self._said = caches
        self._store_dir = store_dir or os.environ.get("NIX_STORE_DIR", "/nix/store")
        self._on_bytes = on_bytes
        self._stack = contextlib.AsyncExitStack()
        self._pool = ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="deflate")
        self._stopped = threading.Event()
        self._transport: Transport | None = None
        self._caches: Caches | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        await self._stack.aclose()
        self._pool.shutdown(cancel_futures=True)

    async def put(self, wanted: Wanted, file: Path) -> Way:
        """Write a whole file, which has the hash that is wanted; return how it was got.

        Args:
            wanted: the file.
            file: what is written; while it is written, and after an error, it may hold anything.

        Raises:
            NixgenError: nobody has it: what the last one said who was asked.
        """
        here: dict[Way, Callable[[Wanted], Generator[bytes, None, None]]] = {
            "leaves": self._rebuilt,
            "disk": self._on_disk,
            "store": self._in_store,
        }
        for way, pieces in here.items():
            if await asyncio.to_thread(self._write, wanted, pieces, file, way):
                return way
        if self._said and await self._from_cache(wanted, file):
            return "cache"
        if wanted.url is None:
            raise InputError(
                f"nothing here has the file {wanted.filename}",
                where=str(wanted.path or "the store, and the user's cache"),
                todo="put it there, or run `nixgen build`, whose leaves it is put together of",
            )
        download = await (await self._opened()).download(wanted.url, file, most=_most(wanted.size))
        if download.sha256 != wanted.sha256:
            from nixgen.wheels.answers import shown

            raise VerificationError(
                f"the file {wanted.filename} has SHA-256 {download.sha256}, expected {wanted.sha256}",
                where=shown(wanted.url),
                todo="do not use what this server gives, unless you know why the file was replaced",
            )
        return "index"

    def learn(self, wanted: Wanted, file: Path) -> bool:
        """Make the skeleton of a whole wheel, if there is none yet and the store has its leaves.

        Args:
            wanted: the wheel.
            file: where it is, with the hash that is wanted.

        Returns:
            whether the wheel can be put together again from now on, as far as is known.
        """
        if has_none(wanted.sha256):
            return False
        if find_skeleton(wanted.sha256) is not None:
            return True
        index = wanted.find_index()
        if index is None or not all(Path(path).exists() for path in self._leaves(index)):
            return False
        from nixgen.skeletons.making import StoppedError, make_skeleton

        try:
            skeleton = make_skeleton(file, index, stopped=self._stopped.is_set)
        except StoppedError:
            return False
        keep_skeleton(wanted.sha256, skeleton)
        return skeleton is not None

    def _write(
        self, wanted: Wanted, pieces: Callable[[Wanted], Generator[bytes, None, None]], file: Path, way: Way
    ) -> bool:
        """Write what one way gives, and tell whether it is what is wanted."""
        digest, some = hashlib.sha256(), False
        with about(file), file.open("wb") as out, contextlib.closing(pieces(wanted)) as given:
            while True:
                try:
                    piece = next(given, None)
                except (OSError, ValueError) as error:
                    _log.info("%s does not come from %s: %s", wanted.filename, way, error)
                    return False
                if piece is None:
                    break
                if self._stopped.is_set():
                    return False
                some = True
                digest.update(piece)
                out.write(piece)
                out.flush()
        if digest.hexdigest() == wanted.sha256:
            return True
        if some and way == "leaves":
            drop_skeleton(wanted.sha256)
            _log.warning("%s does not come out of its leaves: a leaf or its skeleton is damaged", wanted.filename)
        elif some:
            _log.warning("%s has another SHA-256 on %s than is wanted, and is left", wanted.filename, way)
        return False

    def _rebuilt(self, wanted: Wanted) -> Generator[bytes, None, None]:
        from nixgen.skeletons.rebuilding import rebuild

        skeleton = find_skeleton(wanted.sha256)
        if skeleton is None:
            return
        index = wanted.find_index(skeleton.index)
        if index is None:
            return

        def leaf(name: str) -> Path:
            if name not in index.files:
                raise ValueError(f"its index has no {name!r}")
            return Path(self._leaf(index, name))

        yield from rebuild(skeleton, leaf, self._pool)

    def _on_disk(self, wanted: Wanted) -> Generator[bytes, None, None]:
        if wanted.path is not None:
            yield from _pieces(wanted.path)

    def _in_store(self, wanted: Wanted) -> Generator[bytes, None, None]:
        """Yield a wheel that stock Nix has fetched."""
        path = Path(flat_path(store_name(wanted.filename), bytes.fromhex(wanted.sha256), self._store_dir))
        if path.is_file():
            yield from _pieces(path)

    def _leaves(self, index: WheelIndex) -> Iterable[str]:
        return (self._leaf(index, path) for path, file in index.files.items() if file.size)

    def _leaf(self, index: WheelIndex, path: str) -> str:
        return leaf_path(path.rpartition("/")[2], index.files[path].sha256, self._store_dir)

    async def _from_cache(self, wanted: Wanted, file: Path) -> bool:
        if self._caches is None:
            from nixgen.access import Access
            from nixgen.caches.reading import Caches

            caches = Caches(self._said, self._access() or Access(), self._on_bytes)
            self._caches = await self._stack.enter_async_context(caches)
        source = WheelSource(filename=wanted.filename, sha256=wanted.sha256)
        return await self._caches.fetch_wheel(source, self._store_dir, file) is not None

    async def _opened(self) -> Transport:
        if self._transport is None:
            from nixgen.wheels.transport import Transport

            transport = Transport(access=self._access(), on_bytes=self._on_bytes)
            self._transport = await self._stack.enter_async_context(transport)
        return self._transport


def _most(size: int | None) -> int | None:
    # What a server says of a size may be wrong; the hash decides.
    return None if size is None else max(2 * size, size + _SLACK)


def _pieces(path: Path) -> Generator[bytes, None, None]:
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            yield piece
