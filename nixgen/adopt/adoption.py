"""Adopt an environment, and undo that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nixgen.errors import InputError, MachineError
from nixgen.leaf import leaf_name
from nixgen.model import Overrides

from .environment import Environment
from .journal import Journal
from .links import Candidate, Links
from .survey import Leaves, Rules, Survey, survey


@dataclass(frozen=True, kw_only=True)
class Sums:
    """How many files, and how many bytes."""

    files: int = 0
    size: int = 0

    @classmethod
    def of(cls, sizes: Iterable[int]) -> Sums:
        """Add up the sizes of some files."""
        listed = list(sizes)
        return cls(files=len(listed), size=sum(listed))


@dataclass(frozen=True, kw_only=True)
class Report:
    """What an adoption did, or would do.

    Attributes:
        linked: files that became links.
        before: how many were links to their leaves already.
        added: leaves that the store lacked, and which were added for them.
        shared: those of ``linked`` that had other hard links, and so free nothing.
        stays: files that stay, by reason; one with two reasons counts for the first.
        broken: paths of links whose leaves are gone.
    """

    linked: Sums
    before: int
    added: Sums
    shared: Sums
    stays: Mapping[str, Sums]
    broken: tuple[str, ...]

    @property
    def files(self) -> int:
        """How many files could be links, by what RECORD says."""
        return self.linked.files + self.before + sum(sums.files for sums in self.stays.values())

    @property
    def saved(self) -> int:
        """How many bytes of content the machine no longer holds; negative where it holds more than before."""
        return self.linked.size - self.shared.size - self.added.size


def adopt(
    environment: Environment,
    store: Leaves,
    overrides: Mapping[str, Overrides],
    *,
    add: bool,
    dry_run: bool = False,
    rules: Rules | None = None,
) -> Report:
    """Make links of an environment's files that are leaves of the store.

    Every state on the way is a whole environment: leaves are kept from garbage collection first, then the journal says
    what each file was, then one file after the other is replaced by rename.

    Args:
        environment: any tool's.
        store: holds leaves.
        overrides: what the user says of placement, by package.
        add: add leaves that the store lacks.
        dry_run: only say what would be done.
        rules: those of placement; this nixgen's unless they have to lie elsewhere.

    Raises:
        InputError: nothing is installed, or another nixgen is at work there.
        MachineError: the environment cannot be written.
        NixError: the store cannot be asked or written.
    """
    _check_outside(environment, store)
    journal = Journal(environment.root, environment.below)
    with environment.locked():
        found = survey(environment, store, overrides, add=add, rules=rules)
        if dry_run:
            return _report(found, found.candidates.values())
        _check_writable(environment, found.candidates)
        entries = {**journal.read(), **{path: candidate.entry() for path, candidate in found.candidates.items()}}
        adding = {one.leaf: one for one in found.candidates.values() if one.leaf in found.missing}
        # The journal also has links whose distribution is gone, or whose leaf is.
        wanted = {*found.linked.values(), *(entry.leaf for entry in entries.values())} - adding.keys()
        there = wanted - store.invalid(wanted)
        if not wanted and not adding:
            journal.remove()
            return _report(found, ())
        journal.make_directory()
        files = [
            (leaf_name(one.path.rpartition("/")[2]), one.sha256, environment.root / one.path) for one in adding.values()
        ]
        try:
            store.keep(there, files, journal.link)
        finally:
            journal.remove_directory()  # where that failed, and nothing was adopted before
        links = Links(journal)
        with _stopping_well(environment):
            journal.write(entries)
            done = [candidate for candidate in found.candidates.values() if links.link(candidate)]
        return _report(found, done)


def undo(environment: Environment, *, dry_run: bool = False) -> Sums:
    """Make files of all links that ``adopt`` made and that are still there; return how many. Needs no Nix.

    Args:
        environment: one that was adopted.
        dry_run: only say what would be done.

    Raises:
        InputError: nothing was adopted, another nixgen is at work there, or leaves are gone from the store: what could
            be restored is, and the journal keeps the rest.
    """
    journal = Journal(environment.root, environment.below)
    with environment.locked():
        if not journal.exists():
            raise InputError(
                "nothing was adopted here", where=str(environment.root), todo="adopt it first: `nixgen adopt DIR`"
            )
        entries = journal.read()
        if dry_run:
            return Sums.of(_size(entry.leaf) for entry in entries.values())
        _check_writable(environment, entries)
        journal.make_directory()
        links = Links(journal)
        with _stopping_well(environment):
            problems = {path: problem for path, entry in entries.items() if (problem := links.restore(path, entry))}
        statuses = [environment.below.status(path) for path in entries if path not in problems]
        restored = Sums.of(status.st_size for status in statuses if status is not None)
        if problems:
            journal.write({path: entries[path] for path in problems})
            path, problem = next(iter(problems.items()))
            raise InputError(
                f"{len(problems)} of {len(entries)} files cannot be restored: {problem}",
                where=str(environment.root / path),
                todo="install their packages again, with --force-reinstall or --reinstall",
            )
        journal.remove()
        return restored


def _size(leaf: str) -> int:
    try:
        return Path(leaf).stat().st_size
    except OSError:
        return 0


def _check_outside(environment: Environment, store: Leaves) -> None:
    if environment.root.is_relative_to(store.directory):
        raise InputError(
            "this environment lies in the store, and is made of links already",
            where=str(environment.root),
            todo="name one that venv, uv or virtualenv made",
        )


def _check_writable(environment: Environment, paths: Iterable[str]) -> None:
    """Look into every directory first: an adoption that stops in the middle is whole, and yet nothing to be left."""
    for directory in sorted({path.rpartition("/")[0] for path in paths}):
        if not environment.below.is_writable(directory):
            raise MachineError(
                "cannot write to a directory of the environment",
                where=str(environment.root / directory),
                todo="run this as the owner of the environment",
            )


@contextmanager
def _stopping_well(environment: Environment) -> Iterator[None]:
    """Say that nothing is lost where the disk is full, writing fails otherwise, or somebody interrupts."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt("the environment works as it is; run this again, or undo it") from None
    except OSError as error:
        raise MachineError(
            f"stopped, since a file cannot be written: {error.strerror or error}; the environment works as it is",
            where=str(environment.root),
            todo="see to that, then run this again, or undo it",
        ) from error


def _report(found: Survey, done: Iterable[Candidate]) -> Report:
    linked = list(done)
    added = {one.leaf: one.status.st_size for one in linked if one.leaf in found.missing}
    by_reason: dict[str, list[int]] = {}
    for reasons, size in found.stays.values():
        by_reason.setdefault(reasons[0], []).append(size)
    return Report(
        linked=Sums.of(one.status.st_size for one in linked),
        before=len(found.linked),
        added=Sums.of(added.values()),
        shared=Sums.of(one.status.st_size for one in linked if one.status.st_nlink > 1),
        stays={reason: Sums.of(sizes) for reason, sizes in sorted(by_reason.items())},
        broken=tuple(sorted(found.broken)),
    )
