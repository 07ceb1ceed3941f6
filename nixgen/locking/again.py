"""Locking again what a lock is of, for those who did not say of what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from packaging.utils import canonicalize_name

from nixgen.errors import InputError
from nixgen.inputs import find_input
from nixgen.inputs.edit import lock_with_uv, restored
from nixgen.inputs.project import lock_of
from nixgen.lock import Lock
from nixgen.locking.project import Locked, Request, make_lock
from nixgen.names import LOCK_NAME
from nixgen.observer import SILENT, Observer

#: How the tools of the locks that decide by themselves upgrade: all, and one package.
_UPGRADES = {
    "uv.lock": ("uv lock --upgrade", "uv lock --upgrade-package"),  # of another directory
    "poetry.lock": ("poetry update --lock", "poetry update --lock"),
    "pdm.lock": ("pdm update --no-sync", "pdm update --no-sync"),
    "Pipfile.lock": ("pipenv update --lock-only", "pipenv upgrade --lock-only"),
}


def upgrade(request: Request, names: Sequence[str], observer: Observer = SILENT, *, write: bool = True) -> Locked:
    """Lock a project anew, and forget the versions of all packages or some.

    Args:
        request: what to lock; it names no inputs.
        names: the packages; none for all.
        observer: is told what goes on.
        write: whether to write the lock and nix/.

    Raises:
        InputError: another tool's lock decides, or no such package is locked.
        NixgenError: as ``lock_again``.
    """
    of_npm = _names_of_npm(request.base, names)
    if of_npm is not None:
        raise InputError(
            "npm's lock decides the versions of npm's packages, and is not nixgen's to change",
            where=str(request.base),
            todo=f"run `{' '.join(['npm update', *of_npm])} --package-lock-only`, then `nixgen sync`",
        )
    decides = deciding_lock(request.base)
    if decides is not None:
        every, one = _UPGRADES.get(decides, ("its tool", "its tool"))
        command = every if not names else f"{one} {' '.join(names)}"
        raise InputError(
            f"{decides} decides the versions, and is not nixgen's to change",
            where=str(request.base),
            todo=f"run `{command}`, then `nixgen sync`",
        )
    lock = Lock.from_file(request.base / LOCK_NAME)
    held = {package.name for locked in lock.targets for package in locked.packages}
    wanted = tuple(map(canonicalize_name, names))
    if unknown := sorted(set(wanted) - held):
        raise InputError(
            f"the lock has no {', '.join(unknown)}",
            where=str(request.base / LOCK_NAME),
            todo="see what it has: `nixgen list`; `nixgen add` adds a package",
        )
    request = replace(request, resolver=replace(request.resolver, upgrade=not wanted, upgrade_packages=wanted))
    with restored([request.base / "uv.lock"], always=not write):
        lock_with_uv(request.base, request.resolver)
        return lock_again(request, observer, write=write)


def _names_of_npm(base: Path, names: Sequence[str]) -> Sequence[str] | None:
    """Return which of some packages npm alone has, all where nothing but npm's packages is locked; None for none."""
    lock = Lock.from_file(base / LOCK_NAME) if (base / LOCK_NAME).exists() else None
    if lock is None or lock.npm is None:
        return None
    if not lock.targets:
        return names
    theirs = {package.name for package in lock.npm.packages}
    ours = {package.name for locked in lock.targets for package in locked.packages}
    return [name for name in names if name in theirs and canonicalize_name(name) not in ours] or None


def deciding_lock(base: Path) -> str | None:
    """Return the name of the lock that decides for a project and cannot be made anew here; None for none."""
    found = find_input(base)
    if found.name == "pyproject.toml":
        lock = lock_of(found)
        return "uv.lock" if lock.is_file() and lock.parent != found.parent else None
    return found.name if found.name in _UPGRADES or found.name.startswith("pylock.") else None


def lock_again(request: Request, observer: Observer = SILENT, *, write: bool = True) -> Locked:
    """Lock a project that may have a lock already, of what its directory has.

    Args:
        request: what to lock; it names no inputs.
        observer: is told what goes on.
        write: whether to write the lock and nix/.

    Raises:
        InputError: the lock that is there is of other files too, which somebody named: they would be lost.
        NixgenError: as ``make_lock``; nothing is written then.
    """
    made = make_lock(request, observer)
    if made.previous is not None:
        kept = made.files.lock.inputs
        lost = sorted(name for name in made.previous.inputs if name not in kept and (request.base / name).exists())
        if lost and kept:
            raise InputError(
                f"the lock is of {', '.join(lost)} too, and would be of {', '.join(kept)} alone",
                where=str(request.base / LOCK_NAME),
                todo=f"say which are meant: `nixgen lock {' '.join(dict.fromkeys([*kept, *lost]))}`, or `nixgen lock`",
            )
    if write:
        made.files.write(request.base)
    return made
