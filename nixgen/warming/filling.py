"""Getting into the store what entries bring: by the code that builds environments, and without an environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.emit.project import Files
from nixgen.environments.build import fetch_all
from nixgen.environments.choice import Choice
from nixgen.environments.fetch import read_indexes
from nixgen.environments.npm_choice import NpmChoice
from nixgen.environments.parts import build_parts
from nixgen.environments.request import Request
from nixgen.indexes import find_index, index_leaf
from nixgen.leaf import store_name
from nixgen.lock import Lock, TargetLock
from nixgen.model import LockedPackage, LockedWheel, WheelIndex
from nixgen.observer import SILENT, Observer
from nixgen.plan import choose
from nixgen.sources.leaves import leaves_of
from nixgen.store import Store, Text
from nixgen.targets import default_system
from nixgen.warming.lists import Entry
from nixgen.warming.npm import estimate, warm_npm
from nixgen.warming.places import Place
from nixgen.warming.record import KeptEntry, KeptWheel
from nixgen.warming.resolving import Resolved

if TYPE_CHECKING:
    from nixgen.store.daemon import Daemon


@dataclass(frozen=True, kw_only=True)
class Filling:
    """A store that is being filled.

    Attributes:
        bench: a directory that is a project for as long as this lasts.
        request: how Nix and servers are reached; of the project it says nothing.
        hold: keeps what comes from garbage collection as long as it is open.
        observer: is told what goes on.
    """

    bench: Path
    request: Request
    hold: Daemon
    observer: Observer = SILENT

    @property
    def store(self) -> Store:
        """The store."""
        return Store(self.request.settings)

    def fill(self, resolved: Sequence[Resolved], place: Place) -> dict[tuple[str, str, str, str], KeptWheel]:
        """Put wheels that entries bring for a place into the store; return what keeps each, by its identity.

        Raises:
            NixgenError: as ``build_parts``; what came by then is there.
        """
        found: dict[tuple[str, str, str, str], KeptWheel] = {}
        for lock in _locks(resolved, place):
            Files(lock=lock).write(self.bench)
            choice = self._choice(self.bench, lock, place)
            kept, _ = self._kept(choice, place)
            found |= {wheel.identity: wheel for wheel in kept}
        return found

    def fill_lock(self, entry: Entry, places: Sequence[Place]) -> Iterator[KeptEntry]:
        """Put what any environment of a lock is made of into the store, for each of its targets.

        Args:
            entry: the lock.
            places: a Python that is named by its path builds for the targets that it is of.

        Raises:
            NixgenError: as ``Choice.of`` and ``build_parts``.
        """
        assert entry.lock is not None
        base = entry.lock.parent
        lock = Lock.from_file(entry.lock)
        named = {place.target.key: place.python for place in places if place.python and "/" in place.python}
        for locked in lock.targets:
            target = locked.target
            key = f"{target.key} of its lock"
            if target.system != default_system():
                unbuilt = [one for one in locked.packages if lock.wheels[one.wheel.filename].build is None]
                place = Place(target=target)
                choice = replace(self._choice(base, lock, place), packages=tuple(unbuilt))
                kept, _ = self._kept(choice, place)
                yield KeptEntry(entry=entry.key, place=key, wheels=tuple(kept), is_lock=True)
                continue
            python = named.get(target.key, target.python)
            place = Place(target=target, python=python, archive=locked.archive)
            wheels: dict[KeptWheel, None] = {}
            others: list[str] = []
            for request in self._choices(base, lock, place):
                kept, more = self._kept(Choice.of(request), place)
                wheels |= dict.fromkeys(kept)
                others += [*more]
            yield KeptEntry(
                entry=entry.key, place=key, wheels=tuple(wheels), others=tuple(dict.fromkeys(others)), is_lock=True
            )

        if lock.npm is not None:
            # What builds there is the Python of the first target that is this machine's (nix/npm_instances.nix).
            first = next((one.target.key for one in lock.targets if one.target.system == default_system()), "")
            asked = self.request._replace(base=base, python=named.get(first), npm=True, check="frozen")
            warmed = warm_npm(asked, self.hold, self.observer)
            yield KeptEntry(
                entry=entry.key,
                place="npm of its lock",
                wheels=(),
                others=warmed.others,
                npm=warmed.sizes,
                is_lock=True,
            )

    def estimate_npm(self, entry: Entry) -> int:
        """Return how many bytes the packages of npm that a lock has will take, before they are there."""
        assert entry.lock is not None
        if Lock.from_file(entry.lock).npm is None:
            return 0
        return estimate(NpmChoice.of(self.request._replace(base=entry.lock.parent, npm=True)).packages)

    def indexes_of_lock(self, entry: Entry) -> list[WheelIndex]:
        """Return the indexes of a lock's wheels, but for those that are built.

        Raises:
            NixgenError: as ``Lock.from_file`` and ``read_indexes``.
        """
        assert entry.lock is not None
        lock = Lock.from_file(entry.lock)
        if not lock.targets:
            return []
        choice = self._choice(entry.lock.parent, lock, Place(target=lock.targets[0].target))
        wanted = [wheel for wheel in lock.wheels.values() if wheel.build is None]
        return [*read_indexes(choice, wanted, self.observer).values()]

    def _choices(self, base: Path, lock: Lock, place: Place) -> Iterator[Request]:
        """Yield the environments of a lock whose packages are all that any environment has."""
        request = self.request._replace(base=base, python=place.python, check="frozen")
        every = request._replace(all_extras=True, all_groups=True)
        singles = [request._replace(extras=(name,)) for name in lock.extras]
        singles += [request._replace(groups=(name,)) for name in lock.groups]
        members = [every._replace(member=name) for name in lock.members]
        seen: set[str] = set()
        for one in (request, every, *singles, *members):
            groups = lock.groups if one.all_groups else (*lock.default_groups, *one.groups)
            _, packages = choose(
                lock,
                system=place.target.system,
                python=place.target.python,
                extras=lock.extras if one.all_extras else one.extras,
                groups=tuple(dict.fromkeys(groups)),
                member=one.member,
            )
            names = {package.wheel.filename for package in packages}
            if not names <= seen:
                seen |= names
                yield one

    def _choice(self, base: Path, lock: Lock, place: Place) -> Choice:
        """Return the environment of all that a lock has for a place."""
        if place.python is not None:
            return Choice.of(self.request._replace(base=base, python=place.python, check="frozen"))
        locked = next(one for one in lock.targets if one.target.key == place.target.key)
        return Choice(
            base=base,
            lock=lock,
            packages=locked.packages,
            python=place.target.python,
            interpreter=None,
            archive=None,
            extras=(),
            groups=(),
            settings=self.request.settings,
            mirrors=self.request.mirrors,
            caches=self.request.caches,
            trusted_keys=self.request.trusted_keys,
        )

    def _kept(self, choice: Choice, place: Place) -> tuple[list[KeptWheel], Sequence[str]]:
        """Put what an environment is made of into the store, and return what keeps it: of each wheel, and the rest."""
        trees: Mapping[str, str] = {}
        others: Sequence[str] = ()
        if place.python is None:
            fetch_all(choice, self.observer, hold=self.hold)
        else:
            parts, others = build_parts(choice, self.observer, hold=self.hold)
            trees = parts.trees
        store = self.store
        about = store.registrations(sorted({*trees.values()})) if trees else {}
        texts: dict[str, Text] = {}
        wheels = [(package, choice.lock.wheels[package.wheel.filename]) for package in choice.packages]
        for package, wheel in wheels:
            index = None if wheel.index is None else find_index(wheel, choice.base)
            if index is None or wheel.index is None:
                continue
            tree = trees.get(package.wheel.filename, "")
            leaves = {*leaves_of(index, store.directory), index_leaf(wheel.index, store.directory)}
            if lacking := sorted(leaves - {*(about[tree].references if tree else ())}):
                name = store_name(f"{package.wheel.filename}.leaves")
                texts[package.wheel.filename] = Text(
                    name=name, content="".join(f"{leaf}\n" for leaf in lacking), keeps=lacking
                )
        written = dict(zip(texts, store.write_texts([*texts.values()]), strict=True))
        self.hold.hold(written.values())
        return [
            replace(
                wanted_of(package, wheel, place),
                tree=trees.get(package.wheel.filename, ""),
                leaves=written.get(package.wheel.filename, ""),
                size=about[trees[package.wheel.filename]].nar_size if package.wheel.filename in trees else 0,
            )
            for package, wheel in wheels
        ], others


def wanted_of(package: LockedPackage, wheel: LockedWheel, place: Place) -> KeptWheel:
    """Return what is kept of a package's wheel for a place, when nothing of it is there yet."""
    return KeptWheel(
        wheel=package.wheel.filename,
        name=package.name,
        version=package.version,
        sha256=wheel.source.sha256 or "",
        index=wheel.index or "",
        place=place.key,
        url=url_of(wheel),
    )


def url_of(wheel: LockedWheel) -> str:
    """Return where a wheel was asked for by its URL or path; "" where an index has it."""
    return (wheel.source.url or wheel.source.path or "") if wheel.source.direct else ""


def index_of(wheel: KeptWheel, wheels: Mapping[str, WheelIndex]) -> WheelIndex | None:
    """Return the index of a wheel that is kept, of those at hand by SHA-256, or as this machine has it."""
    if (found := wheels.get(wheel.index)) is not None or not wheel.index:
        return found
    from nixgen.model import WheelSource

    source = WheelSource(filename=wheel.wheel)
    return find_index(LockedWheel(source=source, name=wheel.name, index=wheel.index), Path())


def _locks(resolved: Iterable[Resolved], place: Place) -> Iterator[Lock]:
    """Yield locks that have together all that entries bring for a place, each wheel once.

    Versions of a package stand side by side, for nothing is merged; wheels of one name that differ go into several.
    """
    layers: list[dict[str, tuple[LockedPackage, LockedWheel]]] = []
    for one in resolved:
        for package in one.packages:
            wheel = one.wheels[package.wheel.filename]
            for layer in layers:
                _, there = layer.setdefault(package.wheel.filename, (package, wheel))
                if (there.index, url_of(there)) == (wheel.index, url_of(wheel)):
                    break
            else:
                layers.append({package.wheel.filename: (package, wheel)})
    for layer in layers:
        packages = sorted((package for package, _ in layer.values()), key=lambda one: (one.name, one.version))
        yield Lock(
            targets=(TargetLock(target=place.target, packages=tuple(packages), archive=place.archive),),
            wheels={name: wheel for name, (_, wheel) in layer.items()},
        )
