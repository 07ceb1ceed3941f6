"""Warming a store: lists in, leaves and trees there, kept by one root; what fell out of the lists is kept no more."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.emit.files import contents
from nixgen.environments.request import Request as Environment
from nixgen.errors import InputError, NetworkError, NixgenError
from nixgen.ingest.lacking import lacking
from nixgen.inputs.options import ResolverOptions
from nixgen.library import library_directory
from nixgen.locking.targets import Wish
from nixgen.model import WheelIndex
from nixgen.observer import SILENT, Observer
from nixgen.store import Store
from nixgen.temporary import temporary_directory
from nixgen.ties import share_ties
from nixgen.warming.filling import Filling, index_of, url_of, wanted_of
from nixgen.warming.ledger import Ledger, estimate, totals
from nixgen.warming.lists import Entry
from nixgen.warming.places import Place, choose_places, leaves_alone
from nixgen.warming.progress import Telling
from nixgen.warming.record import KeptEntry, KeptWheel, Record, partial_of
from nixgen.warming.report import Report
from nixgen.warming.resolving import Answer, Failure, Resolved, Resolver, by_halves

if TYPE_CHECKING:
    from nixgen.store.daemon import Daemon

#: How many entries are got at once: after each such batch, what is there is kept, and an interrupted run goes on there.
_BATCH = 16

#: What a user is told who interrupts.
_INTERRUPTED = "what is done is kept, and the next run goes on there; the root is the previous one"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What to warm, as a user describes it.

    Attributes:
        entries: what is to be there, the most wanted first.
        link: the root.
        targets: what for.
        budget: how many bytes may be kept, None for any number.
        resolver: how uv resolves.
        environment: how Nix and servers are reached; of a project it says nothing.
        jobs: how many entries are resolved at once.
    """

    entries: Sequence[Entry]
    link: Path
    targets: Wish = field(default_factory=Wish)
    budget: int | None = None
    resolver: ResolverOptions = field(default_factory=ResolverOptions)
    environment: Environment = field(default_factory=lambda: Environment(base=Path()))
    jobs: int = 4


def warm(request: Request, observer: Observer = SILENT, *, dry_run: bool = False) -> Report:
    """Put what is asked for into the store, and have the root keep it, and nothing else.

    The root changes once, at the end. Until then, what is there so far is kept by a second one beside it, with which a
    run that was interrupted goes on.

    Args:
        request: what.
        observer: is told what goes on.
        dry_run: change nothing; say what would be.

    Raises:
        InputError: the link is no root of this; or a target cannot be.
        NetworkError: no index answers: then the root stays as it was.
        NixError, MachineError: the store cannot be written.
    """
    places = choose_places(request.targets)
    for line in leaves_alone(places):
        observer.note(line)
    _check_link(request.link)
    made_by = _made_by()
    previous = Record.read(request.link)
    partial = Record.read_partial(partial_of(request.link))
    if partial.made_by != made_by:
        partial = Record()
    with temporary_directory() as bench:
        run = _Run(request=request, places=places, made_by=made_by, previous=previous, bench=bench.resolve())
        if dry_run:
            return run.look(observer)
        with Store(request.environment.settings).connect() as hold:
            try:
                return run.fill(partial, observer, hold)
            except KeyboardInterrupt as interrupt:
                raise KeyboardInterrupt(_INTERRUPTED) from interrupt


@dataclass(kw_only=True)
class _Run:
    """A run.

    Attributes:
        request, places: what is asked for.
        made_by: which Nix library makes trees.
        previous: what the root keeps.
        bench: a directory to work in.
        kept: what is there so far.
        reusable: wheels of lists that are there, by their identities.
        ledger: what that comes to.
        indexes: those that were at hand, by their SHA-256.
        failures, left_out: as in the report.
        logins: URLs with a login.
    """

    request: Request
    places: Sequence[Place]
    made_by: str
    previous: Record
    bench: Path
    kept: dict[tuple[str, str], KeptEntry] = field(default_factory=dict)
    reusable: dict[tuple[str, str, str, str], KeptWheel] = field(default_factory=dict)
    ledger: Ledger = field(default_factory=Ledger)
    indexes: dict[str, WheelIndex] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    left_out: list[Entry] = field(default_factory=list)
    logins: set[str] = field(default_factory=set, repr=False)

    def fill(self, partial: Record, observer: Observer, hold: Daemon) -> Report:
        """Do it, and return what became of it."""
        store = Store(self.request.environment.settings)
        link = self.request.link
        self._reuse(partial, store)
        text = ""
        if partial.entries:
            text = str(partial_of(link).resolve())
        if partial.entries and partial.asked == self.asked:
            observer.note(f"going on with a run that was interrupted: {len(partial.entries)} of its entries are there")
        telling = Telling(observer, len(self.request.entries))
        filling = Filling(bench=self.bench, request=self.request.environment, hold=hold, observer=telling)
        open_entries = self._resume(partial if partial.asked == self.asked else Record())
        telling.done = len(self.request.entries) - len(open_entries)
        with telling.shown("warming"), self._resolver().answers(_requirements(open_entries)) as answers:
            for number, batch in enumerate(_batches(open_entries)):
                before = {*self.kept}
                got = [*itertools.islice(answers, sum(entry.lock is None for entry in batch))]
                if number == 0:
                    _check_network(got, batch)
                by_entry = {answer.entry: answer for answer in got}
                for is_lock, group in itertools.groupby(batch, key=lambda entry: entry.lock is not None):
                    if is_lock:
                        self._fill_locks([*group], filling)
                    else:
                        self._fill_requirements([by_entry[entry] for entry in group], filling, telling)
                telling.done += len(batch)
                new = [entry for key, entry in self.kept.items() if key not in before]
                if new:
                    text = Record.of_entries(new, self.made_by, self.asked).write(store, partial_of(link), hold, text)
        carried = self._carry()
        record = Record.of_entries(self.kept.values(), self.made_by, self.asked)
        share_ties(wheel.sha256 for wheel in record.wheels() if wheel.sha256)
        root = record.write(store, link, hold)
        partial_of(link).unlink(missing_ok=True)
        return self._report(record, root=root, carried=carried, downloaded=telling.downloaded)

    def look(self, observer: Observer) -> Report:
        """Resolve, and return what would become of it."""
        store = Store(self.request.environment.settings)
        self._reuse(Record(), store)
        telling = Telling(observer, len(self.request.entries))
        wanted: dict[str, WheelIndex] = {}
        with telling.shown("resolving"), self._resolver().answers(_requirements(self.request.entries)) as answers:
            for number, batch in enumerate(_batches(self.request.entries)):
                got = [*itertools.islice(answers, sum(entry.lock is None for entry in batch))]
                if number == 0:
                    _check_network(got, batch)
                for one in self._affordable(self._resolved(got, telling)):
                    for place in self._places_of(one):
                        self._keep(one, place)
                    wanted |= {wheel.index: self.indexes[wheel.index] for wheel in one.wheels.values() if wheel.index}
                telling.done += len(batch)
        for entry in self.request.entries:
            if entry.lock is not None:
                observer.note(f"{entry.text} is not looked into by a dry run; --measure does")
        carried = self._carry()
        record = Record.of_entries(self.kept.values(), self.made_by, self.asked)
        report = self._report(record, root="", carried=carried, downloaded=0)
        return replace(report, lacking=lacking(wanted.values(), store))

    @property
    def asked(self) -> str:
        """A hash of how entries are resolved."""
        said = json.dumps(
            [asdict(self.request.resolver), *(str(place.target) for place in self.places)], sort_keys=True
        )
        return hashlib.sha256(said.encode()).hexdigest()[:16]

    def _resolver(self) -> Resolver:
        targets = [*{place.target.key: place.target for place in self.places}.values()]
        return Resolver(
            self.bench,
            targets,
            self.request.resolver,
            mirrors=self.request.environment.mirrors,
            jobs=self.request.jobs,
        )

    def _reuse(self, partial: Record, store: Store) -> None:
        """Take over what is there already, as far as it really is."""
        known = [record for record in (self.previous, partial) if record.made_by == self.made_by]
        wheels: dict[tuple[str, str, str, str], KeptWheel] = {}
        for record in known:
            wheels |= record.reusable()
        lost = store.invalid({path for wheel in wheels.values() for path in wheel.paths()}) if wheels else set()
        self.reusable = {key: wheel for key, wheel in wheels.items() if not lost.intersection(wheel.paths())}

    def _resume(self, partial: Record) -> list[Entry]:
        """Take over the entries that an interrupted run has done, and return those that are left."""
        left = []
        for entry in self.request.entries:
            found = [one for one in partial.entries.values() if one.entry == entry.key]
            places = {one.place for one in found}
            whole = entry.lock is not None or places == {place.key for place in self.places}
            if not found or not whole:
                left.append(entry)
                continue
            for one in found:
                self.kept[one.entry, one.place] = one
                self.ledger.add_paths(one.npm)
                for wheel in one.wheels:
                    self.ledger.add(wheel.identity, index_of(wheel, self.indexes), wheel.size)
        return left

    def _resolved(self, answers: Sequence[Answer], observer: Observer) -> list[Resolved]:
        self._remember_logins(answers)
        resolved, failures, indexes = self._resolver().resolve(answers, observer)
        self.failures += failures
        self.indexes |= indexes
        order = {answer.entry: number for number, answer in enumerate(answers)}
        return sorted(resolved, key=lambda one: order[one.entry])

    def _remember_logins(self, answers: Sequence[Answer]) -> None:
        """Write the indexes with a login into uv's settings of the bench: whoever fetches for it looks there."""
        self.logins |= self._resolver().logins(answers)
        lines = ["[[index]]\n" + f"url = {json.dumps(url)}\n" for url in sorted(self.logins)]
        if self.request.resolver.keyring_provider:
            lines.insert(0, f"keyring-provider = {json.dumps(self.request.resolver.keyring_provider)}\n")
        if lines:
            (self.bench / "uv.toml").write_text("".join(lines), encoding="utf-8")

    def _affordable(self, resolved: Iterable[Resolved]) -> list[Resolved]:
        """Return what the budget has room for, of each entry all or nothing; what comes first goes first."""
        found = []
        for entry, group in itertools.groupby(resolved, key=lambda one: one.entry):
            targets = [*group]
            wheels = [
                (self._identity(one, filename, place), self.indexes[wheel.index or ""], place.python is not None)
                for one in targets
                for place in self._places_of(one)
                for filename, wheel in one.wheels.items()
            ]
            cost = self.ledger.cost(wheels)
            if self.request.budget is not None and self.ledger.bytes + cost > self.request.budget:
                self.left_out.append(entry)
                continue
            for of, index, built in wheels:
                there = self.reusable.get(of)
                known = self.ledger.trees.get(of)
                self.ledger.add(of, index, there.size if there else known or (estimate(index) if built else 0))
            found += targets
        return found

    def _fill_requirements(self, answers: Sequence[Answer], filling: Filling, observer: Observer) -> None:
        resolved = self._affordable(self._resolved(answers, observer))
        for place in self.places:

            def attempt(some: Sequence[Resolved], place: Place = place) -> None:
                new = filling.fill([self._new(one, place) for one in some], place)
                self.reusable |= new
                for wheel in new.values():
                    self.ledger.add(wheel.identity, self.indexes.get(wheel.index), wheel.size)
                for one in some:
                    self._keep(one, place)

            def failed(one: Resolved, error: NixgenError, place: Place = place) -> None:
                self.failures.append(Failure(entry=one.entry, place=place.key, error=error))

            by_halves([one for one in resolved if one.target.key == place.target.key], attempt, failed)

    def _fill_locks(self, entries: Sequence[Entry], filling: Filling) -> None:
        for entry in entries:
            try:
                indexes = filling.indexes_of_lock(entry)
                cost = self.ledger.cost((index.source.filename, index, True) for index in indexes)
                cost += filling.estimate_npm(entry)
                if self.request.budget is not None and self.ledger.bytes + cost > self.request.budget:
                    self.left_out.append(entry)
                    continue
                for kept in filling.fill_lock(entry, self.places):
                    self.kept[kept.entry, kept.place] = kept
                    for wheel in kept.wheels:
                        self.ledger.add((wheel.identity, wheel.tree), index_of(wheel, self.indexes), wheel.size)
                    self.ledger.add_paths(kept.npm)
            except NixgenError as error:
                self.failures.append(Failure(entry=entry, place="", error=error))

    def _new(self, one: Resolved, place: Place) -> Resolved:
        """Return what of an entry is not there for a place."""
        packages = [
            package
            for package in one.packages
            if self._identity(one, package.wheel.filename, place) not in self.reusable
        ]
        return replace(one, packages=packages)

    def _keep(self, one: Resolved, place: Place) -> None:
        """Keep an entry for a place; of a dry run, wheels that are not there, too."""
        wheels = []
        for package in one.packages:
            wheel = one.wheels[package.wheel.filename]
            identity = self._identity(one, package.wheel.filename, place)
            wheels.append(self.reusable.get(identity) or wanted_of(package, wheel, place))
        self.kept[one.entry.key, place.key] = KeptEntry(entry=one.entry.key, place=place.key, wheels=tuple(wheels))

    def _identity(self, one: Resolved, filename: str, place: Place) -> tuple[str, str, str, str]:
        wheel = one.wheels[filename]
        return (filename, wheel.index or "", url_of(wheel), place.key)

    def _places_of(self, one: Resolved) -> list[Place]:
        return [place for place in self.places if place.target.key == one.target.key]

    def _carry(self) -> list[str]:
        """Keep what there was before of entries that failed, and return their keys."""
        carried: dict[str, None] = {}
        for failure in self.failures:
            for key, entry in self.previous.entries.items():
                if entry.entry == failure.entry.key and entry.place.startswith(failure.place) and key not in self.kept:
                    self.kept[key] = entry
                    carried[entry.entry] = None
        return [*carried]

    def _report(self, record: Record, *, root: str, carried: Sequence[str], downloaded: int) -> Report:
        wheels, before = record.wheels(), self.previous.wheels()
        identities, earlier = {wheel.identity for wheel in wheels}, {wheel.identity for wheel in before}
        failed = {failure.entry for failure in self.failures}
        return Report(
            root=root,
            entries=len(self.request.entries),
            kept=len([entry for entry in self.request.entries if entry not in failed and entry not in self.left_out]),
            failures=self.failures,
            carried=carried,
            left_out=self.left_out,
            totals=totals(wheels, [index_of(wheel, self.indexes) for wheel in wheels]),
            added=[wheel for wheel in wheels if wheel.identity not in earlier],
            dropped=[wheel for wheel in before if wheel.identity not in identities],
            downloaded=downloaded,
            npm=record.npm(),
        )


def _requirements(entries: Iterable[Entry]) -> Iterator[Entry]:
    return (entry for entry in entries if entry.lock is None)


def _batches(entries: Sequence[Entry]) -> Iterator[Sequence[Entry]]:
    return (entries[start : start + _BATCH] for start in range(0, len(entries), _BATCH))


def _check_network(answers: Sequence[Answer], batch: Sequence[Entry]) -> None:
    """Do nothing where an index answers.

    Raises:
        NetworkError: of all entries of the first batch, none could be resolved for want of an answer.
    """
    errors = [error for answer in answers for error in answer.failed.values()]
    alone = len(answers) == len(batch) and not any(answer.read for answer in answers)
    if errors and alone and all(isinstance(error, NetworkError) for error in errors):
        raise errors[0]


def _check_link(link: Path) -> None:
    if link.exists() and not link.is_symlink():
        raise InputError("this is no link", where=str(link), todo="name another root (-o PATH), or move this away")


def _made_by() -> str:
    """Return a hash of the Nix library, which decides what trees are."""
    digest = hashlib.sha256()
    for name, content in sorted(contents(library_directory()).items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:32]
