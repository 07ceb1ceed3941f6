"""The leaves of an environment, put into the store."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.environments.choice import Choice
from nixgen.ingest import IngestReport, ingest
from nixgen.observer import SILENT, Observer
from nixgen.store import Store

if TYPE_CHECKING:
    import httpx


def fetch(choice: Choice, observer: Observer = SILENT) -> IngestReport:
    """Put the leaves of an environment into the store, as far as it lacks them.

    Raises:
        NixgenError: as ``nixgen.ingest.ingest``.
    """
    wheels = [choice.lock.wheels[package.wheel.filename] for package in choice.packages]
    with observer.counting("fetching") as progress:
        report = ingest(
            wheels, Store(choice.settings), base=choice.base, auth=lambda: _auth(choice.base), progress=progress
        )
    observer.fetched(report)
    return report


def _auth(base: Path) -> httpx.Auth | None:
    """Return the logins that the environment, netrc and the indexes of the project's pyproject.toml give."""
    from nixgen.credentials import Credentials, NamedIndex
    from nixgen.errors import InputError
    from nixgen.inputs.project import Project

    try:
        indexes = Project.read(base / "pyproject.toml").indexes
    except (InputError, OSError):
        indexes = ()  # what is locked does not depend on it
    return Credentials.from_environment(indexes=map(NamedIndex.parse, indexes)).auth()
