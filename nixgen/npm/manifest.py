"""What package.json wants, and whether npm's lock is of that."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nixgen.errors import InputError
from nixgen.npm.package_lock import MODULES, PackageLock, is_workspace

#: The tables of a package.json that npm's lock repeats.
_TABLES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies")

#: What package.json may say to nixgen.
_SETTINGS = ("scripts", "unprepared", "venv")

_RENEW = "run `npm install --package-lock-only`, then `nixgen lock`"

_MAX_LISTED = 20


def read_manifest(path: Path) -> Mapping[str, Any]:
    """Read a package.json.

    Raises:
        InputError: it is not there, or is none.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8").removeprefix("\ufeff"))
    except FileNotFoundError as error:
        raise InputError("there is no such file", where=str(path), todo="restore it, or make it: `npm init`") from error
    except (OSError, ValueError) as error:
        raise InputError(f"this is no JSON: {error}", where=str(path), todo="correct it") from error
    if not isinstance(data, dict):
        raise InputError("this is no package.json: there is no table in it", where=str(path), todo="correct it")
    return data


def wants_packages(manifest: Mapping[str, Any]) -> bool:
    """Tell whether a package.json asks for any package."""
    return any(manifest.get(key) for key in (*_TABLES, "workspaces"))


def check_fresh(lock: PackageLock, manifests: Mapping[str, Mapping[str, Any]], *, base: Path, where: str) -> None:
    """See that npm's lock is of what the package.json files say now.

    Args:
        lock: npm's lock.
        manifests: the package.json of the project, and of each directory that a link ends at, by directory.
        base: the project's directory.
        where: what the lock is called in messages.

    Raises:
        InputError: it is not; names every difference.
    """
    lines = [
        f"{posixpath.join(directory, 'package.json')}: {line}"
        for directory, manifest in manifests.items()
        for line in _differences(lock.said.get(directory, {}), manifest)
    ]
    lines += [
        f"{directory}/package.json: it is a workspace, and not in the lock"
        for directory in _workspaces(manifests.get("", {}), base)
        if directory not in lock.workspaces
    ]
    if lines:
        more = [f"and {len(lines) - _MAX_LISTED} more"] if len(lines) > _MAX_LISTED else []
        raise InputError(
            "the lock is older than what is wanted:"
            + "".join(f"\n    {line}" for line in [*lines[:_MAX_LISTED], *more]),
            where=where,
            todo=_RENEW,
        )


def settings_of(manifest: Mapping[str, Any], *, where: str) -> Mapping[str, Any]:
    """Return what a package.json says to nixgen: ``"nixgen": {"scripts": […], "unprepared": […]}``.

    Raises:
        InputError: it says something else.
    """
    said = manifest.get("nixgen", {})
    if isinstance(said, dict) and not said.keys() - set(_SETTINGS):
        return said
    raise InputError(
        '"nixgen" is not understood',
        where=where,
        todo='write "nixgen": {"scripts": ["name"], "unprepared": ["name"], "venv": {"form": "mounted"}}; there is '
        "nothing else",
    )


def names_of(said: Mapping[str, Any], key: str, *, where: str) -> list[str]:
    """Return a list of a table that has the names of packages.

    Raises:
        InputError: it is no list of names.
    """
    names = said.get(key, [])
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InputError(f"{key} is no list of packages", where=where, todo=f'write {key} = ["name"]')
    return names


def _differences(locked: Mapping[str, Any], manifest: Mapping[str, Any]) -> Iterator[str]:
    for key in _TABLES:
        old, new = _of(locked, key), _of(manifest, key)
        for name in sorted(old.keys() | new.keys()):
            if name not in old:
                yield f"{name} {new[name]} is wanted, and not locked"
            elif name not in new:
                yield f"{name} is locked, and not wanted any more"
            elif old[name] != new[name]:
                yield f"{name} {new[name]} is wanted, and {old[name]} was when it was locked"


def _of(said: Mapping[str, Any], key: str) -> dict[str, str]:
    """Return a table; what is optional too counts as optional only, as npm has it."""
    table = said.get(key)
    optional = said.get("optionalDependencies") if key == "dependencies" else None
    left_out = optional if isinstance(optional, dict) else {}
    return {name: str(spec) for name, spec in table.items() if name not in left_out} if isinstance(table, dict) else {}


def _workspaces(manifest: Mapping[str, Any], base: Path) -> Iterator[str]:
    """Yield the directories that are workspaces by now: those of the patterns with a package.json."""
    patterns = manifest.get("workspaces")
    listed = patterns.get("packages") if isinstance(patterns, dict) else patterns
    found = set()
    for pattern in listed if isinstance(listed, list) else []:
        if isinstance(pattern, str) and not pattern.startswith("!"):
            cleaned = posixpath.normpath(pattern.strip("/")) or "."
            try:
                found |= {path.parent for path in base.glob(f"{cleaned}/package.json")}
            except (ValueError, NotImplementedError):
                continue
    for path in sorted(found):
        directory = path.relative_to(base).as_posix() if path.is_relative_to(base) else ""
        if directory and MODULES not in directory.split("/") and is_workspace(directory, patterns):
            yield directory
