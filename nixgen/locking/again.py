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
from nixgen.npm.package_lock import LOCK_NAMES as LOCKS_OF_NPM
from nixgen.observer import SILENT, Observer

#: How the tools of the locks that decide by themselves upgrade: all, and one package.
_UPGRADES = {
    "uv.lock": ("uv lock --upgrade", "uv lock --upgrade-package"),  # of another directory
    "poetry.lock": ("poetry update --lock", "poetry update --lock"),
    "pdm.lock": ("pdm update --no-sync", "pdm update --no-sync"),
    "Pipfile.lock": ("pipenv update --lock-only", "pipenv upgrade --lock-only"),
}


def upgrade(request: Request, names: Sequence[str], observer: Observer = SILENT, *, write: bool = True) -> Locked:
    """Lock a project anew, and forget the versions of all packages or some; npm upgrades its own.

    Args:
        request: what to lock; it names no inputs.
        names: the packages; none for all. One that Python's and npm's have is upgraded of both.
        observer: is told what goes on.
        write: whether to write the lock and nix/, and the locks of uv and npm.

    Raises:
        InputError: another tool's lock decides, or no such package is locked.
        NixgenError: as ``lock_again`` and ``nixgen.npm.running.run_npm``; nothing is written then.
    """
    base = request.base
    lock = Lock.from_file(base / LOCK_NAME)
    held = {package.name for locked in lock.targets for package in locked.packages}
    held_of_npm = {package.name for package in lock.npm.packages} if lock.npm is not None else set()
    wanted = tuple(name for name in map(canonicalize_name, names) if name in held)
    of_npm = [name for name in names if name in held_of_npm]
    if unknown := sorted(name for name in names if canonicalize_name(name) not in held and name not in held_of_npm):
        raise InputError(
            f"the lock has no {', '.join(unknown)}",
            where=str(base / LOCK_NAME),
            todo="see what it has: `nixgen list`; `nixgen add` adds a package",
        )
    if wanted or (not names and lock.targets):
        _check_deciding(base, wanted)
        resolver = replace(request.resolver, upgrade=not wanted, upgrade_packages=wanted)
        request = replace(request, resolver=resolver)
    with restored([base / name for name in ("uv.lock", *LOCKS_OF_NPM)], always=not write):
        if wanted or (not names and lock.targets):
            lock_with_uv(base, request.resolver)
        if of_npm or (not names and lock.npm is not None):
            # Imported here: most projects have nothing of npm.
            from nixgen.npm.running import run_npm

            with observer.waiting("npm update"):
                run_npm(["update", "--package-lock-only", "--", *of_npm], cwd=base)
        return lock_again(request, observer, write=write)


def _check_deciding(base: Path, names: Sequence[str]) -> None:
    """See that no other tool's lock decides the versions of Python's packages.

    Raises:
        InputError: one does; says with which command that tool upgrades.
    """
    decides = deciding_lock(base)
    if decides is not None:
        every, one = _UPGRADES.get(decides, ("its tool", "its tool"))
        command = every if not names else f"{one} {' '.join(names)}"
        raise InputError(
            f"{decides} decides the versions, and is not nixgen's to change",
            where=str(base),
            todo=f"run `{command}`, then `nixgen sync`",
        )


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
