"""Are the files of a ``node_modules`` those that npm has installed?"""

from __future__ import annotations

import filecmp
import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator, Set
from pathlib import Path

from nixgen.npm.model import NpmLock

#: nixgen's own, at the top of ``node_modules``.
_OURS = frozenset([".nixgen", ".gitignore"])

#: What npm writes down of an installation: the same facts of packages, in whatever bytes. It says the project's own
#: version, too, on which no environment depends.
_RECORD = ".package-lock.json"

#: What a registry says of a package, and no package of itself.
_OF_REGISTRY = frozenset(["deprecated"])


def mounted_differences(npm: Path, mounted: Path) -> list[str]:
    """Say in a line each how a mounted ``node_modules`` differs from npm's: names, kinds, modes, targets, bytes."""
    theirs = dict(_everything(npm))
    ours = {path: kind for path, kind in _everything(mounted) if path.partition("/")[0] not in _OURS}
    found = [f"missing: {path}" for path in theirs.keys() - ours.keys()]
    found += [f"only there: {path}" for path in ours.keys() - theirs.keys()]
    for path in theirs.keys() & ours.keys():
        if theirs[path] != ours[path]:
            found.append(f"{path}: {ours[path]}, with npm {theirs[path]}")
        elif path == _RECORD:
            found += _record_differences(npm / path, mounted / path)
        elif ours[path].startswith("file") and not filecmp.cmp(npm / path, mounted / path, shallow=False):
            found.append(f"{path}: other bytes")
    return sorted(found)


def store_differences(lock: NpmLock, npm: Path, linked: Path) -> list[str]:
    """Say in a line each how the packages in the store differ from those that npm has unpacked: names, x bits, bytes.

    Args:
        lock: says which packages lie where in npm's tree, and who leads to whom.
        npm: a project that npm has installed.
        linked: the same one with links into the store.
    """
    lie = instances(lock, linked)
    places = {package.at for package in lock.packages}
    found = []
    for package in lock.packages:
        if package.link is not None:
            continue
        theirs = dict(_files(npm / package.at, npm, places))
        if package.at not in lie:
            found += [f"no link leads to {package.at}"] if theirs else []
            continue
        ours = dict(_files(lie[package.at], lie[package.at], frozenset()))
        found += [f"missing: {package.at}/{path}" for path in theirs.keys() - ours.keys()]
        found += [f"only there: {package.at}/{path}" for path in ours.keys() - theirs.keys()]
        for path in theirs.keys() & ours.keys():
            if bool(theirs[path].stat().st_mode & 0o111) != bool(ours[path].stat().st_mode & 0o111):
                found.append(f"{package.at}/{path}: x bit")
            if not filecmp.cmp(theirs[path], ours[path], shallow=False):
                found.append(f"{package.at}/{path}: other bytes")
    return sorted(found)


def instances(lock: NpmLock, linked: Path) -> dict[str, Path]:
    """Return where in the store the package of each place of npm's tree lies, as far as links lead to it."""
    edges = {package.at: package.dependencies for package in lock.packages if package.link is None}
    found: dict[str, Path] = {}
    ways = [(at, linked / at) for at in edges if at.count("node_modules/") == 1]
    while ways:
        at, way = ways.pop()
        if at in found or at not in edges or not way.exists():
            continue
        found[at] = way.resolve()
        name = at.rpartition("node_modules/")[2]
        beside = found[at].parents[name.count("/")]
        ways += [(place, beside / key) for key, place in edges[at].items()]
    return found


def contents(node_modules: Path) -> dict[str, int]:
    """Return the size of each different file below a directory, by the begin of its SHA-256."""
    found = {}
    for path, kind in _everything(node_modules):
        if kind.startswith("file"):
            with (node_modules / path).open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()[:20]
            found[digest] = (node_modules / path).stat().st_size
    return found


def measured(lock: NpmLock, npm: Path, roots: Iterable[str]) -> tuple[int, int, int]:
    """Return how many packages there are of some and of all that they need, with how many files and bytes.

    Args:
        lock: says who needs whom.
        npm: a project that npm has installed.
        roots: names of the first ones, which lie at the top.
    """
    edges = {package.at: package.dependencies for package in lock.packages if package.link is None}
    wanted = [f"node_modules/{name}" for name in roots]
    places: set[str] = set()
    while wanted:
        at = wanted.pop()
        if at in edges and at not in places and (npm / at).is_dir():
            places.add(at)
            wanted += edges[at].values()
    sizes = [path.stat().st_size for at in places for _, path in _files(npm / at, npm, edges.keys())]
    return len(places), len(sizes), sum(sizes)


def made(side: Path, directories: Iterable[str], normal: Callable[[str], str]) -> dict[str, str]:
    """Return the digest of each file that commands have made, by its path in the project.

    Args:
        side: the project's directory.
        directories: those that are looked at.
        normal: replaces in a text what differs from environment to environment.
    """
    found = {}
    for directory in directories:
        for path, kind in _everything(side / directory):
            if kind.startswith("file"):
                text = normal((side / directory / path).read_bytes().decode("latin-1"))
                found[f"{directory}/{path}"] = hashlib.sha256(text.encode("latin-1")).hexdigest()
    return found


def _record_differences(npm: Path, mounted: Path) -> list[str]:
    theirs, ours = (json.loads(path.read_text(encoding="utf-8")) for path in (npm, mounted))
    found = [f"{_RECORD}: {key}" for key in ("name", "requires") if theirs.get(key) != ours.get(key)]
    for at in sorted(theirs["packages"].keys() | ours["packages"].keys()):
        one, other = theirs["packages"].get(at, {}), ours["packages"].get(at, {})
        keys = [key for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]
        found += [f"{_RECORD}: {at}: {key}" for key in keys if key not in _OF_REGISTRY]
    return found


def _files(root: Path, base: Path, places: Set[str]) -> Iterator[tuple[str, Path]]:
    """Yield each file of a package by its path there, without those of packages that npm has nested in it."""
    for directory, directories, names in os.walk(root):
        inside = Path(directory)
        directories[:] = [name for name in directories if (inside / name).relative_to(base).as_posix() not in places]
        for name in names:
            path = inside / name
            if not path.is_symlink():
                yield path.relative_to(root).as_posix(), path


def _everything(root: Path) -> Iterator[tuple[str, str]]:
    """Yield the path of all that lies below a directory, with its kind, mode and target."""
    for directory, directories, names in os.walk(root):
        for name in (*directories, *names):
            path = Path(directory, name)
            yield path.relative_to(root).as_posix(), _kind(path, path.lstat())


def _kind(path: Path, status: os.stat_result) -> str:
    if stat.S_ISLNK(status.st_mode):
        return f"link to {path.readlink()}"
    word = "directory" if stat.S_ISDIR(status.st_mode) else "file"
    return f"{word} {stat.S_IMODE(status.st_mode):o}"
