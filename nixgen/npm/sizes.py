"""What environments of npm's packages cost: of a lock as it is, and as far as one is built."""

from __future__ import annotations

import functools
from pathlib import Path

from nixgen.comparison.revisions import Held
from nixgen.comparison.sizes import Environment
from nixgen.environments.npm import npm_access
from nixgen.environments.request import Request
from nixgen.library import builder_module
from nixgen.npm.contents import contents_of, is_pooled, npm_files
from nixgen.npm.fitting import fitting
from nixgen.npm.model import NpmPackage
from nixgen.observer import SILENT, Observer
from nixgen.store import Store
from nixgen.targets import default_system
from nixgen.verification.built import what_it_is


def npm_environment(held: Held, request: Request, store: Store, link: Path, observer: Observer = SILENT) -> Environment:
    """Return the environment of the packages of npm that a lock has, to be measured.

    Args:
        held: the lock, which has some.
        request: what is left out of it.
        store: the store that may have it.
        link: a link to one that may be built of it.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``nixgen.npm.contents.contents_of``.
    """
    assert held.lock.npm is not None
    packages = fitting(held.lock.npm, default_system(), request.omit)
    contents = contents_of(
        packages,
        base=held.base,
        store_dir=store.directory,
        access=lambda: npm_access(request.base, request.mirrors),
        observer=observer,
    )
    built = link.resolve() if _is_of(link, packages) else None
    return Environment(
        name=held.name,
        kind="npm",
        python=None,
        system=default_system(),
        packages=npm_files(packages, contents),
        # Of what is built, the store has all: also where it may not share files.
        is_stored=(lambda _: True) if built else functools.partial(is_pooled, store_dir=store.directory),
        built=built,
        trees=instances(built, store) if built else (),
    )


def instances(environment: Path, store: Store) -> list[Path]:
    """Return the store paths that hold the packages of a built environment.

    Raises:
        NixError: Nix is missing, or does not know it.
    """
    return [Path(path) for path in store.requisites(environment) if what_it_is(path) == "package"]


def _is_of(link: Path, packages: list[NpmPackage]) -> bool:
    """Tell whether a link leads to an environment of just these packages, by what its record says."""
    record = builder_module("npm_lockfile")
    listed = [
        {"at": package.at, "link": package.link, "integrity": package.archive and package.archive.integrity}
        for package in packages
    ]
    try:
        said = (link / "node_modules" / record.NAME).read_text(encoding="utf-8")
    except OSError:
        return False
    return bool(said == record.digest(listed))
