"""Are the files of an environment those that pip has installed: names, kinds, modes, bytes?"""

from __future__ import annotations

import filecmp
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

#: What each installer writes in its own words; that it is there is compared, and its mode.
_IN_OWN_WORDS = re.compile(r"bin/.*|pyvenv\.cfg|.*\.dist-info/(INSTALLER|RECORD)|.*\.pyc")

#: What only one of the installers writes: pip (bytecode of scripts too), venv, nixgen (no link to another's bytecode).
_OF_ONE = re.compile(
    r".*\.dist-info/(REQUESTED|direct_url\.json)|bin/([Aa]ctivate.*|nixgen-venv)|include(/python[0-9.]+)?"
    r"|(.*/)?__pycache__|bin/__pycache__/.*"
)

#: nixgen's own.
_OURS = {".gitignore", ".lock", ".nixgen"}


def differences(pip: Path, mounted: Path) -> list[str]:
    """Say in a line each how the files of an environment differ from pip's.

    Args:
        pip: the environment that pip installed into.
        mounted: the other, of the same wheels; what is a link there has to be one in pip's.
    """
    theirs, ours = dict(_entries(pip)), dict(_entries(mounted))
    found = [f"missing: {path}" for path in theirs.keys() - ours.keys()]
    found += [f"only there: {path}" for path in ours.keys() - theirs.keys()]
    for path in theirs.keys() & ours.keys():
        if theirs[path] != ours[path] and not _can_be_run(path, ours[path], theirs[path]):
            found.append(f"{path}: {ours[path]}, with pip {theirs[path]}")
        elif not (_IN_OWN_WORDS.fullmatch(path) or _same(pip / path, mounted / path)):
            found.append(f"{path}: other bytes")
    return sorted(found)


def _can_be_run(path: str, ours: str, theirs: str) -> bool:
    """Tell whether only pip leaves a script without its x bit, as it does where a wheel was packed on Windows.

    PEP 427 has installers add it, and uv does: `garden` of Kivy-Garden 0.1.5.
    """
    return path.startswith("bin/") and (ours, theirs) == ("file 755", "file 644")


def _entries(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path of all that is in an environment, with its kind and mode."""
    for directory, directories, names in os.walk(root):
        if Path(directory) == root:
            directories[:] = [name for name in directories if name not in _OURS]
            names = [name for name in names if name not in _OURS]
        for name in (*directories, *names):
            path = Path(directory, name)
            relative = str(path.relative_to(root))
            if not _OF_ONE.fullmatch(relative):
                yield relative, _kind(path.lstat())


def _kind(status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return "link"
    if stat.S_ISDIR(status.st_mode):
        return "directory"
    # The index of a wheel does not say of an empty file whether it is executable.
    return f"file {stat.S_IMODE(status.st_mode) & (0o777 if status.st_size else 0o666):o}"


def _same(first: Path, second: Path) -> bool:
    if not first.is_symlink() and first.is_file():
        return filecmp.cmp(first, second, shallow=False)
    return True
