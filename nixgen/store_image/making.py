"""A store image, made of the environments of some locks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nixgen.caches.narinfo import base_name
from nixgen.emit.files import write_bytes
from nixgen.environments.build import build
from nixgen.environments.choice import Choice
from nixgen.environments.fetch import read_indexes
from nixgen.environments.request import Request
from nixgen.errors import InputError, VerificationError
from nixgen.indexes import index_leaf
from nixgen.mistakes import about
from nixgen.observer import SILENT, Observer
from nixgen.sources.leaves import leaves_of
from nixgen.store import Store
from nixgen.store.database import write_database
from nixgen.store_image.erofs import find_program, read_uuid, write_erofs
from nixgen.store_image.listing import Entry, Listing, listing_of, read_listing
from nixgen.store_image.staging import Staging
from nixgen.temporary import temporary_directory
from nixgen.verification.built import compare_paths
from nixgen.verification.leaves import Counter

#: How many damaged paths an error names.
_NAMED = 5

#: Directories of Nix's state that it makes where it opens a store, and cannot make where that is read-only.
_STATE = ("db", "gcroots", "gcroots/per-user", "profiles", "profiles/per-user", "temproots")


@dataclass(frozen=True, kw_only=True)
class StoreImage:
    """A store image that was made.

    Attributes:
        file: the image; its list lies beside it.
        size: its bytes.
        environments: of each lock that was given, in that order, the store path of its environment.
        listing: what it holds.
    """

    file: Path
    size: int
    environments: Sequence[str]
    listing: Listing


def make_store_image(
    requests: Sequence[Request], file: Path, *, on: Path | None = None, observer: Observer = SILENT
) -> StoreImage:
    """Build environments, and write an image of all that they need.

    The image has the store's directory by its name, and ``var/nix`` with the database beside it: what lies in ``/nix``,
    where the store is ``/nix/store``. Image and list are replaced when both are whole.

    Args:
        requests: the environments.
        file: the image; its list is written beside it.
        on: an image below this one: what is there is left out, but for the database, which has both.
        observer: is told what goes on.

    Raises:
        InputError: ``on`` is no such image, or one of another store; there is no place for ``file``.
        MachineError: there is no mkfs.erofs, or no room.
        VerificationError: a store path is not what Nix has recorded of it.
        NixgenError: as ``nixgen.environments.build.build``.
    """
    find_program()
    _check_place(file)
    below = None if on is None else read_listing(on, read_uuid(on))
    if on is not None and on.exists() and file.exists() and on.samefile(file):
        raise InputError("an image cannot stand on itself", where=str(file), todo="name another file with -o")
    store = Store(requests[0].settings)
    if below is not None and below.store != store.directory:
        raise InputError(
            f"the image is of the store {below.store}, and this one is {store.directory}",
            where=str(on),
            todo="stand on an image of this store, or make it alone",
        )
    with temporary_directory() as roots:
        environments = []
        for number, request in enumerate(requests):
            environments.append(build(request, roots / f"environment-{number}", observer))
        paths = {path for one in environments for path in store.requisites(Path(one))}
        more = _of_wheels(requests, store, observer)
        with store.connect() as daemon:
            # No environment needs these, and so nothing else keeps them from a collection.
            daemon.hold(more)
            paths |= more - store.invalid(more)
            listing, size = _write(file, paths, environments, below, on, store, observer)
    return StoreImage(file=file, size=size, environments=environments, listing=listing)


def _check_place(file: Path) -> None:
    """Refuse where no file can be written, before anything is built for it."""
    if file.is_dir():
        raise InputError("this is a directory", where=str(file), todo="name a file with -o")
    if not file.parent.is_dir():
        raise InputError("there is no such directory", where=str(file.parent), todo="make it, or name another with -o")


def _of_wheels(requests: Iterable[Request], store: Store, observer: Observer) -> set[str]:
    """Return what the store may have of the locks' wheels beside what the environments need: indexes, leaves of copies.

    Who builds on top fetches none of these wheels then. A leaf and its copy are one file of the image.
    """
    found = set()
    for request in requests:
        choice = Choice.of(request)
        wheels = [choice.lock.wheels[package.wheel.filename] for package in choice.packages]
        found |= {index_leaf(wheel.index, store.directory) for wheel in wheels if wheel.index}
        for index in read_indexes(choice, [wheel for wheel in wheels if wheel.build is None], observer).values():
            found.update(leaves_of(index, store.directory))
    return found


def _write(
    file: Path,
    paths: set[str],
    environments: Sequence[str],
    below: Listing | None,
    on: Path | None,
    store: Store,
    observer: Observer,
) -> tuple[Listing, int]:
    """Write image and list of store paths; return what it holds, and its size in bytes."""
    there = {} if below is None else below.all
    wanted = sorted(paths - there.keys())
    registrations = store.registrations(wanted) if wanted else {}
    with observer.counting("comparing") as progress:
        wrong = compare_paths(registrations.values(), store, Counter(len(wanted), progress))
    if wrong:
        named = sorted({path for path, _, _ in wrong})
        raise VerificationError(
            f"{len(named)} store path(s) are not what Nix has recorded of them: {', '.join(named[:_NAMED])}",
            where=store.directory,
            todo="see what it is: `nixgen verify`, and restore it with --repair",
        )
    with about(file), temporary_directory(file.parent) as work:
        root = work / "root"
        state = _directories(root, base_name(store.directory))
        with observer.counting("placing") as progress:
            staging = Staging(root / base_name(store.directory), store.directory)
            contents = staging.add(wanted, Counter(len(wanted), progress))
        listing = Listing(
            store=store.directory,
            environments=sorted({*environments, *(() if below is None else below.environments)}),
            entries={
                path: Entry(registration=replace(one, deriver=""), content=contents.get(path, ""))
                for path, one in registrations.items()
            },
            below=there,
            images=[] if below is None or on is None else [below.uuid, *below.images],
        )
        known = listing.all
        write_database(
            (entry.registration for entry in known.values()),
            {path: entry.content for path, entry in known.items() if entry.content},
            state / "db",
        )
        made = work / "image"
        with observer.waiting("writing the image"):
            write_erofs(root, made, listing.uuid)
        size = made.stat().st_size
        made.replace(file)
        write_bytes(listing_of(file), listing.content())
    return listing, size


def _directories(root: Path, store: str) -> Path:
    """Make the directories that a store has, as the image is to show them, and return that of Nix's state."""
    state = root / "var" / "nix"
    directories = [root, root / store, root / store / ".links", root / "var", state]
    directories += [state / name for name in _STATE]
    for directory in directories:
        directory.mkdir()
        directory.chmod(0o755)
    return state
