"""The environments of several locks, to be measured beside each other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from nixgen.comparison.contents import indexes_that_are_known
from nixgen.comparison.revisions import Held, find_lock
from nixgen.comparison.sizes import Environment, EnvironmentSize, measure, page_data
from nixgen.environments.fetch import access_of
from nixgen.environments.request import Request
from nixgen.environments.trees import built_trees
from nixgen.names import LOCK_NAME
from nixgen.observer import SILENT, Observer
from nixgen.plan import choose
from nixgen.store import Store
from nixgen.targets import default_system


def sizes_of(
    request: Request, names: Sequence[str], here: Path, observer: Observer = SILENT, *, link: Path | None = None
) -> tuple[list[EnvironmentSize], dict[str, object]]:
    """Return what the environments of some locks cost, and what the page with the treemap shows.

    Args:
        request: what is chosen of each lock; extras and groups that one does not have are passed over.
        names: locks, as ``find_lock`` takes them; none for the project's own.
        here: the directory that paths of locks start from.
        observer: is told what goes on.
        link: a link to the environment of a lock that is alone; by default ``result`` beside each lock.

    Raises:
        NixgenError: as ``find_lock``, ``nixgen.plan.choose`` and ``indexes_that_are_known``.
    """
    store = Store(request.settings)
    environments: list[Environment] = []
    trees: dict[str, list[Path]] = {}
    python = None if request.interpreter else request.python
    asked: Sequence[str | None] = names or [None]
    for text in asked:
        held = find_lock(text, request.base, here)
        lock = held.lock
        extras = lock.extras if request.all_extras else [name for name in request.extras if name in lock.extras]
        groups = [*(lock.default_groups if request.default_groups else ()), *request.groups]
        groups = [*lock.groups] if request.all_groups else [name for name in groups if name in lock.groups]
        target, packages = choose(
            lock, system=default_system(), python=python, extras=extras, groups=groups, member=request.member
        )
        wheels = [lock.wheels[package.wheel.filename] for package in packages]
        indexes, unknown = indexes_that_are_known(
            wheels, base=held.base, access=lambda: access_of(request.base, request.mirrors), observer=observer
        )
        if unknown:
            observer.note(f"{held.name}: what {', '.join(unknown)} costs is not known before it is built")
        name = _free(_called(held, here), [one.name for one in environments])
        built = link or held.base / "result"
        found = built_trees(built, packages, store) if built.is_dir() else {}
        whole = found.keys() == {package.name for package in packages}
        if whole:
            trees[name] = [tree.path for tree in found.values()]
        environments.append(
            Environment(
                name=name,
                python=target.target.python,
                system=target.target.system,
                packages=packages,
                indexes=indexes,
                built=built.resolve() if whole else None,
            )
        )
    sizes = measure(environments, trees, store.directory)
    return sizes, page_data(environments, sizes, store.directory)


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
