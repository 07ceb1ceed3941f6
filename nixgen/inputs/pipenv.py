"""What a ``Pipfile.lock`` holds (format 6).

Source: Pipenv's ``plette``, which reads and writes it, and locks that Pipenv wrote.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.pylock import Package, PackageArchive, PackageDirectory, PackageVcs
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from nixgen.errors import InputError
from nixgen.inputs.discover import read_text, read_toml
from nixgen.inputs.pins import Pin, PinnedLock, all_of, merged
from nixgen.targets import Target

_AGAIN = "pipenv lock"
_TODO = f"make the lock again: `{_AGAIN}`"

#: What Pipenv calls the packages of everybody and of developers; any other category has its own name.
_GROUPS = {"default": "", "develop": "dev"}

#: What a Pipfile may name of a system or Python, beside ``markers``.
_CONDITIONS = (
    *("os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release"),
    *("platform_system", "platform_version", "python_version", "python_full_version", "implementation_name"),
)

#: What a Pipfile has beside categories of packages.
_NO_CATEGORY = frozenset(["source", "packages", "dev-packages", "requires", "scripts", "pipfile", "pipenv"])


def read_pipenv(path: Path, *, where: str) -> PinnedLock:
    """Read a ``Pipfile.lock``, and compare it with the ``Pipfile`` beside it where there is one.

    Args:
        path: the lock.
        where: its name, for errors.

    Raises:
        InputError: it cannot be read, has a format that is not known, or is older than the ``Pipfile``.
    """
    try:
        data = json.loads(read_text(path))
        meta = data["_meta"]
        version = meta["pipfile-spec"]
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"this is no Pipfile.lock: {error}", where=where, todo=_TODO) from error
    if version != 6:
        raise InputError(f"nixgen does not know format {version} of a Pipfile.lock", where=where, todo=_TODO)
    file = path.with_name("Pipfile")
    pipfile = read_toml(file) if file.is_file() else {}
    if pipfile and _is_older(pipfile, data):
        raise InputError(f"the lock is older than {file.name}", where=where, todo=f"make it again: `{_AGAIN}`")
    listed = merged(
        _pin(name, {**_conditions(pipfile, category, name), **said}, group, where)
        for category, packages in data.items()
        if category != "_meta"
        for group in [_GROUPS.get(category, canonicalize_name(category))]
        for name, said in packages.items()
    )

    def pins(target: Target) -> Sequence[Pin]:
        return listed

    groups = sorted(_GROUPS.get(name, canonicalize_name(name)) for name in data if name not in ("_meta", "default"))
    return PinnedLock(
        path=path,
        tool="Pipenv",
        again=_AGAIN,
        pins=pins,
        requires_python=_python(meta.get("requires", {})),
        groups=tuple(groups),
        indexes=tuple(_indexes(meta)),
        files=(file,),
    )


def _conditions(pipfile: Mapping[str, Any], category: str, name: str) -> Mapping[str, Any]:
    """Return when a Pipfile wants a package: a package that was not resolved has lost it in the lock."""
    section = pipfile.get({"default": "packages", "develop": "dev-packages"}.get(category, category), {})
    same = (said for other, said in section.items() if canonicalize_name(other) == canonicalize_name(name))
    found: Any = next(same, {})
    return {key: found[key] for key in (*_CONDITIONS, "markers") if key in found} if isinstance(found, dict) else {}


def _pin(name: str, said: Mapping[str, Any], group: str, where: str) -> Pin:
    context = f"{where}, package {name}"
    normalized = canonicalize_name(name)
    texts = [f"{key} {said[key]}" for key in _CONDITIONS if key in said]
    texts += [str(said["markers"])] if said.get("markers") else []
    try:
        own = all_of(map(Marker, texts))
        of_group = Marker(f'"{group}" in dependency_groups') if group else None
    except InvalidMarker as error:
        raise InputError(str(error), where=context, todo=_TODO) from error
    marker = all_of([own, of_group])
    hashes = frozenset(
        text.partition(":")[2].lower() for text in map(str, said.get("hashes", [])) if text.startswith("sha256:")
    )
    if (direct := _direct(normalized, said, hashes)) is not None:
        version = "" if direct.version is None else str(direct.version)
        return Pin(name=normalized, version=version, marker=marker, sha256=hashes, direct=direct)
    version = str(said.get("version", "")).lstrip("=")
    if version == "*":
        # What the machine that locked did not need was not resolved: there is no file of it.
        return Pin(name=normalized, version=version, marker=marker, direct=Package(name=normalized))
    try:
        Version(version)
    except InvalidVersion as error:
        raise InputError(f"{version!r} is no version", where=context, todo=_TODO) from error
    return Pin(name=normalized, version=version, marker=marker, sha256=hashes)


def _direct(name: str, said: Mapping[str, Any], hashes: frozenset[str]) -> Package | None:
    """Return a package that is from no index."""
    normalized = canonicalize_name(name)
    inside = said.get("subdirectory")
    for kind in ("git", "hg", "svn", "bzr"):
        if kind in said:
            vcs = PackageVcs(type=kind, url=str(said[kind]), commit_id=str(said.get("ref", "")), subdirectory=inside)
            return Package(name=normalized, vcs=vcs)
    at = str(said.get("file") or said.get("path") or "")
    if not at:
        return None
    version = _version(at.rpartition("/")[2].partition("#")[0])
    if version is None:
        return Package(name=normalized, directory=PackageDirectory(path=at, editable=said.get("editable")))
    where = {"url": at} if "://" in at else {"path": at}
    digest = next(iter(sorted(hashes)), "")
    archive = PackageArchive(**where, hashes={"sha256": digest}, subdirectory=inside)  # type: ignore[arg-type]
    return Package(name=normalized, version=version, archive=archive)


def _version(filename: str) -> Version | None:
    """Return the version of an archive by its file name, None where it is none."""
    try:
        return parse_wheel_filename(filename)[1]
    except InvalidWheelFilename:
        pass
    try:
        return parse_sdist_filename(filename)[1]
    except InvalidSdistFilename:
        return None


def _indexes(meta: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lock's sources beside the first where that is called ``pypi``, as ``NAME=URL``."""
    for source in meta.get("sources", []):
        if source.get("name") != "pypi":
            # Pipenv takes logins from variables that the URL names.
            url = os.path.expandvars(str(source.get("url", "")))
            yield f"{canonicalize_name(str(source.get('name', 'source')))}={url}"


def _python(requires: Mapping[str, Any]) -> SpecifierSet | None:
    full, minor = str(requires.get("python_full_version", "")), str(requires.get("python_version", ""))
    text = f"=={full}" if full else f"=={minor}.*" if minor and minor != "*" else ""
    try:
        return SpecifierSet(text) if text else None
    except InvalidSpecifier:
        return None


def _is_older(pipfile: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Tell whether a lock was made from another Pipfile.

    A Pipfile without sources is hashed with those of the machine's pip, which nobody else knows: the names are compared
    then.
    """
    categories = {name: value for name, value in pipfile.items() if name not in _NO_CATEGORY}
    categories |= {"default": pipfile.get("packages", {}), "develop": pipfile.get("dev-packages", {})}
    if "source" not in pipfile:
        return any(
            not set(map(canonicalize_name, wanted)) <= set(map(canonicalize_name, data.get(category, {})))
            for category, wanted in categories.items()
        )
    meta = {"sources": pipfile["source"], "requires": pipfile.get("requires", {})}
    # Newer ones normalize names before they hash.
    normal = {
        category: {canonicalize_name(name): said for name, said in wanted.items()}
        for category, wanted in categories.items()
    }
    return data["_meta"].get("hash", {}).get("sha256") not in {
        None,
        *(_hash({"_meta": meta, **those}) for those in (categories, normal)),
    }


def _hash(counted: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(counted, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
