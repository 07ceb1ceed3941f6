"""A project and its virtual environment, brought to what its files ask for: lock, build, virtual environment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.environments.freshness import check_inputs, inputs_of
from nixgen.environments.kinds import Kinds
from nixgen.environments.last_build import LastBuild
from nixgen.environments.request import Request
from nixgen.fingerprint import changed
from nixgen.locking.again import lock_again
from nixgen.locking.project import Locked
from nixgen.locking.project import Request as LockRequest
from nixgen.names import LOCK_NAME
from nixgen.observer import SILENT, Observer
from nixgen.venv.editable import install
from nixgen.venv.form import Form
from nixgen.venv.history import remembering
from nixgen.venv.node_modules import Settled, check_modules, renew_modules, settle
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
        modules: what became of ``node_modules``; None where the lock has nothing of npm.
    """

    code: int
    before: Path | None
    environment: Path | None
    locked: bool
    modules: Settled | None = None

    @property
    def is_same(self) -> bool:
        """Whether nothing had to be done."""
        if self.locked or (self.modules is not None and self.modules.faults):
            return False
        return self.before == self.environment and (self.before is not None or self.modules is not None)


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
    _check(directory, request.base)
    anew = is_due(request, wanted, observer)
    if anew:
        locked(lock_again(wanted, observer))
    kinds = Kinds.of(request.base)
    with remembering(kinds, request.base, directory):
        return _renew(directory, request, kinds, form, anew, observer)


def _renew(
    directory: Path, request: Request, kinds: Kinds, form: Form | None, anew: bool, observer: Observer
) -> Synced:
    """Build what the lock has, and put the virtual environment and ``node_modules`` on that."""
    before = environment = modules = None
    code = 0
    if kinds.python:
        check_ours(directory)
        of_python = request._replace(editable=True, mounted=form == "mounted", check="frozen")
        before = environment_below(directory)
        code, built = stand(directory, _arguments(form), of_python, observer)
        environment = Path(built)
        if code == 0:
            install(directory, of_python, observer)
    if code == 0 and kinds.npm:
        code, modules = renew_modules(request._replace(check="frozen"), observer)
    return Synced(code=code, before=before, environment=environment, locked=anew, modules=modules)


def _check(directory: Path, base: Path) -> None:
    """See that what is to be made is nixgen's to fill, as far as a lock says now what that is."""
    kinds = Kinds.of(base)
    # What has a lock of npm's and none of nixgen's may have nothing of Python.
    if kinds.python and ((base / LOCK_NAME).exists() or not (base / "package-lock.json").exists()):
        check_ours(directory)
    if kinds.npm:
        check_modules(base)


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
    _check(directory, request.base)
    kinds = Kinds.of(request.base)
    anew = is_due(request, wanted, observer)
    if anew:
        locked(lock_again(wanted, observer, write=False))
    last = before = modules = None
    if kinds.python:
        if not anew:
            last = LastBuild(request._replace(editable=True, mounted=form == "mounted", check="frozen"), None).find()
        before = environment_below(directory)
    if kinds.npm and not anew:
        found = LastBuild(request._replace(npm=True, check="frozen"), None).find()
        if found is None:
            anew = True
        else:
            modules = settle(request.base, Path(found), change=False)
    environment = None if last is None else Path(last)
    return Synced(code=0, before=before, environment=environment, locked=anew, modules=modules)


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
