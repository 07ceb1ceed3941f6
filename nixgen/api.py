"""What programs may call: lock a project, build an environment of its lock, compare the store with it.

What is named in ``__all__`` stays as it is within a minor version (docs/api.md). All of it raises ``NixgenError``, and
its classes say what kind of thing went wrong; what was there before is there then. An ``Observer`` hears what goes on.
"""

from __future__ import annotations

from pathlib import Path

from nixgen.environments.choice import Choice
from nixgen.environments.request import Request as Environment
from nixgen.errors import InputError, NetworkError, NixError, NixgenError, UsageError, VerificationError
from nixgen.inputs.options import ResolverOptions
from nixgen.locking.project import Locked, lock_project, make_lock
from nixgen.locking.project import Request as Project
from nixgen.locking.targets import Wish as Targets
from nixgen.observer import SILENT, Observer
from nixgen.verification import Report

__all__ = [
    "Environment",
    "InputError",
    "Locked",
    "NetworkError",
    "NixError",
    "NixgenError",
    "Observer",
    "Project",
    "Report",
    "ResolverOptions",
    "Targets",
    "UsageError",
    "VerificationError",
    "build",
    "lock",
    "verify",
]


def lock(project: Project, observer: Observer = SILENT, *, write: bool = True) -> Locked:
    """Lock a project, as ``nixgen lock`` does.

    Args:
        project: the project, and what is asked of its lock.
        observer: is told what goes on.
        write: whether to write nixgen.lock and nix/; without it, ``Locked.changed`` says what would change.

    Raises:
        NixgenError: with what stands in the way; nothing is written then.
    """
    return lock_project(project, observer) if write else make_lock(project, observer)


def build(environment: Environment, observer: Observer = SILENT, *, link: Path | None = None) -> Path:
    """Build an environment, as ``nixgen build`` does, and return its store path, or that of its image.

    Args:
        environment: the project, and which environment of its lock.
        observer: is told what goes on.
        link: a link to make, which keeps it from garbage collection; None makes none.

    Raises:
        NixgenError: with what stands in the way; what the link led to stays.
    """
    from nixgen.environments.build import build as build_request

    return Path(build_request(environment, link, observer))


def verify(
    environment: Environment, observer: Observer = SILENT, *, repair: bool = False, link: Path | None = None
) -> Report:
    """Compare what the store has of an environment with the lock, as ``nixgen verify`` does.

    Args:
        environment: the project, and which environment of its lock.
        observer: is told what goes on.
        repair: whether to restore what is wrong; the report is of the time after that.
        link: a link to the environment, for what to look at where evaluation cannot tell.

    Returns:
        the report; ``findings`` is empty where all is well.

    Raises:
        NixgenError: with what stands in the way of looking.
    """
    from nixgen.verification import repair as restore
    from nixgen.verification import verify as compare

    choice = Choice.of(environment)
    report = compare(choice, observer, link=link)
    return restore(choice, report, observer, link=link) if repair and report.findings else report
