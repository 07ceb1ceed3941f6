"""Which file of a locked package a target takes, and why some packages have none."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import url2pathname

from packaging.pylock import Package, PackageArchive, PackageWheel
from packaging.tags import Tag, create_compatible_tags_selector
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from nixgen.credentials import has_login, redacted, without_credentials
from nixgen.errors import InputError
from nixgen.model import WheelSource

_SAFE_FILENAME = re.compile(r"[A-Za-z0-9._+!-]+\.whl")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHOWN_TAGS = 4

#: Hashes that a whole wheel is compared with where its SHA-256 is not named, the strongest first.
_OTHERS = ("sha512", "sha384", "sha224", "sha1", "md5")

_TODO = "choose another version, Python or system, or build a wheel (`uv build`, `pip wheel`) and give its path too"


@dataclass(frozen=True, kw_only=True, order=True)
class Unusable:
    """A package that a target cannot take from its lock, with the reason and what would help."""

    name: str
    version: str
    reason: str
    todo: str = _TODO


@dataclass(frozen=True, kw_only=True)
class Found:
    """The wheel a target takes.

    Attributes:
        version: the version, from the lock or from the wheel's file name.
        wheel: where it comes from.
        url_with_login: its URL as the lock has it where that carries a login, for ``credentials``.
    """

    version: str
    wheel: WheelSource
    url_with_login: str | None = None


def pick(package: Package, tags: Sequence[Tag], *, directory: Path, base: Path, where: str) -> Found | Unusable:
    """Choose the wheel of one package for a target's tags.

    Args:
        package: the package, as ``packaging`` validated it.
        tags: the target's tags, best first.
        directory: what relative paths of the lock start from.
        base: what paths in the result start from.
        where: the lock, for errors.

    Raises:
        InputError: a file name or URL is malformed.
    """
    version = "" if package.version is None else str(package.version)
    if package.vcs is not None:
        return Unusable(name=package.name, version=version, reason=f"a {package.vcs.type} repository")
    if package.directory is not None:
        path = _posix(package.directory.path)
        shown = relative_to(base, directory / path, absolute=Path(path).is_absolute())
        return Unusable(name=package.name, version=version, reason=f"a directory ({shown})")
    entry: PackageArchive | PackageWheel
    if package.archive is not None:
        entry = package.archive
        filename = _basename(package.archive)
        if not filename.endswith(".whl"):
            return Unusable(name=package.name, version=version, reason=f"an archive of its source ({filename})")
        if not _select([filename], tags):
            return _no_match(package.name, version, [filename], sdist=False)
    else:
        wheels = {wheel.filename: wheel for wheel in package.wheels or ()}
        if not wheels and package.sdist is None:
            reason = "the lock names no file of it that fits its Pythons"
            return Unusable(name=package.name, version=version, reason=reason)
        if not wheels:
            return Unusable(name=package.name, version=version, reason="only a source distribution")
        chosen = _select(wheels, tags)
        if chosen is None:
            return _no_match(package.name, version, wheels, sdist=package.sdist is not None)
        filename, entry = chosen, wheels[chosen]
    return _found(package.name, version, filename, entry, directory=directory, base=base, where=where)


def _found(
    name: str,
    version: str,
    filename: str,
    entry: PackageArchive | PackageWheel,
    *,
    directory: Path,
    base: Path,
    where: str,
) -> Found | Unusable:
    context = f"{where}, package {name}"
    if not _SAFE_FILENAME.fullmatch(filename):
        raise InputError(f"{filename!r} is not the file name of a wheel", where=context, todo="correct the lock")
    parsed_name, parsed_version, _, _ = parse_wheel_filename(filename)
    if parsed_name != name:
        raise InputError(f"the wheel {filename} is not one of {name}", where=context, todo="correct the lock")
    version = version or str(parsed_version)
    hashes = _hashes(entry.hashes)
    sha256 = hashes.get("sha256", "").lower() or None
    other = next(((name, hashes[name].lower()) for name in _OTHERS if name in hashes), None) if not sha256 else None
    if (sha256 is not None and not _SHA256.fullmatch(sha256)) or (sha256 is None and other is None):
        only = ", ".join(sorted(hashes))
        return Unusable(
            name=name,
            version=version,
            reason=f"the lock has no hash of {filename} that is known (only {only})"
            if not sha256
            else "a malformed SHA-256",
            todo="make the lock again with SHA-256 hashes",
        )
    if entry.url is None or entry.url.startswith("file:"):
        text = _posix(entry.path or "") if entry.url is None else url2pathname(urlsplit(entry.url).path)
        path = relative_to(base, directory / text, absolute=Path(text).is_absolute())
        wheel = WheelSource(filename=filename, path=path, sha256=sha256, size=entry.size, other=other)
        return Found(version=version, wheel=wheel)
    parts = urlsplit(entry.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise InputError(
            f"cannot download from {redacted(without_credentials(entry.url))!r}",
            where=context,
            todo="use an http or https URL, or a path",
        )
    url = without_credentials(urlunsplit(parts._replace(fragment="")))
    return Found(
        version=version,
        wheel=WheelSource(filename=filename, url=url, sha256=sha256, size=entry.size, other=other),
        url_with_login=entry.url if has_login(entry.url) else None,
    )


def relative_to(base: Path, path: Path, *, absolute: bool) -> str:
    """Return a path as a lock has it: relative to ``base`` where it lies inside, or where it was given so.

    Args:
        base: the directory of the lock.
        path: the path, joined to whatever it was relative to.
        absolute: whether it was given as an absolute path, and so stays one outside of ``base``.
    """
    full, start = os.path.normpath(path.absolute()), os.path.normpath(base.absolute())
    if absolute and not Path(full).is_relative_to(start):
        return PurePosixPath(full).as_posix()
    return PurePosixPath(os.path.relpath(full, start)).as_posix()


def _select(filenames: Collection[str], tags: Sequence[Tag]) -> str | None:
    """Return the file name that fits best; among equals the highest build number, as pip has it (PEP 427)."""
    parsed = []
    for filename in filenames:
        try:
            _, _, build, wheel_tags = parse_wheel_filename(filename)
        except InvalidWheelFilename as error:
            raise InputError(str(error), where=filename, todo="rename the wheel as it was built") from error
        parsed.append((build, filename, wheel_tags))
    parsed.sort(key=lambda row: row[0], reverse=True)
    selector = create_compatible_tags_selector(tags)
    return next(selector((filename, wheel_tags) for _, filename, wheel_tags in parsed), None)


def _no_match(name: str, version: str, filenames: Collection[str], *, sdist: bool) -> Unusable:
    tags = sorted({"-".join(filename[: -len(".whl")].split("-")[-3:]) for filename in filenames})
    more = f" and {len(tags) - _SHOWN_TAGS} more" if len(tags) > _SHOWN_TAGS else ""
    reason = f"wheels only for {', '.join(_short(tags))}{more}"
    return Unusable(
        name=name,
        version=version,
        reason=reason + (", and a source distribution" if sdist else ""),
    )


def _short(tags: Sequence[str]) -> Iterator[str]:
    for tag in tags[:_SHOWN_TAGS]:
        interpreter, abi, platforms = tag.split("-")
        yield f"{interpreter}-{abi}-{platforms.partition('.')[0]}"


def _hashes(hashes: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in hashes.items()}


def _basename(archive: PackageArchive) -> str:
    if archive.url is not None:
        return unquote(urlsplit(archive.url).path.rsplit("/", 1)[-1])
    return _posix(archive.path or "").rsplit("/", 1)[-1]


def _posix(path: str) -> str:
    """Return a path of a lock with POSIX separators; PEP 751 allows it those of Windows."""
    return path if "/" in path else path.replace("\\", "/")
