"""What of a lock's npm packages an environment has, and where its archives are had."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.environments.npm import SHARED, expression_of, npm_access, places_of
from nixgen.errors import InputError
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME
from nixgen.npm.fitting import fitting
from nixgen.npm.model import NpmPackage
from nixgen.npm.supply import Supplied, archive_path, supply
from nixgen.observer import SILENT, Observer
from nixgen.settings import Settings
from nixgen.store import Store
from nixgen.targets import default_system

if TYPE_CHECKING:
    from nixgen.environments.request import Request
    from nixgen.store.daemon import Daemon


#: What says so where Nix may not.
_NOT_SHARED = (
    "files that several packages have lie in the store several times: Nix shares them where its configuration says "
    "auto-optimise-store = true, or for users whom it trusts"
)


@dataclass(frozen=True, kw_only=True)
class NpmChoice:
    """What of a lock's npm packages an environment on this machine has.

    Attributes:
        base: the project's directory.
        packages: those that it has.
        expression: the environment, as text of the Nix language.
        settings: for Nix, by name.
        mirrors, caches, trusted_keys: as a request has them.
    """

    base: Path
    packages: Sequence[NpmPackage]
    expression: str
    settings: Mapping[str, str]
    mirrors: Sequence[str] = ()
    caches: Sequence[str] = ()
    trusted_keys: Sequence[str] = ()

    @classmethod
    def of(cls, request: Request) -> NpmChoice:
        """Read the lock and choose.

        Raises:
            InputError: there is no lock, or nothing of npm's in it.
        """
        lock = Lock.from_file(request.base / LOCK_NAME)
        if lock.npm is None:
            raise InputError(
                "the lock has nothing of npm",
                where=str(request.base / LOCK_NAME),
                todo="run `nixgen lock` in a project with a package-lock.json",
            )
        return cls(
            base=request.base,
            packages=fitting(lock.npm, default_system(), request.omit),
            expression=expression_of(request),
            settings={**SHARED, **request.settings},
            mirrors=request.mirrors,
            caches=request.caches or Settings.read(request.base / "pyproject.toml").caches,
            trusted_keys=request.trusted_keys,
        )


def build_packages(
    choice: NpmChoice,
    store: Store,
    hold: Daemon,
    observer: Observer = SILENT,
    out_link: Path | None = None,
    *,
    mounted: bool = False,
) -> tuple[str, set[str]]:
    """Build an environment of npm's packages, or its image.

    What a cache has of the packages is taken as it is, where Nix believes it.

    Args:
        choice: the environment.
        store: where it goes.
        hold: keeps what it is made of from garbage collection.
        observer: is told what goes on.
        out_link: a link to make to it; None makes none.
        mounted: whether it is the image.

    Returns:
        its store path, and those of the packages.

    Raises:
        NixgenError: as ``nixgen.npm.supply.supply``, or with what Nix said.
    """
    packages, made = _supply(choice, store, hold, observer)
    meant = f"({choice.expression}).mounted" if mounted else choice.expression
    with observer.waiting("building") as watch:
        built = store.build(meant, [], out_link, watch)
    if made and not _is_shared(made):
        observer.note(_NOT_SHARED)
    return built, packages


def _supply(choice: NpmChoice, store: Store, hold: Daemon, observer: Observer) -> tuple[set[str], set[str]]:
    """Put into the store what packages that it lacks are made of; return the paths of all, and of these."""
    places = places_of(choice.expression, store)
    before = {path.rpartition("/")[0] for path in places.values()}
    hold.hold(before)
    lacking = missing = store.invalid(before)
    if lacking and choice.caches:
        store.take(sorted(lacking))
        missing = store.invalid(lacking)
    needed = [package for package in choice.packages if places.get(package.at, "").rpartition("/")[0] in missing]
    done = supply_archives(choice, needed, store, hold, observer)
    if done.added:
        observer.supplied(done)
    return before, lacking


def fetch_archives(request: Request, observer: Observer = SILENT) -> None:
    """Put the archives of an environment of npm's packages into the store, without building it.

    Nothing keeps them from garbage collection.

    Args:
        request: the environment.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``NpmChoice.of`` and ``nixgen.npm.supply.supply``.
    """
    # Imported here: it imports what builds Python's packages.
    from nixgen.environments.build import substituting_choice

    with substituting_choice(NpmChoice.of(request)) as choice:
        store = Store(choice.settings)
        with store.connect() as hold:
            observer.supplied(supply_archives(choice, choice.packages, store, hold, observer))


def supply_archives(
    choice: NpmChoice, packages: Sequence[NpmPackage], store: Store, hold: Daemon, observer: Observer = SILENT
) -> Supplied:
    """Put the archives of some packages into the store, as far as it lacks them: from caches where they have them.

    Raises:
        NixgenError: as ``nixgen.npm.supply.supply``.
    """
    if packages and choice.caches:
        # Nix need believe nobody: each is known by its hash.
        paths = {archive_path(package, store.directory) for package in packages if package.archive is not None}
        hold.hold(paths)
        store.take(sorted(store.invalid(paths)))
    with observer.counting("fetching") as progress:
        return supply(
            packages,
            store,
            base=choice.base,
            hold=hold,
            access=lambda: npm_access(choice.base, choice.mirrors, choice.caches),
            progress=progress,
        )


def _is_shared(paths: set[str]) -> bool:
    """Tell whether the store has shared the files of what was just made: then each has a name among all that it has."""
    for path in sorted(paths):
        for file in Path(path).glob("**/package.json"):
            return file.stat().st_nlink > 1
    return True
