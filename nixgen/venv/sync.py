"""A project and its virtual environment, brought to what its files ask for: lock, build, virtual environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nixgen.environments.freshness import check_inputs, inputs_of
from nixgen.environments.last_build import LastBuild
from nixgen.environments.request import Request
from nixgen.fingerprint import changed
from nixgen.lock import LOCK_NAME
from nixgen.locking.again import lock_again
from nixgen.locking.project import Locked
from nixgen.locking.project import Request as LockRequest
from nixgen.observer import SILENT, Observer
from nixgen.venv.editable import install
from nixgen.venv.form import Form
from nixgen.venv.program import check_ours, environment_below
from nixgen.venv.standing import stand


@dataclass(frozen=True, kw_only=True)
class Synced:
    """What a synchronisation did, or would do.

    Attributes:
        code: exit code of the program that makes virtual environments.
        before: the environment that the virtual environment stood on; None where it stood on none.
        environment: the one that it stands on now; None where nothing was built.
        locked: whether a lock was made.
    """

    code: int
    before: Path | None
    environment: Path | None
    locked: bool

    @property
    def is_same(self) -> bool:
        """Whether nothing had to be done."""
        return not self.locked and self.before is not None and self.before == self.environment


def sync(
    directory: Path,
    request: Request,
    wanted: LockRequest,
    *,
    form: Form | None,
    locked: Callable[[Locked], None],
    observer: Observer = SILENT,
) -> Synced:
    """Lock a project where its inputs ask for it, build its environment, and put its virtual environment on that.

    Args:
        directory: the virtual environment.
        request: the environment; its ``check`` says whether the lock may be made anew ("note"), has to fit the inputs
            ("locked"), or is taken as it is ("frozen").
        wanted: how to lock.
        form: of the virtual environment; None lets it have its own.
        locked: is given the lock where one was made.
        observer: is told what goes on.

    Raises:
        NixgenError: with what stands in the way; what was there stays, but a lock that was made is kept.
    """
    check_ours(directory)
    anew = is_due(request, wanted, observer)
    if anew:
        locked(lock_again(wanted, observer))
    request = replace(request, editable=True, mounted=form == "mounted", check="frozen")
    before = environment_below(directory)
    code, environment = stand(directory, _arguments(form), request, observer)
    if code == 0:
        install(directory, request, observer)
    return Synced(code=code, before=before, environment=Path(environment), locked=anew)


def would_sync(
    directory: Path,
    request: Request,
    wanted: LockRequest,
    *,
    form: Form | None,
    locked: Callable[[Locked], None],
    observer: Observer = SILENT,
) -> Synced:
    """Return what ``sync`` would do, and change nothing: neither the project nor the store.

    Whether the virtual environment would change is known where the lock would not.
    """
    check_ours(directory)
    anew = is_due(request, wanted, observer)
    if anew:
        locked(lock_again(wanted, observer, write=False))
    last = None
    if not anew:
        last = LastBuild(replace(request, editable=True, mounted=form == "mounted", check="frozen"), None).find()
    before = environment_below(directory)
    return Synced(code=0, before=before, environment=None if last is None else Path(last), locked=anew)


def is_due(request: Request, wanted: LockRequest, observer: Observer) -> bool:
    """Tell whether a project is to be locked before it is built: there is no lock, or its inputs have changed.

    Raises:
        InputError: it is, and may not be.
    """
    lock = request.base / LOCK_NAME
    if request.check != "note":
        check_inputs(request.base, request.check, observer)
        return False
    return not lock.is_file() or not wanted.changes_nothing or bool(changed(inputs_of(lock), request.base))


def _arguments(form: Form | None) -> Sequence[str]:
    return ["--quiet", *([] if form is None else [f"--{form}"])]
