"""Files and directories written by rename, so that an interruption leaves what was there."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from nixgen.temporary import is_temporary, sweep, temporary_directory

#: For "relative to the working directory" (fcntl.h) and "swap" (linux/fs.h, and stdio.h of macOS).
_AT_FDCWD = -100
_RENAME_EXCHANGE = _RENAME_SWAP = 2


def write_text(path: Path, text: str) -> None:
    """Write a file by rename, as UTF-8 and with the newlines that the text has."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file by rename; one that the user has a link to where that leads, as uv and npm write their locks."""
    path = _through(path)
    with _beside(path) as temporary:
        temporary.write_bytes(content)
        temporary.replace(path)


def _through(path: Path) -> Path:
    """Return where a link leads that is this user's own; root follows no other's, which may lead anywhere."""
    with contextlib.suppress(OSError):
        if path.is_symlink() and path.lstat().st_uid == os.geteuid():
            return Path(os.path.realpath(path))
    return path


def write_several(directory: Path, content: Mapping[str, bytes]) -> None:
    """Write some files of one directory, which is made where it is missing, each by a rename.

    Args:
        directory: theirs.
        content: of each, by its name.
    """
    if not content:
        return
    directory.mkdir(parents=True, exist_ok=True)
    with _beside(directory / "several") as temporary:
        for name, data in content.items():
            temporary.write_bytes(data)
            temporary.replace(directory / name)


def replace_directory(path: Path, content: Mapping[str, bytes]) -> None:
    """Write a directory of files, in place of what is there.

    At every moment one lies there: the two are swapped in one step. Where the system cannot do that, the files are
    renamed into the old directory one by one, and those that are no more are removed last.

    Args:
        path: the directory.
        content: of each file, by its path in the directory.
    """
    with _beside(path) as temporary:
        for name, data in content.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(data)
        if not os.path.lexists(path):
            temporary.rename(path)
        elif not exchange(temporary, path):
            _merge(temporary, path, content)


def exchange(one: Path, other: Path) -> bool:
    """Swap two names of one file system in one step; tell whether the system can do that."""
    import ctypes  # here, for those who write a directory

    system = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    try:
        if sys.platform == "darwin":
            return bool(system.renamex_np(*names, _RENAME_SWAP) == 0)
        return bool(system.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0)
    except AttributeError:  # a C library without it
        return False


def _merge(new: Path, path: Path, content: Mapping[str, bytes]) -> None:
    """Rename each file of a new directory into an old one, then remove what is only there."""
    if path.is_symlink() or not path.is_dir():
        path.unlink()
        new.rename(path)
        return
    for name in content:
        for place in reversed([path / name, *(path / name).parents]):
            if place.is_relative_to(path) and place != path:
                is_directory = place.is_dir() and not place.is_symlink()
                if is_directory and place == path / name:
                    shutil.rmtree(place)
                elif not is_directory and place != path / name:
                    place.unlink(missing_ok=True)
                    place.mkdir()
        (new / name).replace(path / name)
    kept = {path / name for name in content}
    kept |= {parent for file in kept for parent in file.parents}
    for place in sorted(path.rglob("*"), reverse=True):
        if place not in kept:
            if place.is_dir() and not place.is_symlink():
                place.rmdir()
            else:
                place.unlink()


def contents(directory: Path) -> dict[str, bytes]:
    """Return the content of every file below a directory, by its path there, but for bytecode and what is temporary."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.suffix != ".pyc" and not any(map(is_temporary, path.relative_to(directory).parts))
    }


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a name beside a path for something that will be renamed to it, and leave nothing there."""
    _sweep_once(path.parent)
    with temporary_directory(path.parent) as holder:
        yield holder / path.name


@functools.cache
def _sweep_once(directory: Path) -> None:
    # Once for each process: the user's cache has thousands of files, which are written one by one.
    sweep(directory)
