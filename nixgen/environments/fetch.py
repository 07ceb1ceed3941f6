"""The leaves of an environment, put into the store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.environments.choice import Choice
from nixgen.indexes import indexes_of_lock
from nixgen.ingest import IngestReport, ingest
from nixgen.model import LockedPackage, WheelIndex
from nixgen.observer import SILENT, Observer
from nixgen.store import Store
from nixgen.ties import is_tied

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.store.daemon import Daemon


def indexes_of(
    choice: Choice, packages: Iterable[LockedPackage], observer: Observer = SILENT
) -> Mapping[str, WheelIndex]:
    """Return the indexes of some packages' wheels, by file name, read again where this machine has them no more.

    Raises:
        NixgenError: as ``nixgen.indexes.indexes_of_lock``.
    """
    wheels = [choice.lock.wheels[package.wheel.filename] for package in packages]
    with observer.counting("reading wheels") as progress:
        return indexes_of_lock(
            wheels, base=choice.base, access=lambda: access_of(choice.base, choice.mirrors), progress=progress
        )


def untied_wheels(choice: Choice) -> set[str]:
    """Return the file names of an environment's wheels whose index is not known to be theirs."""
    wheels = (choice.lock.wheels[package.wheel.filename] for package in choice.packages)
    return {wheel.source.filename for wheel in wheels if not is_tied(wheel)}


def fetch(choice: Choice, observer: Observer = SILENT, *, hold: Daemon | None = None) -> IngestReport:
    """Put the leaves of an environment into the store, as far as it lacks them, and tie its indexes to their wheels.

    Args:
        choice: the environment.
        observer: is told what goes on.
        hold: as for ``nixgen.ingest.ingest``.

    Raises:
        NixgenError: as ``indexes_of`` and ``nixgen.ingest.ingest``.
    """
    indexes = indexes_of(choice, choice.packages, observer)
    untied = untied_wheels(choice)
    with observer.counting("fetching") as progress:
        report = ingest(
            indexes.values(),
            Store(choice.settings),
            base=choice.base,
            untied=untied,
            hold=hold,
            access=lambda: access_of(choice.base, choice.mirrors),
            progress=progress,
        )
    observer.fetched(report)
    return report


def access_of(base: Path, mirrors: Sequence[str] = ()) -> Access:
    """Return how servers are reached, as the environment, netrc, uv's settings and the project's files say.

    Args:
        base: the project's directory.
        mirrors: those that the command line names.
    """
    from nixgen.access import Access

    return Access.of_project(base, mirrors=mirrors)
