"""Archives that a lock needs, got once for all locks of a user: from the disk, caches, the store, or the network.

Where npm's lock has a weaker hash than SHA-512, or none, the archive is downloaded once, compared with what there is,
and has a SHA-512 from then on.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.cache import cache_directory
from nixgen.errors import InputError, NixgenError, VerificationError
from nixgen.npm.archive import ArchiveIndex, RefusedError, read_archive
from nixgen.npm.model import Checkout, NpmArchive
from nixgen.npm.supply import kept
from nixgen.observer import Progress
from nixgen.temporary import temporary_directory
from nixgen.wheels.answers import shown

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.wheels.transport import Transport

#: What the index of an archive has depends on how it is read: a new number where that changes.
_INDEXES = "indexes-3"

#: The hashes that npm writes, the strongest first (ssri).
_ALGORITHMS = ("sha512", "sha384", "sha256", "sha1", "md5")

#: The largest archive that is downloaded, in bytes.
MAX_ARCHIVE = 4 * 1024**3

_AT_ONCE = 24

#: How many commits are fetched at once: each takes a Nix, a Git and an npm.
_PACKED_AT_ONCE = 4


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """An archive that a lock needs.

    Attributes:
        what: name and version, for messages.
        url, path, checkout: where it is, or what it is packed of; exactly one is set.
        integrity: what npm's lock says of its hashes; None where it says nothing.
    """

    what: str
    url: str | None = None
    path: str | None = None
    checkout: Checkout | None = None
    integrity: str | None = None

    @property
    def strongest(self) -> tuple[str, bytes] | None:
        """The strongest hash that is said, by algorithm; None where there is none."""
        found = {}
        for word in (self.integrity or "").split():
            algorithm, _, text = word.partition("?")[0].partition("-")
            with contextlib.suppress(binascii.Error, ValueError):
                found[algorithm] = base64.b64decode(text, validate=True)
        return next(((name, found[name]) for name in _ALGORITHMS if name in found), None)

    @property
    def unread(self) -> NpmArchive | None:
        """The archive as far as it is known without a look at it; None where its SHA-512 is not."""
        strongest = self.strongest
        known = self.url is not None and strongest is not None and strongest[0] == "sha512"
        return _archive(self, strongest[1].hex()) if known and strongest is not None else None

    @property
    def place(self) -> str:
        """Where it is, for messages."""
        return shown(self.url) if self.url is not None else self.path or str(self.checkout or "")


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """An archive, with all that a lock says of it, and what is in it."""

    archive: NpmArchive
    index: ArchiveIndex


@dataclass(frozen=True, kw_only=True)
class Fetching:
    """What was got.

    Attributes:
        found: each archive.
        downloaded: bytes read over the network.
    """

    found: Mapping[Wanted, Fetched]
    downloaded: int


def fetch(
    wanted: Iterable[Wanted],
    *,
    base: Path,
    known: Mapping[str, NpmArchive],
    access: Access,
    progress: Callable[[Progress], None] | None = None,
    each: Callable[[str, Path], None] | None = None,
) -> Fetching:
    """Return what each archive is and holds; each is got and read once per user.

    Args:
        wanted: the archives.
        base: the directory that relative paths refer to.
        known: archives by their URL, as the lock of before has them: what a weaker hash was of.
        access: how servers are reached.
        progress: called as bytes arrive and archives are done.
        each: takes the SHA-512 of each archive, hexadecimal, and the file, which is gone afterwards where it cannot be
            kept; with it, what is remembered of an archive does not do.

    Raises:
        NetworkError: a server does not give one.
        VerificationError: some are not what npm's lock says; names all of them.
        InputError: some are refused, or cannot be read; names all of them, and each member.
    """
    ordered = list(dict.fromkeys(wanted))
    found, lacking = {}, []
    for one in ordered:
        strongest = one.strongest
        digest = strongest[1].hex() if strongest is not None and strongest[0] == "sha512" else None
        index = None if digest is None or one.path is not None or each is not None else _remembered(digest)
        if digest is None or index is None:
            lacking.append(one)
        else:
            found[one] = _fetched(one, digest, index)
    if not lacking:
        return Fetching(found=found, downloaded=0)
    run = _Run(base, known, progress, len(lacking), each)
    place = cache_directory() / "npm"
    with contextlib.suppress(OSError):
        place.mkdir(parents=True, exist_ok=True)
    with temporary_directory(place if os.access(place, os.W_OK) else None) as directory:
        got = asyncio.run(run.all(lacking, directory, access))
    return Fetching(found={one: found.get(one) or got[one] for one in ordered}, downloaded=run.read)


class _Run:
    """One run over some archives."""

    def __init__(
        self,
        base: Path,
        known: Mapping[str, NpmArchive],
        progress: Callable[[Progress], None] | None,
        total: int,
        each: Callable[[str, Path], None] | None,
    ) -> None:
        self._base, self._known, self._progress, self._total, self._each = base, known, progress, total, each
        self._done = 0
        self.read = 0
        self._packing = asyncio.Semaphore(_PACKED_AT_ONCE)
        self._refused: list[tuple[Wanted, list[str]]] = []
        self._wrong: list[tuple[Wanted, str]] = []

    async def all(self, wanted: Sequence[Wanted], directory: Path, access: Access) -> dict[Wanted, Fetched]:
        # Imported for work that is there: what lies here needs no HTTP client.
        from nixgen.wheels.transport import Transport

        found: dict[Wanted, Fetched] = {}
        slots = asyncio.Semaphore(_AT_ONCE)
        async with Transport(access=access, concurrency=_AT_ONCE, on_bytes=self._on_bytes) as transport:

            async def one(number: int, asked: Wanted) -> None:
                async with slots:
                    fetched = await self._one(asked, directory / str(number), transport)
                    if fetched is not None:
                        found[asked] = fetched
                    self._finished(asked)

            try:
                async with asyncio.TaskGroup() as group:
                    for number, asked in enumerate(wanted):
                        group.create_task(one(number, asked))
            except BaseExceptionGroup as errors:
                raise errors.exceptions[0] from None
        self._raise()
        return found

    async def _one(self, asked: Wanted, spool: Path, transport: Transport) -> Fetched | None:
        file = await asyncio.to_thread(self._here, asked)
        fetched = file is None
        if asked.checkout is not None and file is None:
            from nixgen.npm.checkout import pack

            async with self._packing:
                asked = replace(asked, checkout=await asyncio.to_thread(pack, asked.checkout, spool))
            file = spool
        elif file is None:
            file = (await transport.download(asked.url or "", spool, most=MAX_ARCHIVE)).path
        digest = await asyncio.to_thread(self._compare, asked, file)
        if digest is None:
            return None
        index = _remembered(digest)
        if index is None:
            try:
                index = await asyncio.to_thread(read_archive, file)
            except RefusedError as error:
                self._refused.append((asked, error.problems))
                return None
        if self._each is not None:
            await asyncio.to_thread(self._each, digest, file)
        await asyncio.to_thread(_keep, digest, index, file if fetched else None)
        return _fetched(asked, digest, index)

    def _here(self, asked: Wanted) -> Path | None:
        """Return a file with an archive that is on this machine; None where there is none.

        Raises:
            InputError: it can lie nowhere else, and is not there.
        """
        if asked.path is not None:
            file = self._base / asked.path
            if not file.is_file():
                raise InputError("there is no such archive", where=asked.path, todo="put it there, or lock without it")
            return file
        archive = _sure(asked, self._known)
        if archive is not None:
            for file in kept(archive):
                with contextlib.suppress(OSError):
                    if _digest(file, "sha512").hex() == _hex(archive):
                        return file
        return None

    def _compare(self, asked: Wanted, file: Path) -> str | None:
        """Return the SHA-512 of an archive in hexadecimal digits; None where it is not the one that was meant."""
        strongest = asked.strongest
        if strongest is not None and _digest(file, strongest[0]) != strongest[1]:
            found = base64.b64encode(_digest(file, strongest[0])).decode()
            self._wrong.append((asked, f"{strongest[0]}-{found}"))
            return None
        return _digest(file, "sha512").hex()

    def _raise(self) -> None:
        """Raise what is wrong with the archives, all of one kind."""
        if self._wrong:
            lines = [
                f"{asked.what} has {found}, expected {asked.integrity}, at {asked.place}"
                for asked, found in sorted(self._wrong, key=lambda item: item[0].what)
            ]
            raise VerificationError(
                "what servers give is not what the lock says:" + "".join(f"\n    {line}" for line in lines[:20]),
                where="package-lock.json",
                todo="do not use it, unless you know why it was replaced; then let npm lock it anew: "
                "remove its entry, and run `npm install --package-lock-only`",
            )
        if self._refused:
            raise _refusal(self._refused)

    def _on_bytes(self, count: int) -> None:
        self.read += count
        if self._progress is not None:
            self._progress(Progress(total=self._total, done=self._done, read=self.read))

    def _finished(self, asked: Wanted) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(Progress(total=self._total, done=self._done, read=self.read, finished=asked.what))


def _refusal(refused: Sequence[tuple[Wanted, Sequence[str]]]) -> NixgenError:
    ordered = sorted(refused, key=lambda item: item[0].what)
    lines = [f"{asked.what}: {problem}" for asked, problems in ordered for problem in problems]
    more = [f"and {len(lines) - 20} more"] if len(lines) > 20 else []
    return InputError(
        f"cannot use the archive of {lines[0]}"
        if len(lines) == 1
        else "cannot use these archives:" + "".join(f"\n    {line}" for line in [*lines[:20], *more]),
        where=", ".join(asked.place for asked, _ in ordered[:3]),
        todo="report it to the package's authors, or choose another version of it",
    )


def _sure(asked: Wanted, known: Mapping[str, NpmArchive]) -> NpmArchive | None:
    """Return an archive whose SHA-512 is known: npm's lock says it, or the lock of before, of the same URL.

    Of one that only the lock of before knows, the file is compared with the weaker hash where it is found.
    """
    strongest = asked.strongest
    if strongest is not None and strongest[0] == "sha512":
        return _archive(asked, strongest[1].hex())
    return known.get(asked.url or "") if strongest is not None and asked.path is None else None


def _archive(asked: Wanted, digest: str, size: int | None = None) -> NpmArchive:
    integrity = f"sha512-{base64.b64encode(bytes.fromhex(digest)).decode()}"
    return NpmArchive(url=asked.url, path=asked.path, checkout=asked.checkout, integrity=integrity, size=size)


def _fetched(asked: Wanted, digest: str, index: ArchiveIndex) -> Fetched:
    return Fetched(archive=_archive(asked, digest, index.size), index=index)


def _hex(archive: NpmArchive) -> str:
    return base64.b64decode(archive.integrity.removeprefix("sha512-")).hex()


def _digest(file: Path, algorithm: str) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, algorithm).digest()


def _remembered(digest: str) -> ArchiveIndex | None:
    """Return the index of an archive that this user has read before."""
    place = cache_directory() / "npm" / _INDEXES / digest
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        return ArchiveIndex.from_json(json.loads(place.read_text(encoding="utf-8")))
    return None


def _keep(digest: str, index: ArchiveIndex, file: Path | None) -> None:
    """Remember an index, and keep an archive that was downloaded; where the cache cannot be written, nothing is."""
    from nixgen.emit.files import write_several

    place = cache_directory() / "npm"
    with contextlib.suppress(OSError):
        write_several(place / _INDEXES, {digest: json.dumps(index.to_json()).encode()})
    if file is not None:
        with contextlib.suppress(OSError):
            (place / digest[:2]).mkdir(parents=True, exist_ok=True)
            file.replace(place / digest[:2] / digest)
