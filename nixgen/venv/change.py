"""A project's requirements changed, and with them its lock and its virtual environment, or nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from nixgen.environments.request import Request
from nixgen.fingerprint import fingerprints
from nixgen.inputs.edit import Editor, lock_with_uv, restored
from nixgen.locking.again import lock_again
from nixgen.locking.project import Locked
from nixgen.locking.project import Request as LockRequest
from nixgen.locking.pythons import project_python
from nixgen.names import LOCK_NAME
from nixgen.observer import SILENT, Observer
from nixgen.venv.form import form_here
from nixgen.venv.node_modules import is_made as modules_made
from nixgen.venv.node_modules import renew_modules
from nixgen.venv.program import is_made
from nixgen.venv.sync import Synced, sync

if TYPE_CHECKING:
    from nixgen.npm.edit import NpmEditor


@dataclass(frozen=True, kw_only=True)
class Changed:
    """What a change of requirements came to.

    Attributes:
        locked: the lock.
        requirements: what was added, as it stands in the file.
        synced: what became of ``.venv``, or of ``node_modules``; None where there is none.
    """

    locked: Locked
    requirements: tuple[str, ...]
    synced: Synced | None


def change(
    editor: Editor,
    request: Request,
    wanted: LockRequest,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    locked: Callable[[Locked], None],
    dry_run: bool = False,
    observer: Observer = SILENT,
) -> Changed:
    """Add or remove requirements, lock, and renew ``.venv`` where there is one; where that fails, all is as before.

    Args:
        editor: what to edit.
        request: the environment of ``.venv``.
        wanted: how to lock.
        add: requirements.
        remove: names.
        locked: is given the lock before anything is built.
        dry_run: whether to lock only, and undo it all.
        observer: is told what goes on.

    Raises:
        NixgenError: with what stands in the way.
    """
    base = wanted.base
    files = [editor.path, base / "uv.lock", base / LOCK_NAME]
    with restored(files, always=dry_run):
        if remove:
            editor.remove(remove)
        if editor.is_new:
            editor.create(project_python(base).version)
        if add:
            editor.add(add)
        lock_with_uv(base, wanted.resolver)
        made = lock_again(wanted, observer, write=False)
        lock = made.files.lock
        versions = {package.name: package.version for target in lock.targets for package in target.packages}
        bounded = editor.bound(add, versions)
        if bounded:
            # The locked versions are the lowest that are allowed now: the same ones fit.
            lock_with_uv(base, wanted.resolver)
            lock = replace(lock, inputs=fingerprints((base / name for name in lock.inputs), base))
            made_files = replace(made.files, lock=lock)
            made = replace(made, files=made_files, changed=made_files.changes(base))
        if not dry_run:
            made.files.write(base)
        locked(made)
        directory, synced = base / ".venv", None
        if not dry_run and is_made(directory):
            form = form_here(base, directory, None, observer)
            synced = sync(
                directory,
                request._replace(check="frozen"),
                wanted,
                form=form,
                locked=locked,
                observer=observer,
            )
    names = {canonicalize_name(text.partition(">=")[0].partition("[")[0].strip()): text for text in bounded}
    shown = (names.get(canonicalize_name(text.partition("[")[0].partition(";")[0].strip()), text) for text in add)
    return Changed(locked=made, requirements=tuple(shown), synced=synced)


def change_npm(
    editor: NpmEditor,
    request: Request,
    wanted: LockRequest,
    *,
    add: Sequence[str] = (),
    remove: Sequence[str] = (),
    locked: Callable[[Locked], None],
    dry_run: bool = False,
    observer: Observer = SILENT,
) -> Changed:
    """Add or remove packages of npm as ``change`` does; npm edits, and a ``node_modules`` of nixgen's is renewed.

    Raises:
        NixgenError: with what stands in the way.
    """
    base = wanted.base
    with restored([*editor.files, base / LOCK_NAME], always=dry_run):
        with observer.waiting("npm"):
            if remove:
                editor.remove(remove)
            added = editor.add(add) if add else []
        made = lock_again(wanted, observer, write=False)
        if not dry_run:
            made.files.write(base)
        locked(made)
        synced = None
        if not dry_run and made.npm is not None and modules_made(base):
            code, modules = renew_modules(request._replace(check="frozen"), observer)
            synced = Synced(code=code, before=None, environment=None, locked=True, modules=modules)
    return Changed(locked=made, requirements=tuple(added), synced=synced)
