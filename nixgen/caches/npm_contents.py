"""What of an environment of npm's packages belongs into a cache: the packages, and the archives they are made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.caches.contents import Contents, outputs_of
from nixgen.environments.build import substituting_choice
from nixgen.environments.npm import arguments_of, build_npm
from nixgen.environments.npm_choice import NpmChoice, supply_archives
from nixgen.leaf import base32
from nixgen.npm.supply import archive_path, digest_of
from nixgen.observer import SILENT, Observer
from nixgen.store import Store

if TYPE_CHECKING:
    from nixgen.environments.request import Request


def contents_of_npm(request: Request, roots: Path, observer: Observer = SILENT) -> Contents:
    """Build an environment of npm's packages, and return what of it belongs into a cache.

    Args:
        request: the environment; its image where that is asked for.
        roots: an empty directory for links that keep what is built from collection.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``nixgen.environments.npm.build_npm``.
    """
    environment = build_npm(request._replace(mounted=False), roots / "environment", observer)
    asked = build_npm(request, roots / "image", observer) if request.mounted else environment
    with substituting_choice(NpmChoice.of(request)) as choice:
        return _contents(request, choice, environment, asked, roots, observer)


def _contents(
    request: Request, choice: NpmChoice, environment: str, asked: str, roots: Path, observer: Observer
) -> Contents:
    store = Store(choice.settings)
    archives = {
        archive_path(package, store.directory): f"fixed:sha512:{base32(digest_of(package.archive))}"
        for package in choice.packages
        if package.archive is not None
    }
    built = outputs_of(choice.base, arguments_of(request), "npm.mounted", store, environment, roots)
    whole = set().union(*(store.requisites(Path(path)) for path in {environment, asked}))
    with store.connect() as daemon:
        supply_archives(choice, choice.packages, store, daemon, observer)
        store.keep(archives, (), roots / "archives")
    return Contents(
        environment=asked,
        base=choice.base,
        built=built,
        flats=(),
        archives=archives,
        others=sorted(whole - {*built}),
        mirrors=choice.mirrors,
        caches=choice.caches,
    )
