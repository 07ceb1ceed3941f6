"""Writing store paths to a cache: what of it it lacks, packed, compared and signed, several at once."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.caches.contents import Contents, Flat
from nixgen.caches.narinfo import NarInfo, base_name, content_of_flat, key_of
from nixgen.caches.place import INFO, Place, store_directory
from nixgen.caches.reading import Caches, Wanted
from nixgen.environments.fetch import access_of
from nixgen.errors import InputError, VerificationError
from nixgen.observer import Observer, Progress
from nixgen.store import Registration, Store
from nixgen.temporary import temporary_directory
from nixgen.verification.nar import flat_nar, nar
from nixgen.wheels.transport import Transport
from nixgen.wheels.verify import hash_file

try:  # several times as fast, where there is a wheel of it
    from isal import isal_zlib as zlib
except ImportError:
    import zlib  # type: ignore[no-redef]

#: How many files are under way at once.
_AT_ONCE = 8

#: How many paths are serialised and compressed at once.
_PACKERS = max(2, min(4, os.cpu_count() or 1))

#: Of isal; trees of pandas and what it needs: 27 MB in 0.5 s at 2, as at 3; at 1 they are 29 MB.
_LEVEL = 2

_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class PushReport:
    """What a push did.

    Attributes:
        paths: how many store paths belong into the cache.
        added: how many of them it lacked.
        uploaded: bytes that were written, narinfos aside.
        signed: whether they were signed.
    """

    paths: int
    added: int
    uploaded: int
    signed: bool


class Writing:
    """One push, to one place.

    Args:
        contents: what belongs there.
        place: the cache.
        store: holds what is built.
        keys: files of Nix's secret keys, to sign with.
        observer: is told what goes on.
    """

    def __init__(
        self, contents: Sequence[Contents], place: Place, store: Store, keys: Sequence[Path], observer: Observer
    ) -> None:
        self._contents = contents
        self._place = place
        self._store = store
        self._keys = keys
        self._observer = observer
        self._packers = asyncio.Semaphore(_PACKERS)
        self._uploaded = 0
        self._count = 0
        self._total = 0
        self._wrong: list[str] = []
        self._infos: dict[str, NarInfo] = {}
        self._archives: dict[str, str] = {}
        self._progress: Callable[[Progress], None] | None = None

    async def run(self) -> PushReport:
        self._archives = {path: content for one in self._contents for path, content in one.archives.items()}
        built = list(dict.fromkeys([*self._archives, *(path for one in self._contents for path in one.built)]))
        flats = {flat.path: (flat, one) for one in self._contents for flat in one.flats}
        with temporary_directory() as scratch, self._observer.counting("pushing") as self._progress:
            async with self._place as place:
                await self._introduce(place, scratch)
                lacking = await self._lacking(place, [*flats, *built])
                self._total = len(lacking)
                registrations = self._store.registrations([path for path in built if path in lacking])
                async with contextlib.AsyncExitStack() as stack:
                    work = [self._built(place, registrations[path], scratch) for path in built if path in lacking]
                    for one in self._contents:
                        wanted = [flat for flat, whose in flats.values() if whose is one and flat.path in lacking]
                        if wanted:
                            access = access_of(one.base, one.mirrors, one.caches)
                            transport = await stack.enter_async_context(Transport(access=access))
                            caches = await stack.enter_async_context(Caches(one.caches, access))
                            work += [self._flat(place, flat, transport, caches, scratch) for flat in wanted]
                    await _gather(work)
                sound = self._sound([path for path in [*flats, *built] if path in self._infos])
                await self._announce(place, sound, scratch)
        if self._wrong:
            raise does_not_verify(self._wrong, self._store)
        return PushReport(
            paths=len(flats) + len(built), added=len(lacking), uploaded=self._uploaded, signed=bool(self._keys)
        )

    async def _introduce(self, place: Place, scratch: Path) -> None:
        """See that the cache is for this store's directory; one that is none yet becomes one.

        Raises:
            InputError: it is for another.
        """
        directory = await store_directory(place, scratch)
        if directory is not None:
            if directory not in ("", self._store.directory):
                raise InputError(
                    f"the cache is for {directory}, and this store is {self._store.directory}",
                    where=place.shown,
                    todo="push to a cache of its own",
                )
            return
        text = f"StoreDir: {self._store.directory}\nWantMassQuery: 1\nPriority: 40\n".encode()
        await place.put(INFO, lambda: [text], len(text))

    async def _lacking(self, place: Place, paths: Sequence[str]) -> set[str]:
        slots = asyncio.Semaphore(_AT_ONCE)
        found: set[str] = set()

        async def one(path: str) -> None:
            async with slots:
                if not await place.has(key_of(path)):
                    found.add(path)

        await _gather([one(path) for path in paths])
        return found

    async def _built(self, place: Place, registration: Registration, scratch: Path) -> None:
        """Write the serialisation of a store path, if it is what Nix has recorded."""
        path = registration.path
        file = scratch / base_name(path)
        async with self._packers:
            packed = await asyncio.to_thread(_pack, registration, file)
            if packed is None:
                self._wrong.append(path)
                return
            sha256, size = packed
            url = f"nar/{sha256}.nar.gz"
            await place.put(url, lambda: _pieces(file), size)
        file.unlink()
        self._wrote(size)
        self._infos[path] = NarInfo(
            path=path,
            url=url,
            compression="gzip",
            file_hash=sha256,
            file_size=size,
            nar_hash=registration.nar_hash,
            nar_size=registration.nar_size,
            references=registration.references,
            deriver=base_name(registration.deriver),
            content=self._archives.get(path, ""),
        )

    async def _flat(self, place: Place, flat: Flat, transport: Transport, caches: Caches, scratch: Path) -> None:
        """Write a file as it is: a wheel is compressed already, and an index small."""
        file = scratch / base_name(flat.path)
        async with self._packers:
            there = await self._file(flat, file, transport, caches)
            sha256, size = await asyncio.to_thread(hash_file, there)
            if sha256 != flat.sha256:
                raise VerificationError(
                    f"{flat.name} has SHA-256 {sha256}, expected {flat.sha256}",
                    where=flat.url or str(there),
                    todo="see who has replaced it; lock again if that was on purpose",
                )
            head, tail = flat_nar(size)
            nar_hash = await asyncio.to_thread(_sha256, lambda: _chained(head, there, tail))
            nar_size = len(head) + size + len(tail)
            url = f"nar/{nar_hash}.nar"
            await place.put(url, lambda: _chained(head, there, tail), nar_size)
        file.unlink(missing_ok=True)
        self._wrote(nar_size)
        self._infos[flat.path] = NarInfo(
            path=flat.path,
            url=url,
            compression="none",
            file_hash=nar_hash,
            file_size=nar_size,
            nar_hash=nar_hash,
            nar_size=nar_size,
            content=content_of_flat(flat.sha256),
        )

    async def _file(self, flat: Flat, file: Path, transport: Transport, caches: Caches) -> Path:
        if flat.content is not None:
            file.write_bytes(flat.content)
            return file
        # Stock Nix keeps what it has fetched.
        kept = Path(flat.path)
        if kept.is_file() and not kept.is_symlink():
            return kept
        there = flat.file is not None and flat.file.is_file()
        if not there and (
            taken := await caches.fetch(Wanted(path=flat.path, sha256=flat.sha256, name=flat.name), file)
        ):
            return taken.path
        if flat.url is not None:
            return (await transport.download(flat.url, file)).path
        if flat.file is None or not there:
            raise InputError(f"{flat.name} is not there", where=str(flat.file), todo="put it there, or lock again")
        return flat.file

    def _sound(self, paths: Iterable[str]) -> list[str]:
        """Return the paths that need nothing which was found to be wrong, in the order given."""
        wrong, sound = {*self._wrong}, []
        for path in paths:
            if wrong.isdisjoint(self._infos[path].references):
                sound.append(path)
            else:
                wrong.add(path)
        return sound

    async def _announce(self, place: Place, paths: Sequence[str], scratch: Path) -> None:
        """Sign, and write the narinfos: those first that need no other."""
        staged = scratch / "staged"
        staged.mkdir()
        (staged / INFO).write_text(f"StoreDir: {self._store.directory}\n", encoding="utf-8")
        for path in paths:
            (staged / key_of(path)).write_text(self._infos[path].text(), encoding="utf-8")
        signed = [path for path in paths if not self._infos[path].content]
        for key in self._keys:
            if signed:
                self._store.sign(staged, key, signed)
        texts = {path: (staged / key_of(path)).read_bytes() for path in paths}

        async def write(path: str) -> None:
            await place.put(key_of(path), lambda: [texts[path]], len(texts[path]))

        own = {*paths}
        first = [path for path in paths if own.isdisjoint({*self._infos[path].references} - {path})]
        await _gather([write(path) for path in first])
        for path in paths:
            if path not in first:
                await write(path)

    def _wrote(self, size: int) -> None:
        self._uploaded += size
        self._count += 1
        if self._progress is not None:
            self._progress(Progress(total=self._total, done=self._count, read=self._uploaded))


def _pack(registration: Registration, file: Path) -> tuple[str, int] | None:
    """Serialise and compress a store path; return SHA-256 and size of that, None where Nix has recorded another."""
    digest, size = hashlib.sha256(), 0
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    try:
        with file.open("wb") as out:

            def write(piece: bytes | memoryview) -> None:
                nonlocal size
                packed = packer.compress(piece)
                digest.update(packed)
                size += len(packed)
                out.write(packed)

            found = nar(registration.path, write_to=write)
            packed = packer.flush()
            digest.update(packed)
            size += len(packed)
            out.write(packed)
    except OSError as error:
        if error.filename == registration.path or str(error.filename or "").startswith(f"{registration.path}/"):
            return None
        raise
    return (digest.hexdigest(), size) if found.sha256 == registration.nar_hash else None


def _sha256(pieces: Callable[[], Iterable[bytes]]) -> str:
    digest = hashlib.sha256()
    for piece in pieces():
        digest.update(piece)
    return digest.hexdigest()


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            yield piece


def _chained(head: bytes, file: Path, tail: bytes) -> Iterator[bytes]:
    yield head
    yield from _pieces(file)
    yield tail


async def _gather(work: Iterable[object]) -> None:
    """Wait for all of some work, and raise the first error of it."""
    try:
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)  # type: ignore[arg-type]
    except BaseExceptionGroup as errors:
        raise errors.exceptions[0] from None


def does_not_verify(paths: Iterable[str], store: Store) -> VerificationError:
    """Return the error of store paths that are not what Nix has recorded."""
    return VerificationError(
        "these store paths are not what Nix has recorded of them, and were not pushed:"
        + "".join(f"\n    {path}" for path in sorted(paths)),
        where=store.directory,
        todo="restore them: `nixgen verify --repair`; then push again",
    )
