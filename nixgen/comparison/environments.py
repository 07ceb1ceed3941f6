"""The environments of several locks, to be measured beside each other."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from nixgen.comparison.contents import Content, indexes_that_are_known, wheel_files
from nixgen.comparison.revisions import Held, find_lock
from nixgen.comparison.sizes import Environment, EnvironmentSize, measure, page_data
from nixgen.environments.fetch import access_of
from nixgen.environments.request import Request
from nixgen.environments.trees import built_trees
from nixgen.leaf import leaf_path
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME
from nixgen.observer import SILENT, Observer
from nixgen.plan import choose
from nixgen.store import Store
from nixgen.targets import default_system


def sizes_of(
    request: Request, names: Sequence[str], here: Path, observer: Observer = SILENT, *, link: Path | None = None
) -> tuple[list[EnvironmentSize], dict[str, object]]:
    """Return what the environments of some locks cost, and what the page with the treemap shows.

    A lock with packages of Python and of npm has two environments.

    Args:
        request: what is chosen of each lock; extras and groups that one does not have are passed over.
        names: locks, as ``find_lock`` takes them; none for the project's own.
        here: the directory that paths of locks start from.
        observer: is told what goes on.
        link: a link to the environment of a lock that is alone; by default ``result`` beside each lock. That of npm's
            packages beside Python's has its name with ``-npm``.

    Raises:
        NixgenError: as ``find_lock``, ``nixgen.plan.choose``, ``indexes_that_are_known`` and
            ``nixgen.npm.contents.contents_of``.
    """
    store = Store(request.settings)
    environments: list[Environment] = []
    asked: Sequence[str | None] = names or [None]
    for text in asked:
        held = find_lock(text, request.base, here)
        for one in _environments(held, request, store, link or held.base / "result", observer):
            name = _called(held, here)
            both = held.lock.npm is not None and held.lock.targets
            name = _free(
                f"{name} (npm)" if both and one.kind == "npm" else name, [other.name for other in environments]
            )
            environments.append(replace(one, name=name))
    sizes = measure(environments)
    return sizes, page_data(environments, sizes)


def _environments(held: Held, request: Request, store: Store, link: Path, observer: Observer) -> Iterator[Environment]:
    lock = held.lock
    if lock.targets or lock.npm is None:
        yield _of_python(held, request, store, link, observer)
    if lock.npm is not None:
        # Imported here: most locks have nothing of npm.
        from nixgen.npm.sizes import npm_environment

        beside = link.with_name(f"{link.name}-npm") if lock.targets else link
        yield npm_environment(held, request, store, beside, observer)


def _of_python(held: Held, request: Request, store: Store, link: Path, observer: Observer) -> Environment:
    lock = held.lock
    extras, groups = _choices(lock, request)
    target, packages = choose(
        lock,
        system=default_system(),
        python=None if request.interpreter else request.python,
        extras=extras,
        groups=groups,
        member=request.member,
    )
    wheels = [lock.wheels[package.wheel.filename] for package in packages]
    indexes, unknown = indexes_that_are_known(
        wheels, base=held.base, access=lambda: access_of(request.base, request.mirrors), observer=observer
    )
    if unknown:
        observer.note(f"{held.name}: what {', '.join(unknown)} costs is not known before it is built")
    found = built_trees(link, packages, store) if link.is_dir() else {}
    whole = found.keys() == {package.name for package in packages}

    def is_stored(content: Content) -> bool:
        name, sha256 = content
        return os.path.lexists(leaf_path(name, sha256, store.directory))

    return Environment(
        name=held.name,
        kind="python",
        python=target.target.python,
        system=target.target.system,
        packages=[
            wheel_files(package.name, package.version, indexes.get(package.wheel.filename)) for package in packages
        ],
        is_stored=is_stored,
        built=link.resolve() if whole else None,
        trees=[tree.path for tree in found.values()] if whole else (),
    )


def _choices(lock: Lock, request: Request) -> tuple[Sequence[str], Sequence[str]]:
    """Return the extras and the groups of a lock that are asked for."""
    extras = lock.extras if request.all_extras else [name for name in request.extras if name in lock.extras]
    groups = [*(lock.default_groups if request.default_groups else ()), *request.groups]
    return extras, [*lock.groups] if request.all_groups else [name for name in groups if name in lock.groups]


def _called(held: Held, here: Path) -> str:
    """Return what to call a lock: a revision by its name, else the directory that it is in."""
    is_path = held.name == LOCK_NAME or (here / held.name).exists()
    return held.base.resolve().name if is_path else held.name


def _free(name: str, taken: Sequence[str]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name} ({number})", number + 1
    return free
