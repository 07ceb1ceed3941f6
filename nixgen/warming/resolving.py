"""What an entry of a list would bring: resolved by itself, for each target, by the code that locks."""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from packaging.requirements import InvalidRequirement, Requirement

from nixgen.access import Access
from nixgen.credentials import NamedIndex, has_login
from nixgen.errors import InputError, MachineError, NixgenError, UsageError
from nixgen.inputs import Inputs, ResolverOptions, read
from nixgen.locking.indexes import indexes_of, wheels_of
from nixgen.locking.overlaps import requirements_of
from nixgen.locking.secrets import Secrets
from nixgen.model import LockedPackage, LockedWheel, WheelIndex
from nixgen.observer import SILENT, Observer
from nixgen.plan import plan
from nixgen.targets import Target
from nixgen.temporary import temporary_directory
from nixgen.warming.lists import Entry

_Item = TypeVar("_Item")

#: An option of a requirements file that names an index.
_INDEX = re.compile(r"(?:-[if]|--(?:extra-)?index-url|--find-links)(?:=|\s+)(?P<url>\S+)")

#: What to do about what has no wheel, of which a lock says how it is built.
_TODO = "choose a version that has a wheel, or name a lock that has the package: it is built as that says"


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """What an entry brings for a target.

    Attributes:
        entry: the entry.
        target: the target.
        packages: each once.
        wheels: their wheels, by file name, as a lock has them.
    """

    entry: Entry
    target: Target
    packages: Sequence[LockedPackage]
    wheels: Mapping[str, LockedWheel]


@dataclass(frozen=True, kw_only=True)
class Failure:
    """What could not be had.

    Attributes:
        entry: the entry.
        place: the target, or what else tells where.
        error: why.
    """

    entry: Entry
    place: str
    error: NixgenError


@dataclass(kw_only=True)
class Answer:
    """What uv says of an entry: by the key of each target, what was read, or why not."""

    entry: Entry
    read: dict[str, Inputs] = field(default_factory=dict)
    failed: dict[str, NixgenError] = field(default_factory=dict)


class Resolver:
    """Resolves entries, several at once.

    Args:
        base: the directory that relative paths in what is resolved start from.
        targets: what for, by their keys.
        options: how uv resolves; nothing is built.
        mirrors: from where wheels are read, as a user names them.
        jobs: how many at once.
    """

    def __init__(
        self,
        base: Path,
        targets: Sequence[Target],
        options: ResolverOptions,
        *,
        mirrors: Sequence[str] = (),
        jobs: int = 4,
    ) -> None:
        self._base = base
        self._targets = targets
        self._options = replace(options, no_build=True)
        self._mirrors = mirrors
        self._jobs = jobs

    @contextmanager
    def answers(self, entries: Iterable[Entry]) -> Iterator[Iterator[Answer]]:
        """Give what uv says of some entries, in their order, while it is at those to come."""
        # Filled by the first who asks, and half filled for the second, until Python 3.12; uv's package asks.
        sysconfig.get_config_vars()
        pool = ThreadPoolExecutor(self._jobs, thread_name_prefix="resolve")
        try:
            yield pool.map(self.ask, entries)
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    def ask(self, entry: Entry) -> Answer:
        """Resolve one entry: for all targets at once, else for each by itself."""
        answer = Answer(entry=entry)
        groups: list[Sequence[Target]] = [self._targets]
        while groups:
            targets = groups.pop()
            try:
                found = self._read(entry, targets)
                answer.read |= {target.key: found for target in targets}
            except NixgenError as error:
                if isinstance(error, InputError) and len(targets) > 1:
                    groups += [[target] for target in targets]
                else:
                    answer.failed |= {target.key: error for target in targets}
        return answer

    def _read(self, entry: Entry, targets: Sequence[Target]) -> Inputs:
        _check(entry)
        with temporary_directory() as directory:
            file = directory.resolve() / "requirements.txt"
            file.write_text("".join(f"{line}\n" for line in (*entry.options, entry.text)), encoding="utf-8")
            try:
                return read([file], targets=targets, base=self._base, options=self._options, held_back=False)
            except NixgenError as error:
                error.where = entry.where  # and not that of a file that is gone
                if "--no-build" in (error.todo or ""):
                    error.todo = _TODO
                raise

    def logins(self, answers: Sequence[Answer]) -> set[str]:
        """Return the URLs of indexes and wheels that carry a login, as they were given: for whoever fetches."""
        inputs = [one for answer in answers for one in answer.read.values()]
        urls = [*(url for one in inputs for url in one.urls_with_login)]
        urls += [index.url for one in inputs for index in one.indexes]
        urls += [index.url for answer in answers for index in _indexes_of(answer.entry)]
        return {url for url in urls if has_login(url)}

    def resolve(
        self, answers: Sequence[Answer], observer: Observer = SILENT
    ) -> tuple[list[Resolved], list[Failure], dict[str, WheelIndex]]:
        """Read the indexes of the wheels that some answers name, and see that each entry's fit together.

        Args:
            answers: what uv says.
            observer: is told how far it is.

        Returns:
            what each entry brings for each target, what could not be had, and the indexes by the SHA-256 of the index.
        """
        failures = [
            Failure(entry=answer.entry, place=key, error=error)
            for answer in answers
            for key, error in answer.failed.items()
        ]
        resolved: list[Resolved] = []
        indexes: dict[str, WheelIndex] = {}

        def attempt(some: Sequence[Answer]) -> None:
            found = self._indexes(some, observer)
            for answer in some:
                for key in answer.read:
                    try:
                        one = self._planned(answer, key, found)
                    except NixgenError as error:
                        failures.append(Failure(entry=answer.entry, place=key, error=error))
                        continue
                    resolved.append(one)
                    for filename, wheel in one.wheels.items():
                        indexes[wheel.index or ""] = found[filename]

        def failed(answer: Answer, error: NixgenError) -> None:
            failures.extend(Failure(entry=answer.entry, place=key, error=error) for key in answer.read)

        by_halves([answer for answer in answers if answer.read], attempt, failed)
        return resolved, failures, indexes

    def _indexes(self, answers: Sequence[Answer], observer: Observer) -> dict[str, WheelIndex]:
        selections = [inputs.selections[key] for answer in answers for key, inputs in answer.read.items()]
        access, unseen = self._access(answers)
        found, _ = indexes_of(
            wheels_of(selections),
            None,
            base=self._base,
            verify=False,
            access=access,
            unseen=unseen,
            observer=observer,
        )
        return found

    def _access(self, answers: Sequence[Answer]) -> tuple[Access, frozenset[str]]:
        """Return how servers are reached for some answers, and the URLs that have lost a secret."""
        inputs = [*{id(one): one for answer in answers for one in answer.read.values()}.values()]
        provider = self._options.keyring_provider
        access = Access.of_project(
            self._base,
            urls=[url for one in inputs for url in one.urls_with_login],
            indexes=[
                *(index for one in inputs for index in one.indexes),
                *(index for answer in answers for index in _indexes_of(answer.entry)),
            ],
            keyring=None if provider is None else provider == "subprocess",
            mirrors=self._mirrors,
        )
        secrets = [Secrets.of(one, access.credentials, self._base) for one in inputs if one.urls_with_login]
        return access, frozenset().union(*(one.shortened for one in secrets))

    def _planned(self, answer: Answer, key: str, indexes: Mapping[str, WheelIndex]) -> Resolved:
        """Return what an entry brings for a target, if it fits into an environment.

        Raises:
            InputError: wheels have different files for one path.
        """
        target = next(target for target in self._targets if target.key == key)
        selection = answer.read[key].selections[key]
        wheels = {package.wheel.filename: indexes[package.wheel.filename] for package in selection.packages}

        def requires(names: Sequence[str]) -> Mapping[str, frozenset[str]]:
            return requirements_of(names, wheels.values(), base=self._base, access=self._access([answer])[0])

        lock = plan({key: selection}, [target], wheels, requires=requires)
        return Resolved(entry=answer.entry, target=target, packages=lock.targets[0].packages, wheels=lock.wheels)


def by_halves(
    items: Sequence[_Item], attempt: Callable[[Sequence[_Item]], None], failed: Callable[[_Item, NixgenError], None]
) -> None:
    """Do something for all of some items at once; where it fails, for each half, down to those that it fails for.

    Args:
        items: the items; without any, nothing is done.
        attempt: does it; what it has done when it fails does no harm when it is done again.
        failed: takes an item that it fails for by itself, and why.

    Raises:
        MachineError, UsageError: as ``attempt``: these are no item's fault.
    """
    if not items:
        return
    try:
        attempt(items)
    except (MachineError, UsageError):
        raise
    except NixgenError as error:
        if len(items) == 1:
            failed(items[0], error)
            return
        middle = len(items) // 2
        by_halves(items[:middle], attempt, failed)
        by_halves(items[middle:], attempt, failed)


def _indexes_of(entry: Entry) -> list[NamedIndex]:
    """Return the indexes that the options of an entry name, for their logins."""
    found = (_INDEX.fullmatch(line) for line in entry.options)
    return [NamedIndex(url=match["url"]) for match in found if match]


def _check(entry: Entry) -> None:
    """Do nothing for an entry that can be a requirement.

    Raises:
        InputError: it is none.
    """
    text = entry.text.partition(" --")[0].strip()
    try:
        Requirement(text)
    except InvalidRequirement as error:
        raise InputError(
            f"{text!r} is no requirement: {str(error).splitlines()[0]}",
            where=entry.where,
            todo="give a name, then perhaps versions, as in `flask>=3`",
        ) from error
