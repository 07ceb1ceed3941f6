"""What differs in files between two locks, by what this machine has of them or reads again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nixgen.comparison.contents import Content, distinct, distinct_files, indexes_that_are_known
from nixgen.comparison.difference import FileDifference, file_difference
from nixgen.comparison.revisions import Held
from nixgen.environments.fetch import access_of
from nixgen.observer import SILENT, Observer


def file_differences(
    old: Held, new: Held, base: Path, observer: Observer = SILENT
) -> tuple[FileDifference, FileDifference]:
    """Return what differs in the files of Python's packages, and of npm's: of these in what is for this system.

    Args:
        old, new: the locks.
        base: the project whose files say how servers are reached.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``indexes_that_are_known`` and ``nixgen.npm.contents.contents_of``.
    """
    wheels, archives = [], []
    for side in (old, new):
        known, unknown = indexes_that_are_known(
            side.lock.wheels.values(), base=side.base, access=lambda: access_of(base), observer=observer
        )
        if unknown:
            observer.note(f"{side.name}: the files of {', '.join(unknown)} are not known before it is built")
        wheels.append(distinct_files(known.values()))
        archives.append(_of_npm(side, base, observer))
    return file_difference(*wheels), file_difference(*archives)


def _of_npm(side: Held, base: Path, observer: Observer) -> Mapping[Content, int]:
    if side.lock.npm is None:
        return {}
    import os

    from nixgen.environments.npm import npm_access
    from nixgen.npm.contents import contents_of, npm_files
    from nixgen.npm.fitting import fitting
    from nixgen.targets import default_system

    packages = fitting(side.lock.npm, default_system())
    contents = contents_of(
        packages,
        base=side.base,
        store_dir=os.environ.get("NIX_STORE_DIR", "/nix/store"),
        access=lambda: npm_access(base),
        observer=observer,
    )
    return distinct(npm_files(packages, contents))
