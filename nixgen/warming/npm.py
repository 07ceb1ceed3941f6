"""Packages of npm that a lock has, put into the store with their environment, and how far they are there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.environments.build import substituting_choice
from nixgen.environments.npm_choice import NpmChoice, build_packages, supply_archives
from nixgen.npm.supply import archive_path
from nixgen.observer import SILENT, Observer
from nixgen.store import Store

if TYPE_CHECKING:
    from nixgen.environments.request import Request
    from nixgen.npm.model import NpmPackage
    from nixgen.store.daemon import Daemon

#: How many bytes a package takes for each byte of its archive: 307 archives of popular packages have 17.7 MB, and
#: 87.3 MB unpacked.
_UNPACKED = 4.9


@dataclass(frozen=True, kw_only=True)
class Warmed:
    """What of npm is there for a lock.

    Attributes:
        sizes: bytes of each store path of a package.
        others: store paths of what else is kept: the environment and the archives.
    """

    sizes: Mapping[str, int]
    others: Sequence[str]


def warm_npm(request: Request, hold: Daemon, observer: Observer = SILENT) -> Warmed:
    """Put the packages of npm that a lock has for this machine into the store, their archives, and the environment.

    Args:
        request: the environment.
        hold: keeps what comes from garbage collection.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``nixgen.environments.npm.build_npm``.
    """
    with substituting_choice(NpmChoice.of(request)) as choice:
        store = Store(choice.settings)
        environment, places = build_packages(choice, store, hold, observer)
        hold.hold([environment])
        supply_archives(choice, choice.packages, store, hold, observer)
        about = store.registrations(sorted(places))
    return Warmed(
        sizes={path: about[path].nar_size for path in sorted(places)},
        others=[environment, *sorted(archives_in(choice.packages, store.directory))],
    )


def archives_in(packages: Sequence[NpmPackage], store_dir: str) -> dict[str, int]:
    """Return the size of each archive that some packages are made of, by its store path."""
    return {
        archive_path(package, store_dir): package.archive.size or 0
        for package in packages
        if package.archive is not None
    }


def estimate(packages: Sequence[NpmPackage]) -> int:
    """Return how many bytes packages and their archives will take, before they are there."""
    return int((1 + _UNPACKED) * sum(archives_in(packages, "").values()))


def lacking_npm(choice: NpmChoice, places: Mapping[str, str], store: Store) -> tuple[int, int]:
    """Return how many bytes of archives the packages have that the store lacks, and how many packages these are.

    Args:
        choice: the environment.
        places: where each package lies in the store, by its place in the lock.
        store: is asked.
    """
    paths = {at: str(Path(path).parent) for at, path in places.items()}
    missing = store.invalid({*paths.values()})
    lacking = [package for package in choice.packages if paths.get(package.at) in missing]
    return sum(archives_in(lacking, "").values()), len({paths[package.at] for package in lacking})
