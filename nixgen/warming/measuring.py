"""How far a store has what some sets of requirements need: all of it, or how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nixgen.environments.choice import Choice
from nixgen.environments.fetch import indexes_of
from nixgen.environments.npm import places_of
from nixgen.environments.npm_choice import NpmChoice
from nixgen.environments.parts import find_parts
from nixgen.environments.request import Request as Environment
from nixgen.errors import InputError, NixgenError
from nixgen.indexes import index_leaf
from nixgen.inputs.options import ResolverOptions
from nixgen.leaf import leaf_path
from nixgen.lock import Lock
from nixgen.locking.project import Request as Project
from nixgen.locking.project import lock_project
from nixgen.locking.targets import Wish
from nixgen.names import LOCK_NAME
from nixgen.store import Store
from nixgen.targets import default_system
from nixgen.temporary import temporary_directory
from nixgen.warming.npm import archives_in, lacking_npm


@dataclass(frozen=True, kw_only=True)
class Measured:
    """How much of what an environment needs a store has.

    Attributes:
        name: what was measured, as the user names it.
        python, system: what for; "" of packages of npm, whose archives' bytes count, and whose store paths are trees.
        packages: how many packages the environment has.
        files, files_there: how many leaves it needs, each content once, and how many of them are there.
        bytes, bytes_there: the same in bytes.
        trees, trees_there: the same of trees; without all leaves, nobody knows which trees they are, and none counts.
        unseen: wheels that are fetched once all the same: this user has not seen their lock's index to be theirs.
    """

    name: str
    python: str
    system: str
    packages: int
    files: int
    files_there: int
    bytes: int
    bytes_there: int
    trees: int
    trees_there: int
    unseen: int

    @property
    def full(self) -> bool:
        """Whether a build downloads nothing and compiles nothing."""
        return self.files_there == self.files and self.trees_there == self.trees and not self.unseen


@dataclass(frozen=True, kw_only=True)
class Unmeasured:
    """What could not be measured: its name, and why."""

    name: str
    error: NixgenError


def measure(
    names: Sequence[str],
    environment: Environment,
    *,
    targets: Wish | None = None,
    resolver: ResolverOptions | None = None,
) -> Iterator[Measured | Unmeasured]:
    """Yield how far a store has what some environments need, with their default groups; nothing is fetched or built.

    Args:
        names: locks of nixgen's, directories with one or with several below, or whatever else ``nixgen lock`` reads:
            that is locked first, elsewhere, for the first Python that is asked for.
        environment: how Nix and servers are reached.
        targets: what that is locked for; of a lock, the Pythons that are named are measured, else its first.
        resolver: how uv resolves.

    Raises:
        NixError: the store cannot be asked.
    """
    wish = targets or Wish()
    for name in names:
        path = Path(name)
        locks = sorted(path.rglob(LOCK_NAME)) if path.is_dir() else []
        for one in map(str, locks or [path]):
            try:
                if Path(one).name == LOCK_NAME:
                    base = Path(one).parent
                    yield from _of_lock(one, environment._replace(base=base, check="frozen"), wish.pythons)
                else:
                    yield from _of_requirements(one, environment, wish, resolver or ResolverOptions())
            except InputError as error:
                yield Unmeasured(name=one, error=error)


def _of_requirements(name: str, environment: Environment, wish: Wish, resolver: ResolverOptions) -> Iterator[Measured]:
    """Lock what is no lock of nixgen's, elsewhere, and measure that."""
    with temporary_directory() as directory:
        request = Project(
            base=directory.resolve(),
            inputs=[Path(name)],
            targets=replace(wish, pythons=wish.pythons[:1], systems=()),
            resolver=resolver,
            mirrors=environment.mirrors,
        )
        try:
            lock_project(request)
        except InputError as error:
            error.where = name
            raise
        yield from _of_lock(name, environment._replace(base=directory.resolve()), wish.pythons[:1])


def _of_lock(name: str, environment: Environment, pythons: Iterable[str]) -> Iterator[Measured]:
    lock = Lock.from_file(environment.base / LOCK_NAME)
    if lock.npm is not None:
        yield _measured_npm(name, environment)
        if not lock.targets:
            return
    held = {one.target.python for one in lock.targets if one.target.system == default_system()}
    named = [python for python in pythons if "/" in python or _minor(python) in held]
    chosen: list[str | None] = [python if "/" in python else _minor(python) for python in named]
    for python in chosen or [None]:
        yield _measured(name, Choice.of(environment._replace(python=python)))


def _measured_npm(name: str, environment: Environment) -> Measured:
    choice = NpmChoice.of(environment._replace(npm=True))
    store = Store(choice.settings)
    places = places_of(choice.expression, store)
    lacking, missing = lacking_npm(choice, places, store)
    size = sum(archives_in(choice.packages, "").values())
    paths = len({path.rpartition("/")[0] for path in places.values()})
    return Measured(
        name=name,
        python="",
        system=default_system(),
        packages=len(choice.packages),
        files=0,
        files_there=0,
        bytes=size,
        bytes_there=size - lacking,
        trees=paths,
        trees_there=paths - missing,
        unseen=0,
    )


def _measured(name: str, choice: Choice) -> Measured:
    store = Store(choice.settings)
    indexes = indexes_of(choice, choice.packages)
    leaves = {
        leaf_path(path.rpartition("/")[2], file.sha256, store.directory): file.size
        for index in indexes.values()
        for path, file in index.files.items()
        if file.size
    }
    wheels = [choice.lock.wheels[package.wheel.filename] for package in choice.packages]
    own = {index_leaf(wheel.index, store.directory) for wheel in wheels if wheel.index is not None}
    missing = store.invalid([*leaves, *own])
    trees_there = 0
    if not missing:
        trees = {*find_parts(choice).trees.values()}
        trees_there = len(trees - store.invalid(trees)) if trees else 0
    there = {leaf: size for leaf, size in leaves.items() if leaf not in missing}
    return Measured(
        name=name,
        python=choice.python,
        system=default_system(),
        packages=len(choice.packages),
        files=len(leaves),
        files_there=len(there),
        bytes=sum(leaves.values()),
        bytes_there=sum(there.values()),
        trees=len(choice.packages),
        trees_there=trees_there,
        unseen=len(choice.untied),
    )


def _minor(python: str) -> str:
    """Return a version without its patch level, with the ``t`` of a free-threaded one."""
    return ".".join(python.rstrip("t").split(".")[:2]) + ("t" if python.endswith("t") else "")
