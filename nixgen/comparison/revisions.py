"""A lock as it lies in a file or as git has it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nixgen.errors import InputError
from nixgen.lock import FORMAT, Lock
from nixgen.names import LOCK_NAME


@dataclass(frozen=True, kw_only=True)
class Held:
    """A lock, and where it was found.

    Attributes:
        lock: the lock.
        name: what to call it: a path or a revision.
        base: the directory that relative paths in it refer to.
    """

    lock: Lock
    name: str
    base: Path


def find_lock(text: str | None, base: Path, here: Path) -> Held:
    """Return the lock that a text means: a file, a directory that has one, or a revision of git.

    What is there as a file is taken for that.

    Args:
        text: as a user writes it; None for the lock of the project.
        base: the project's directory.
        here: the directory that a path starts from.

    Raises:
        InputError: there is none, or it cannot be read.
    """
    path = base if text is None else here / text
    if path.is_dir():
        path /= LOCK_NAME
    if text is None or path.exists():
        return Held(lock=Lock.from_file(path), name=LOCK_NAME if text is None else text, base=path.parent)
    return Held(lock=_of_revision(text, base), name=text, base=base)


def _of_revision(revision: str, base: Path) -> Lock:
    said = _git(base, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    if said is None:
        if revision == "HEAD" and _git(base, "rev-parse", "--git-dir") is None:
            raise InputError(
                "there is no earlier lock to compare with: the project is in no Git repository",
                where=str(base),
                todo="give the path of another lock, or of a directory with one",
            )
        raise InputError(
            f"{revision} is no file, and no revision that git knows here",
            where=str(base),
            todo="give the path of a lock or of a directory with one, or a commit, branch or tag",
        )
    text = _git(base, "show", f"{said.strip()}:./{LOCK_NAME}")
    if text is None:
        raise InputError(
            f"{revision} has no {LOCK_NAME}",
            where=str(base),
            todo=f"give a revision that has one: `git log --oneline -- {LOCK_NAME}`",
        )
    try:
        data = json.loads(text)
        if data["nixgen"] != FORMAT:
            raise InputError(
                f"the lock has format {data['nixgen']}, and this nixgen reads format {FORMAT}",
                where=f"{LOCK_NAME} in {revision}",
                todo="compare with a later revision, or use the nixgen of that time",
            )
        return Lock.from_json(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(
            f"the lock is damaged: {error!r}", where=f"{LOCK_NAME} in {revision}", todo="compare with another revision"
        ) from error


def _git(base: Path, *arguments: str) -> str | None:
    """Return what git prints; None where it fails.

    Raises:
        InputError: git is not there.
    """
    try:
        done = subprocess.run(["git", *arguments], cwd=base, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise InputError(
            "git is not on this machine", where="PATH", todo="install it, or give the paths of two locks"
        ) from None
    return done.stdout if done.returncode == 0 else None
