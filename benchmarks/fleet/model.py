"""Environments as they come, one after another, and what a store, a cache and copies have of them by then.

A root is what somebody asks for. The first roots are the catalogue's packages, those first that most others bring;
behind them come others of our own making, each shaped as one of the catalogue's smaller half: its own wheel has the
same sizes and changes at the same dates, but shares nothing, and it brings what that one brings.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, islice

from benchmarks.fleet.catalogue import STEP, Catalogue

#: How many environments are drawn at once.
_BATCH = 10_000

#: The largest number of roots that an environment has.
_MOST = 40

#: An item is a wheel of the catalogue by its number, or one of a made root: minus one, minus the root's rank times
#: this, minus the number of the date that it appeared at.
_DATES = 64


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What is assumed.

    Attributes:
        roots: how many names people ask for.
        exponent: of Zipf's law: the name of rank r is asked for in proportion to r to the power of minus this.
        direct: names that an environment asks for on average: one, and geometrically distributed others.
        older: for each date back, how many locks have the versions of that date, beside those of the date after it.
        seed: of the random numbers.
    """

    roots: int = 100_000
    exponent: float = 1.1
    direct: float = 4.0
    older: float = 0.5
    seed: int = 1


@dataclass(frozen=True, kw_only=True)
class Part:
    """What one item adds to a store that has none of its contents.

    Attributes:
        wheel: bytes of the wheel.
        installed: bytes of its files.
        files: how many they are.
    """

    wheel: int
    installed: int
    files: int


@dataclass(kw_only=True)
class Held:
    """What there is after some environments.

    Attributes:
        environments: how many there were.
        wheels: distinct ones: what the store has a tree for, and uv's cache a directory.
        fetched: bytes of those wheels.
        unpacked: bytes of their files, each wheel's by itself: what uv's cache has.
        entries: how many files that are.
        leaves, bytes: distinct contents, and their bytes.
        brought: wheels of all environments, each counted wherever it is.
        copied, copies: bytes of copies, of all environments, and how many files.
    """

    environments: int = 0
    wheels: int = 0
    fetched: int = 0
    unpacked: int = 0
    entries: int = 0
    leaves: int = 0
    bytes: int = 0
    brought: int = 0
    copied: int = 0
    copies: int = 0


class Model:
    """A stream of environments, the same for the same assumptions.

    Args:
        catalogue: what there is to install.
        assumptions: how it is asked for.
    """

    def __init__(self, catalogue: Catalogue, assumptions: Assumptions) -> None:
        self.catalogue = catalogue
        self.assumptions = assumptions
        self.order = _by_demand(catalogue)
        smaller = sorted(self.order, key=lambda root: catalogue.wheels[catalogue.roots[root][-1][0]].installed)
        self._shapes = smaller[: (len(smaller) + 1) // 2]
        self.weights = [(rank + 1) ** -assumptions.exponent for rank in range(assumptions.roots)]
        self._roots = list(accumulate(self.weights))
        more = 1 - 1 / assumptions.direct
        self._counts = list(accumulate(more**number for number in range(_MOST if more else 1)))
        self._ages = list(accumulate(assumptions.older**age for age in range(catalogue.dates)))
        self._closures: dict[tuple[int, int], tuple[int, ...]] = {}
        self._parts: dict[int, Part] = {}
        self._made: dict[tuple[int, int, int], tuple[int, int]] = {}

    def environments(self, *, now: int | None = None, chance: random.Random | None = None) -> Iterator[frozenset[int]]:
        """Yield the items of each environment, without end.

        Args:
            now: the number of the newest date; the last by default. Locks older than all dates have the first.
            chance: what to draw from; by default always the same from the beginning.
        """
        chance = chance or random.Random(self.assumptions.seed)
        last = self.catalogue.dates - 1 if now is None else now
        while True:
            counts = chance.choices(range(1, len(self._counts) + 1), cum_weights=self._counts, k=_BATCH)
            ages = chance.choices(range(len(self._ages)), cum_weights=self._ages, k=_BATCH)
            roots = iter(chance.choices(range(len(self._roots)), cum_weights=self._roots, k=sum(counts)))
            for count, age in zip(counts, ages, strict=True):
                yield self.items(islice(roots, count), max(0, last - age))

    def items(self, roots: Iterator[int] | Sequence[int], date: int) -> frozenset[int]:
        """Return what some roots bring together; of two wheels of one package the one that came first."""
        closures = [self.closure(root, date) for root in roots]
        if len(closures) == 1:
            return frozenset(closures[0])
        chosen: dict[int, int] = {}
        wheels = self.catalogue.wheels
        for closure in closures:
            for item in closure:
                chosen.setdefault(wheels[item].package if item >= 0 else item, item)
        return frozenset(chosen.values())

    def closure(self, rank: int, date: int) -> tuple[int, ...]:
        """Return what a root brings at a date, itself first."""
        found = self._closures.get((rank, date))
        if found is None:
            found = tuple(self.catalogue.roots[self._shape(rank)][date])
            if rank >= len(self.order):
                found = (self._own(rank, date), *found[1:])
            self._closures[rank, date] = found
        return found

    def part(self, item: int) -> Part:
        """Return what an item is by itself."""
        found = self._parts.get(item)
        if found is None:
            wheel = self.catalogue.wheels[item if item >= 0 else self._like(item)]
            found = self._parts[item] = Part(wheel=wheel.size, installed=wheel.installed, files=wheel.files)
        return found

    def added(self, item: int, held: set[int], editions: dict[int, int]) -> tuple[int, int]:
        """Return how many contents an item adds to a store, and their bytes, and note that it has them then.

        Args:
            item: which.
            held: the contents of the catalogue that the store has.
            editions: the dates, as bits, from which it has wheels of made roots, by their ranks.
        """
        sizes = self.catalogue.sizes
        if item >= 0:
            new = [number for number in self.catalogue.wheels[item].contents if number not in held]
            held.update(new)
            return len(new), sum(sizes[number] for number in new)
        rank, date = divmod(-1 - item, _DATES)
        before = editions.get(rank, 0)
        editions[rank] = before | 1 << date
        shape = self._shape(rank)
        key = (shape, before, date)
        if key not in self._made:
            steps, wheels = self.catalogue.roots[shape], self.catalogue.wheels
            known = {number for at in range(_DATES) if before >> at & 1 for number in wheels[steps[at][0]].contents}
            new = [number for number in wheels[steps[date][0]].contents if number not in known]
            self._made[key] = len(new), sum(sizes[number] for number in new)
        return self._made[key]

    def _shape(self, rank: int) -> int:
        if rank < len(self.order):
            return self.order[rank]
        return self._shapes[(rank - len(self.order)) % len(self._shapes)]

    def _own(self, rank: int, date: int) -> int:
        """Return the item of a made root's own wheel, named by the first date that has it."""
        steps = self.catalogue.roots[self._shape(rank)]
        first = next(number for number, step in enumerate(steps) if step[0] == steps[date][0])
        return -1 - rank * _DATES - first

    def _like(self, item: int) -> int:
        rank, date = divmod(-1 - item, _DATES)
        return self.catalogue.roots[self._shape(rank)][date][0]


@dataclass(kw_only=True)
class Store:
    """What a store has, that nothing is ever collected from.

    Attributes:
        model: whose items it takes.
        held: sums of what it has.
    """

    model: Model
    held: Held = field(default_factory=Held)
    _items: set[int] = field(default_factory=set)
    _contents: set[int] = field(default_factory=set)
    _editions: dict[int, int] = field(default_factory=dict)

    def add(self, environment: frozenset[int]) -> int:
        """Take an environment; return how many bytes of wheels had to be fetched."""
        held, before, part = self.held, self.held.fetched, self.model.part
        held.environments += 1
        held.brought += len(environment)
        for item in environment - self._items:
            self._add_item(item)
        parts = [part(item) for item in environment]
        held.copied += sum([one.installed for one in parts])
        held.copies += sum([one.files for one in parts])
        return held.fetched - before

    def _add_item(self, item: int) -> None:
        held, part = self.held, self.model.part(item)
        leaves, size = self.model.added(item, self._contents, self._editions)
        self._items.add(item)
        held.wheels += 1
        held.fetched += part.wheel
        held.unpacked += part.installed
        held.entries += part.files
        held.leaves += leaves
        held.bytes += size


def grow(model: Model, counts: Sequence[int]) -> Iterator[Held]:
    """Yield what a store has after each of some numbers of environments, which rise."""
    store, stream = Store(model=model), model.environments()
    for count in counts:
        for environment in islice(stream, count - store.held.environments):
            store.add(environment)
        yield Held(**vars(store.held))


@dataclass(frozen=True, kw_only=True)
class Hits:
    """What a warm store has of environments that are asked for.

    Attributes:
        names: how many names were warmed.
        bytes, leaves: distinct contents that it holds for that.
        whole: how many environments need nothing else, of one.
        wheels: how many of their wheels it has, of one.
        fetched: of all bytes of their wheels, how many it has, of one.
    """

    names: int
    bytes: int
    leaves: int
    whole: float
    wheels: float
    fetched: float


def warm(model: Model, names: Sequence[int], *, dates: int = 1, sample: int = 20_000) -> Iterator[Hits]:
    """Yield what a store holds of environments that has the most popular names, with what they bring.

    Args:
        model: the model.
        names: how many names, rising.
        dates: at how many of the newest dates.
        sample: how many environments are asked for.
    """
    asked = list(islice(model.environments(chance=random.Random(f"warm {model.assumptions.seed}")), sample))
    store, last, done = Store(model=model), model.catalogue.dates - 1, 0
    items: set[int] = set()
    for count in names:
        for rank in range(done, count):
            for age in range(dates):
                closure = frozenset(model.closure(rank, max(0, last - age)))
                store.add(closure)
                items |= closure
        done = count
        every = [item for environment in asked for item in environment]
        sizes = [model.part(item).wheel for item in every]
        there = sum(size for item, size in zip(every, sizes, strict=True) if item in items)
        yield Hits(
            names=count,
            bytes=store.held.bytes,
            leaves=store.held.leaves,
            whole=sum(environment <= items for environment in asked) / len(asked),
            wheels=sum(item in items for item in every) / len(every),
            fetched=there / sum(sizes),
        )


@dataclass(frozen=True, kw_only=True)
class Day:
    """A day of a host, in the last of several quarters of builds.

    Attributes:
        builds: how many a day.
        fetched: bytes of wheels that it fetches, where nothing was ever collected.
        collected: the same, where what no build needed for a while was collected.
        wheels: how many wheels it then has in the end.
        needed: bytes of wheels that the builds need: what is fetched where nothing is kept.
    """

    builds: int
    fetched: float
    collected: float
    wheels: int
    needed: float


def day(model: Model, builds: int, *, keep: int = 30) -> Day:
    """Return what a host fetches a day that builds so many environments a day, over all dates.

    New versions come with each date; days are as long as ``STEP`` says. The figures are those of the last date.

    Args:
        model: the model.
        builds: how many a day.
        keep: for how many days what nobody needs is kept.
    """
    chance = random.Random(f"day {builds} {model.assumptions.seed}")
    seen: dict[int, int] = {}
    fetched = collected = needed = today = 0
    for date in range(model.catalogue.dates):
        fetched = collected = needed = 0
        stream = model.environments(now=date, chance=chance)
        for number in range(STEP):
            today = date * STEP + number
            for environment in islice(stream, builds):
                for item in environment:
                    last = seen.get(item)
                    size = model.part(item).wheel
                    needed += size
                    if last is None:
                        fetched += size
                    if last is None or today - last > keep:
                        collected += size
                    seen[item] = today
    return Day(
        builds=builds,
        fetched=fetched / STEP,
        collected=collected / STEP,
        wheels=sum(today - last <= keep for last in seen.values()),
        needed=needed / STEP,
    )


def _by_demand(catalogue: Catalogue) -> list[int]:
    """Return the catalogue's roots, those first that most others bring on the last date, in their order where equal."""
    packages = [catalogue.wheels[steps[-1][0]].package for steps in catalogue.roots]
    asked: dict[int, int] = {}
    for steps in catalogue.roots:
        for wheel in steps[-1]:
            package = catalogue.wheels[wheel].package
            asked[package] = asked.get(package, 0) + 1
    return sorted(range(len(packages)), key=lambda root: (-asked[packages[root]], root))
