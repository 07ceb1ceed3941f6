"""The leaves of wheels that are built from sources: where the store lacks them, the wheels are built again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.emit.nix import nix_string
from nixgen.environments.choice import Choice
from nixgen.errors import InputError, NixError, VerificationError
from nixgen.indexes import INDEX_NAME, find_index, index_leaf, vendored_name
from nixgen.model import LockedWheel, Source, WheelIndex
from nixgen.names import LOCK_NAME
from nixgen.sources.fetch import archive_path, fetch_sources
from nixgen.sources.leaves import add_leaves, differences, leaves_of
from nixgen.store import Store
from nixgen.targets import default_system
from nixgen.wheels.text import index_hash, parse_index

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.store.daemon import Daemon

#: How many files of a build that are others than the lock's are named.
_NAMED = 20


@dataclass(frozen=True, kw_only=True)
class Builds:
    """What an environment needs that is built from sources.

    Attributes:
        steps: file names of the wheels to build, and of those that they are built with, these before them.
        needed: file names of the other wheels that builds need.
    """

    steps: Sequence[Sequence[str]] = ()
    needed: frozenset[str] = frozenset()

    @classmethod
    def of(cls, choice: Choice, store: Store, *, every: bool = False) -> Builds:
        """Return what has to be built, so that the store has every leaf of an environment.

        What of a wheel nothing is pinned, Nix builds with the environment, and only what it is built with is here.

        Args:
            choice: the environment.
            store: the store.
            every: whether wheels are built of which it has every leaf, too.

        Raises:
            InputError: the index of a wheel that is pinned is not beside the lock.
        """
        wheels = choice.lock.wheels
        depths: dict[str, int] = {}
        needed: set[str] = set()

        def visit(name: str) -> int:
            """Return how many steps a wheel takes."""
            wheel = wheels[name]
            if wheel.build is None:
                needed.add(name)
                return 0
            if depths.get(name) == 0:
                raise InputError(
                    f"the lock is damaged: {name} is built with itself",
                    where=LOCK_NAME,
                    todo="restore it (`git checkout nixgen.lock`), or lock again",
                )
            if name not in depths:
                if wheel.index is not None and not every and not _lacking(wheel, choice.base, store):
                    return 0
                depths[name] = 0
                requires = wheel.build.requires.get(f"{choice.python}-{default_system()}", ())
                depths[name] = 1 + max(map(visit, requires), default=0)
            return depths[name]

        for package in choice.packages:
            if wheels[package.wheel.filename].build is not None:
                visit(package.wheel.filename)
        pinned = {name: depth for name, depth in depths.items() if wheels[name].index is not None}
        return cls(
            steps=[sorted(name for name in pinned if pinned[name] == depth) for depth in sorted(set(pinned.values()))],
            needed=frozenset(needed),
        )


def index_of_build(wheel: LockedWheel, base: Path) -> WheelIndex:
    """Return the index of a wheel that is built, which nothing but the project, the store or the user's cache has.

    Raises:
        InputError: none of them has it.
    """
    index = find_index(wheel, base)
    if index is None:
        raise InputError(
            f"the index of {wheel.source.filename}, which is built from its source, is missing",
            where=f"nix/index/{vendored_name(wheel.source.filename)}",
            todo="restore it (`git checkout nix/index`; it belongs into the repository), or run `nixgen lock`, which "
            "builds the wheel anew",
        )
    return index


def add_built(
    choice: Choice,
    steps: Iterable[Sequence[str]],
    build: Callable[[str], str],
    *,
    store: Store,
    hold: Daemon,
    access: Access,
) -> int:
    """Build wheels that are pinned, and put their leaves into the store, each compared with the lock.

    Args:
        choice: the environment.
        steps: as ``Builds`` has them; what other wheels they are built with is in the store.
        build: given the text of a function from the environment, builds what that gives; returns the store paths.
        store: where leaves go.
        hold: keeps them from garbage collection.
        access: how servers are reached.

    Returns:
        how many leaves were added.

    Raises:
        BuildError: a build fails.
        VerificationError: other files come out than the lock has.
    """
    added = 0
    for names in steps:
        wheels = [choice.lock.wheels[name] for name in names]
        sources = [source for wheel in wheels if (source := wheel.source.source) is not None and _is_archive(source)]
        if choice.caches:
            _take_sources(sources, store)
        fetch_sources(sources, base=choice.base, store=store, access=access)
        wanted = " ".join(f"made.nixgen.built.{nix_string(name)}" for name in names)
        outputs = build(f"(made: [ {wanted} ])").split()
        for wheel, output in zip(wheels, outputs, strict=True):
            index = index_of_build(wheel, choice.base)
            _compare(wheel, index, Path(output))
            added += add_leaves(index, Path(output), store, hold)
    return added


def _take_sources(sources: Iterable[Source], store: Store) -> None:
    """Let Nix take archives from caches, as far as these have them."""
    known = [archive_path(source, store.directory) for source in sources if source.sha256]
    for path in sorted(store.invalid(known)) if known else ():
        with contextlib.suppress(NixError):
            store.realise(path, None)


def _is_archive(source: Source) -> bool:
    return source.url is not None or source.path is not None


def _compare(wheel: LockedWheel, index: WheelIndex, output: Path) -> None:
    """Compare what was built with the lock.

    Raises:
        VerificationError: they are different; names the files.
    """
    name = wheel.source.filename
    if not (output / INDEX_NAME).exists():
        asked = json.loads((output / "needs.json").read_bytes())
        raise VerificationError(
            f"the build of {name} asks here for more than the lock has: {', '.join(asked)}",
            where=str(output),
            todo=f"name it under [tool.nixgen.build.{wheel.name}] requires, and run `nixgen lock`",
        )
    found = parse_index((output / INDEX_NAME).read_bytes(), wheel.source, wheel.name)
    if index_hash(found) == wheel.index:
        return
    lines = list(differences(index, found))
    shown = "".join(f"\n    {line}" for line in lines[:_NAMED])
    more = f"\n    and {len(lines) - _NAMED} more" if len(lines) > _NAMED else ""
    raise VerificationError(
        f"{name} was built with other files than the lock has:{shown}{more}",
        where=f"{output}, and nix/index/{vendored_name(name)}",
        todo=(
            "where its build depends on the machine (a compiler, a date), fix that under "
            f"[tool.nixgen.build.{wheel.name}]; or write accept = true there and run `nixgen lock`: then each machine "
            "has what it has built; or lock again, which takes what is built now"
        ),
    )


def _lacking(wheel: LockedWheel, base: Path, store: Store) -> bool:
    """Tell whether the store lacks a leaf of a wheel."""
    index = index_of_build(wheel, base)
    return bool(store.invalid([*leaves_of(index, store.directory), index_leaf(wheel.index or "", store.directory)]))
