"""Get sources into the store, verified: archives by their SHA-256, repositories by their commit and their files'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from nixgen.errors import InputError, VerificationError
from nixgen.leaf import flat_path, store_name
from nixgen.model import Source
from nixgen.store import Store
from nixgen.temporary import temporary_directory

if TYPE_CHECKING:
    from nixgen.access import Access

#: How much is read of a file at once, in bytes.
_CHUNK = 1 << 20


def fetch_sources(
    sources: Iterable[Source], *, base: Path, store: Store, access: Access
) -> Mapping[Source, tuple[Source, Path]]:
    """Put sources into the store; return of each what is known by now, and where it can be read.

    A directory stays where it is.

    Args:
        sources: what to fetch.
        base: the directory that relative paths start from.
        store: where it goes.
        access: how servers are reached.

    Raises:
        NetworkError: an archive cannot be fetched.
        VerificationError: one has another hash.
        InputError: one on disk cannot be read.
        NixError: Nix cannot fetch a repository, or the store refuses a file.
    """
    wanted = list(dict.fromkeys(sources))
    found: dict[Source, tuple[Source, Path]] = {}
    for source in wanted:
        if source.directory is not None:
            found[source] = source, base / source.directory
        elif source.repository is not None:
            found[source] = _of_git(source, store)
    archives = [source for source in wanted if source not in found]
    return found | _archives(archives, base=base, store=store, access=access)


def _of_git(source: Source, store: Store) -> tuple[Source, Path]:
    if source.repository is None or source.commit is None:
        raise InputError("its repository is named without a commit", where=source.place, todo="lock it with its tool")
    path = store.fetch_git(source.repository, source.commit)
    sha256 = store.registrations([path])[path].nar_hash
    sha256 = sha256.removeprefix("sha256:")
    if source.sha256 not in (None, sha256):
        raise VerificationError(
            f"the files of commit {source.commit} have SHA-256 {sha256}, expected {source.sha256}",
            where=source.repository,
            todo="see who changed the repository or the lock",
        )
    return replace(source, sha256=sha256), Path(path)


def _archives(archives: list[Source], *, base: Path, store: Store, access: Access) -> dict[Source, tuple[Source, Path]]:
    known = {source: path for source in archives if source.sha256 and (path := archive_path(source, store.directory))}
    lacking = store.invalid(known.values()) if known else set()
    found = {source: (source, Path(path)) for source, path in known.items() if path not in lacking}
    wanted = [source for source in archives if source not in found]
    if wanted:
        from nixgen.sources.archives import read_archives

        with temporary_directory() as directory:
            read = read_archives(wanted, directory, base, access)
            with store.connect() as daemon:
                for source, (file, sha256, size) in read.items():
                    whole = replace(source, sha256=sha256, size=size)
                    path = archive_path(whole, store.directory)
                    daemon.add(PurePosixPath(path).name[33:], _pieces(file), path)
                    found[source] = whole, Path(path)
    return found


def archive_path(source: Source, store_dir: str) -> str:
    """Return the store path of an archive whose SHA-256 is known, as ``nix/build.nix`` names it."""
    name = (source.url or source.path or "").rpartition("/")[2]
    return flat_path(store_name(name), bytes.fromhex(source.sha256 or ""), store_dir)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece
