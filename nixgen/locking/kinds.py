"""Which kinds of packages a project wants: npm's, others, or both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nixgen.errors import InputError
from nixgen.inputs import find_input
from nixgen.inputs.discover import NothingWantedError
from nixgen.observer import SILENT, Observer

#: The files that are npm's; a package.json stands for the lock beside it.
_OF_NPM = ("package-lock.json", "npm-shrinkwrap.json", "package.json")


@dataclass(frozen=True, kw_only=True)
class Kinds:
    """What a project wants.

    Attributes:
        npm: npm's lock; None where nothing is wanted of npm.
        others: whether there is anything else.
        inputs: the inputs that were named and are not npm's.
    """

    npm: Path | None
    others: bool
    inputs: tuple[Path, ...]


def kinds_of(base: Path, inputs: Sequence[Path], observer: Observer = SILENT) -> Kinds:
    """Return which kinds of packages a project wants: what is named, else what its directory has.

    Args:
        base: the project's directory.
        inputs: the inputs that were named; none to look in the directory.
        observer: is told of a package.json that has no lock, where there are other inputs.

    Raises:
        NothingWantedError: there is nothing that says which packages are wanted.
        InputError: npm's packages are wanted alone, and there is no lock of npm's.
    """
    # Imported here: most projects have nothing of npm.
    named = [path for path in inputs if path.name in _OF_NPM]
    others = tuple(path for path in inputs if path.name not in _OF_NPM)
    if inputs and not named:
        return Kinds(npm=None, others=True, inputs=others)
    directory = named[0].parent if named else base
    if not named and not any((base / name).exists() for name in (*_OF_NPM, *_LOCKS_OF_OTHERS)):
        return Kinds(npm=None, others=True, inputs=())
    from nixgen.npm.locking import check_other_locks, find_lock

    lock = find_lock(directory)
    has_others = bool(others) if inputs else _has_others(base)
    if lock is None:
        try:
            check_other_locks(directory)
        except InputError as error:
            if not has_others:
                raise
            observer.note(f"nothing of npm is locked: {error.what}; {error.todo}")
        if named:
            raise InputError("there is no such file", where=str(named[0]), todo="let npm make it: `npm install`")
        return Kinds(npm=None, others=True, inputs=others)
    return Kinds(npm=lock, others=has_others, inputs=others)


def is_of_npm_alone(base: Path) -> bool:
    """Tell whether what a project wants is said by a package.json, and by nothing else."""
    return (base / "package.json").is_file() and not _has_others(base)


_LOCKS_OF_OTHERS = ("pnpm-lock.yaml", "yarn.lock", "bun.lock")


def _has_others(base: Path) -> bool:
    try:
        find_input(base)
    except NothingWantedError:
        return False
    except InputError:
        return True  # whoever reads it says what is wrong
    return True
