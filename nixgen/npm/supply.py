"""Archives of packages put into the store: from the disk, the user's cache, npm's, Git, or the network, in this order.

Whatever way one came, its SHA-512 is compared before the store takes it, and the store computes it once more.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.cache import cache_directory
from nixgen.errors import InputError, VerificationError
from nixgen.leaf import flat_path, store_name
from nixgen.npm.model import Checkout, NpmArchive, NpmPackage
from nixgen.observer import Progress
from nixgen.store import Store
from nixgen.temporary import temporary_directory

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.store.daemon import Daemon
    from nixgen.wheels.transport import Transport

_CHUNK = 1 << 20

#: How many archives are on their way at once; each waits for the network most of the time.
_AT_ONCE = 24


@dataclass(frozen=True, kw_only=True)
class Supplied:
    """What was put into the store.

    Attributes:
        archives: how many archives there are in all.
        added: how many the store lacked.
        downloaded: bytes read over the network.
    """

    archives: int
    added: int
    downloaded: int


def archive_path(package: NpmPackage, store_dir: str) -> str:
    """Return the store path of a package's archive, as ``nix/npm_archive.nix`` names it."""
    assert package.archive is not None
    short = store_name(package.name.replace("@", "").replace("/", "-"))[:100]
    name = store_name(f"{short}-{package.version}.tgz")
    return flat_path(name, digest_of(package.archive), store_dir, algorithm="sha512")


def digest_of(archive: NpmArchive) -> bytes:
    """Return the SHA-512 that an archive must have."""
    return base64.b64decode(archive.integrity.removeprefix("sha512-"))


def supply(
    packages: Iterable[NpmPackage],
    store: Store,
    *,
    base: Path,
    hold: Daemon,
    access: Callable[[], Access | None] = lambda: None,
    progress: Callable[[Progress], None] | None = None,
) -> Supplied:
    """Put the archives of some packages into the store, as far as it lacks them.

    Args:
        packages: those with an archive.
        store: where they go.
        base: the directory that relative paths refer to.
        hold: a connection to the store that keeps them from garbage collection as long as it is open.
        access: says how servers are reached, if there is anything to download.
        progress: called as bytes arrive and archives are done.

    Raises:
        NetworkError: an archive cannot be fetched.
        InputError: one on disk cannot be read.
        VerificationError: one is not what the lock says.
        NixError: the store refuses a file.
    """
    wanted = {archive_path(package, store.directory): package for package in packages if package.archive is not None}
    hold.hold(wanted)
    lacking = store.invalid(wanted)
    if not lacking:
        return Supplied(archives=len(wanted), added=0, downloaded=0)
    with temporary_directory() as directory, store.connect() as daemon:
        run = _Run(base, daemon, progress, len(lacking))
        asyncio.run(run.all({path: wanted[path] for path in sorted(lacking)}, directory, access))
    return Supplied(archives=len(wanted), added=len(lacking), downloaded=run.read)


class _Run:
    """One run over some archives."""

    def __init__(self, base: Path, daemon: Daemon, progress: Callable[[Progress], None] | None, total: int) -> None:
        self._base = base
        self._daemon = daemon
        self._progress = progress
        self._total = total
        self._done = 0
        self._transport: Transport | None = None
        self.read = 0

    async def all(self, wanted: Mapping[str, NpmPackage], directory: Path, access: Callable[[], Access | None]) -> None:
        found = {path: self._here(package) for path, package in wanted.items()}
        # Imported for work that is there: what lies here needs no HTTP client.
        from nixgen.wheels.transport import Transport

        given = access() if None in found.values() else None
        slots = asyncio.Semaphore(_AT_ONCE)
        # The big ones first: the last one to finish should be small.
        ordered = sorted(wanted, key=lambda path: -(_archive(wanted[path]).size or 0))
        async with Transport(access=given, concurrency=_AT_ONCE, on_bytes=self._on_bytes) as transport:

            async def one(number: int, path: str) -> None:
                async with slots:
                    file = found[path]
                    if file is None:
                        file = directory / str(number)
                        archive = _archive(wanted[path])
                        most = None if archive.size is None else 2 * archive.size + _CHUNK
                        if archive.checkout is not None:
                            await asyncio.to_thread(_pack, archive.checkout, file)
                        else:
                            await transport.download(archive.url or "", file, most=most)
                        await asyncio.to_thread(_compare, file, wanted[path])
                    await asyncio.to_thread(
                        self._daemon.add, Path(path).name[33:], _pieces(file), path, algorithm="sha512"
                    )
                    if file.parent == directory:
                        file.unlink()
                    self._finished(wanted[path])

            try:
                async with asyncio.TaskGroup() as group:
                    for number, path in enumerate(ordered):
                        group.create_task(one(number, path))
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None

    def _here(self, package: NpmPackage) -> Path | None:
        """Return a file with a package's archive that is on this machine; None where there is none.

        Raises:
            InputError, VerificationError: it can lie nowhere else, and cannot be read or is another one.
        """
        archive = _archive(package)
        if archive.path is not None:
            file = self._base / archive.path
            if not file.is_file():
                raise InputError("there is no such archive", where=str(file), todo="put it there, or lock again")
            _compare(file, package)
            return file
        return next((file for file in kept(archive) if _holds(file, digest_of(archive))), None)

    def _on_bytes(self, count: int) -> None:
        self.read += count
        if self._progress is not None:
            self._progress(Progress(total=self._total, done=self._done, read=self.read))

    def _finished(self, package: NpmPackage) -> None:
        self._done += 1
        if self._progress is not None:
            named = f"{package.name}-{package.version}"
            self._progress(Progress(total=self._total, done=self._done, read=self.read, finished=named))


def kept(archive: NpmArchive) -> Iterator[Path]:
    """Yield where an archive may lie on this machine: in the user's cache, and in npm's (cacache, ``content-v2``)."""
    digest = digest_of(archive).hex()
    yield cache_directory() / "npm" / digest[:2] / digest
    given = os.environ.get("npm_config_cache") or os.environ.get("NPM_CONFIG_CACHE")  # noqa: SIM112 - npm's name
    try:
        directory = Path(given) if given else Path("~/.npm").expanduser()
    except RuntimeError:
        return
    yield directory / "_cacache" / "content-v2" / "sha512" / digest[:2] / digest[2:4] / digest[4:]


def _pack(checkout: Checkout, file: Path) -> None:
    from nixgen.npm.checkout import pack

    pack(checkout, file)


def _archive(package: NpmPackage) -> NpmArchive:
    assert package.archive is not None
    return package.archive


def _holds(file: Path, digest: bytes) -> bool:
    try:
        return _digest(file) == digest
    except OSError:
        return False


def _digest(file: Path) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha512").digest()


def _compare(file: Path, package: NpmPackage) -> None:
    from nixgen.wheels.answers import shown

    archive = _archive(package)
    found = _digest(file)
    if found != digest_of(archive):
        raise VerificationError(
            f"the archive of {package.name} {package.version} has the integrity sha512-"
            f"{base64.b64encode(found).decode()}, expected {archive.integrity}",
            where=archive.place if archive.url is None else shown(archive.url),
            todo="do not use what this server gives, unless you know why the archive was replaced",
        )


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while piece := opened.read(_CHUNK):
            yield piece
