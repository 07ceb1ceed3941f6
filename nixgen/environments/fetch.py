"""The leaves of an environment, put into the store."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.environments.builds import Builds, add_built, index_of_build
from nixgen.environments.choice import Choice
from nixgen.indexes import find_index, index_leaf, indexes_of_lock, keep_indexes
from nixgen.ingest import IngestReport, ingest
from nixgen.model import LockedPackage, LockedWheel, WheelIndex
from nixgen.observer import SILENT, Observer
from nixgen.store import Store
from nixgen.ties import is_tied
from nixgen.wheels.text import parse_index

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.store.daemon import Daemon


#: How large an index may be that is taken from a cache, in bytes; that of TensorFlow has 2 MB.
MAX_METADATA = 64 << 20


def indexes_of(
    choice: Choice, packages: Iterable[LockedPackage], observer: Observer = SILENT
) -> Mapping[str, WheelIndex]:
    """Return the indexes of some packages' wheels, by file name, read again where this machine has them no more.

    A wheel of which nothing is pinned has none.

    Raises:
        InputError: the index of a wheel that is built is not beside the lock.
        NixgenError: as ``nixgen.indexes.indexes_of_lock``.
    """
    wheels = [choice.lock.wheels[package.wheel.filename] for package in packages]
    found = read_indexes(choice, [wheel for wheel in wheels if wheel.build is None], observer)
    built = [wheel for wheel in wheels if wheel.build is not None and wheel.index is not None]
    return found | {wheel.source.filename: index_of_build(wheel, choice.base) for wheel in built}


def read_indexes(choice: Choice, wheels: Iterable[LockedWheel], observer: Observer = SILENT) -> dict[str, WheelIndex]:
    """Return the indexes of wheels that are not built, as ``indexes_of`` does."""
    wheels = list(wheels)
    if choice.caches:
        _take_indexes(choice, wheels)
    with observer.counting("reading wheels") as progress:
        return {
            **indexes_of_lock(
                wheels,
                base=choice.base,
                access=lambda: access_of(choice.base, choice.mirrors, choice.caches),
                progress=progress,
            )
        }


def _take_indexes(choice: Choice, wheels: Iterable[LockedWheel]) -> None:
    """Keep in the user's cache what binary caches have of the indexes that this machine lacks."""
    lacking = [wheel for wheel in wheels if wheel.index and find_index(wheel, choice.base) is None]
    if not lacking:
        return
    from nixgen.caches.reading import Wanted, fetch_all
    from nixgen.temporary import temporary_directory

    store_dir = Store(choice.settings).directory
    wanted = {
        wheel.source.filename: Wanted(
            path=index_leaf(wheel.index, store_dir),
            sha256=wheel.index,
            name=f"the index of {wheel.source.filename}",
        )
        for wheel in lacking
        if wheel.index
    }
    with temporary_directory() as directory:
        access = access_of(choice.base, choice.mirrors, choice.caches)
        found = fetch_all(choice.caches, access, wanted.values(), directory, MAX_METADATA)
        keep_indexes(
            parse_index(found[one.path].read_bytes(), wheel.source, wheel.name)
            for wheel in lacking
            if (one := wanted[wheel.source.filename]).path in found
        )


def fetch(
    choice: Choice,
    observer: Observer = SILENT,
    *,
    build: Callable[[str], str],
    hold: Daemon | None = None,
    builds: bool = False,
    arrived: Callable[[str], None] = lambda _: None,
) -> IngestReport:
    """Put the leaves of an environment into the store, as far as it lacks them, and tie its indexes to their wheels.

    Args:
        choice: the environment.
        observer: is told what goes on.
        build: as for ``nixgen.environments.builds.add_built``.
        hold, arrived: as for ``nixgen.ingest.ingest``.
        builds: whether wheels of sources are built where the store has all of their leaves, too.

    Raises:
        NixgenError: as ``indexes_of``, ``nixgen.ingest.ingest`` and ``nixgen.environments.builds.add_built``.
    """
    store = Store(choice.settings)
    if hold is not None and (choice.caches or any(wheel.build for wheel in choice.lock.wheels.values())):
        hold.wait()  # before another program of Nix meets a store that is being made
    has_builds = any(choice.lock.wheels[package.wheel.filename].build for package in choice.packages)
    needed = Builds.of(choice, store, every=builds) if has_builds else Builds()
    names = {package.wheel.filename for package in choice.packages} | needed.needed
    wheels = [choice.lock.wheels[name] for name in sorted(names)]
    wheels = [wheel for wheel in wheels if wheel.build is None]
    indexes = read_indexes(choice, wheels, observer)
    with observer.counting("fetching") as progress:
        report = ingest(
            indexes.values(),
            store,
            base=choice.base,
            untied={wheel.source.filename for wheel in wheels if not is_tied(wheel)},
            hold=hold,
            caches=choice.caches,
            access=lambda: access_of(choice.base, choice.mirrors, choice.caches),
            arrived=arrived,
            progress=progress,
        )
    if needed.steps:
        with contextlib.nullcontext(hold) if hold is not None else store.connect() as daemon:
            access = access_of(choice.base, choice.mirrors, choice.caches)
            added = add_built(choice, needed.steps, build, store=store, hold=daemon, access=access)
        report = replace(report, leaves=report.leaves + added, added=report.added + added)
    observer.fetched(report)
    return report


def access_of(base: Path, mirrors: Sequence[str] = (), caches: Sequence[str] = ()) -> Access:
    """Return how servers are reached, as the environment, netrc, uv's settings and the project's files say.

    Args:
        base: the project's directory.
        mirrors: those that the command line names.
        caches: binary caches, whose URLs may carry a login.
    """
    from nixgen.access import Access
    from nixgen.credentials import has_login

    return Access.of_project(base, mirrors=mirrors, urls=[cache for cache in caches if has_login(cache)])
