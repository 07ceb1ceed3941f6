"""Write to a cache, a stream or another machine's store what it lacks of some environments, without leaves."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO

from nixgen.access import Access
from nixgen.caches.contents import Contents
from nixgen.caches.narinfo import base_name
from nixgen.caches.place import place_of
from nixgen.caches.stream import Manifest, Sending
from nixgen.caches.writing import PushReport, Writing, does_not_verify
from nixgen.credentials import without_credentials
from nixgen.errors import InputError, NixError
from nixgen.observer import SILENT, Observer
from nixgen.store import Store
from nixgen.verification.built import compare_paths
from nixgen.verification.leaves import Counter


def push(
    contents: Sequence[Contents],
    cache: str,
    store: Store,
    *,
    keys: Sequence[Path] = (),
    observer: Observer = SILENT,
) -> PushReport:
    """Write what a cache lacks of some environments.

    A path is there for others when its narinfo is, which is written last. Whatever stops a push, the next one goes on
    with what the cache has not.

    Args:
        contents: what belongs there.
        cache: a directory, or a URL as ``nixgen.caches.place.place_of`` takes it.
        store: holds what is built.
        keys: files of Nix's secret keys, to sign with.
        observer: is told what goes on.

    Raises:
        VerificationError: a path of the store is not what Nix has recorded, or a wheel not what the lock says; what is
            sound was written.
        InputError: the cache is for reading, or for another store's directory; a key cannot be read.
        NetworkError: the cache, or an index, cannot be reached.
    """
    place = place_of(cache, Access.of_project(contents[0].base))
    return asyncio.run(Writing(contents, place, store, keys, observer).run())


def send(
    contents: Sequence[Contents],
    stream: IO[bytes],
    store: Store,
    *,
    there: Collection[str] = (),
    keys: Sequence[Path] = (),
    observer: Observer = SILENT,
) -> PushReport:
    """Write what a receiver lacks of some environments as one stream: all that they need, but for leaves.

    Args:
        contents: what belongs there.
        stream: where to.
        store: holds what is built.
        there: the names of store paths that the receiver has. A wheel whose leaves it has is left out.
        keys: files of Nix's secret keys, to sign with.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``push``; then the stream has no end, and nothing is taken of it.
    """
    names = {base_name(name.strip()) for name in there}
    wanted: list[Contents] = []
    wheels: list[tuple[str, str, str]] = []
    built: dict[str, str] = {}
    for one in contents:
        flats = [flat for flat in one.flats if not (flat.for_builds or (flat.leaves and _named(flat.leaves) <= names))]
        left_out = {flat.index for flat in one.flats if flat.index} - {flat.index for flat in flats}
        # The index of a wheel that is left out is one of the leaves.
        flats = [flat for flat in flats if flat.sha256 not in left_out]
        wheels += [(flat.name, flat.sha256, flat.index) for flat in flats if flat.index]
        built |= {path: index for path, index in one.wheels.items() if base_name(path) not in names}
        # The packages that archives make are sent as they are.
        wanted.append(replace(one, flats=flats, archives={}, built=[*one.others, *one.built]))
    manifest = Manifest(environments=[one.environment for one in contents], wheels=wheels, built=built)

    async def run() -> PushReport:
        place = Sending(stream, there)
        report = await Writing(wanted, place, store, keys, observer).run()
        await place.end(manifest)
        return report

    return asyncio.run(run())


def check_cache(cache: str, base: Path) -> None:
    """Refuse what cannot be pushed to, before anything is built for it.

    Args:
        cache: as for ``push``.
        base: the project's directory.

    Raises:
        InputError: it is for reading, or no cache.
    """
    place = place_of(cache, Access.of_project(base))
    if place.read_only:
        raise InputError(
            "a cache is read over HTTP, and not written",
            where=place.shown,
            todo="push to what the server serves: a directory, or a bucket (s3://NAME?endpoint=HOST)",
        )


def copy(
    contents: Sequence[Contents],
    store_elsewhere: str,
    store: Store,
    *,
    keys: Sequence[Path] = (),
    observer: Observer = SILENT,
) -> PushReport:
    """Have Nix copy environments to the store of another machine, leaves and all: a store has nothing without.

    Args:
        contents: what belongs there.
        store_elsewhere: as Nix names it, ``ssh-ng://HOST``.
        store: holds what is built.
        keys: files of Nix's secret keys, to sign with.
        observer: is told what goes on.

    Raises:
        VerificationError: a path is not what Nix has recorded of it; nothing was copied.
        NixError: the store cannot be reached, or does not take it.
    """
    tops = [path for one in contents for path in (one.environment, *one.wheels)]
    registrations = store.registrations(sorted({path for top in tops for path in store.requisites(Path(top))}))
    with observer.counting("comparing") as progress:
        wrong = compare_paths(registrations.values(), store, Counter(len(registrations), progress))
    if wrong:
        raise does_not_verify((path for path, _, _ in wrong), store)
    try:
        with observer.waiting("copying"):
            store.copy(tops, store_elsewhere, keys)
    except NixError as error:
        said = [line for line in error.what.splitlines() if "copying path '" not in line]
        todo = error.todo
        if "lacks a valid signature" in error.what or "lacks a signature" in error.what:
            todo = "sign it (--sign-key), and have that machine's Nix know the public key (trusted-public-keys)"
        raise NixError("\n".join(said), where=without_credentials(store_elsewhere), todo=todo) from error
    size = sum(registration.nar_size for registration in registrations.values())
    return PushReport(paths=len(registrations), added=len(registrations), uploaded=size, signed=bool(keys))


def _named(paths: Iterable[str]) -> set[str]:
    return {base_name(path) for path in paths}
