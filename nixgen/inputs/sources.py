"""Which file of a locked package a target takes, and why some packages have none."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Container, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel
from packaging.tags import Tag
from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from nixgen.credentials import has_unescaped_login, public_url, redacted, without_credentials
from nixgen.errors import InputError
from nixgen.model import Source, WheelSource

#: Gives those of some file names with their tags that fit a target, best first.
Selector = Callable[[Iterable[tuple[str, Set[Tag]]]], Iterator[str]]

_SAFE_FILENAME = re.compile(r"[A-Za-z0-9._+!-]+\.whl")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SHOWN_TAGS = 4

#: Hashes that a whole wheel is compared with where its SHA-256 is not named, the strongest first.
OTHERS = ("sha512", "sha384", "sha224", "sha1", "md5")

_TODO = (
    "leave out --no-build (UV_NO_BUILD and [tool.uv] no-build mean it too); "
    "or choose another version, Python or system, or build a wheel (`uv build`, `pip wheel`) and "
    "give its path too"
)


#: Why a package that has wheels is built.
_ASKED = "asked for"


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
        url_with_login: its URL as the input has it where that carries a login or another secret, for ``credentials``.
    """

    version: str
    wheel: WheelSource
    url_with_login: str | None = None


def pick(
    package: Package,
    fitting: Selector,
    *,
    directory: Path,
    base: Path,
    where: str,
    from_source: Container[str] = (),
) -> Found | Unusable:
    """Choose the wheel of one package for a target, or what to build one of.

    Args:
        package: the package, as ``packaging`` validated it.
        fitting: tells which wheels fit the target (``packaging.tags.create_compatible_tags_selector``).
        directory: what relative paths of the lock start from.
        base: what paths in the result start from.
        where: the lock, for errors.
        from_source: names of packages whose source distribution is preferred.

    Raises:
        InputError: a file name or URL is malformed.
    """
    place = _Place(directory=directory, base=base, where=f"{where}, package {package.name}")
    version = "" if package.version is None else str(package.version)
    if package.vcs is not None or package.directory is not None:
        return _of_tree(package, version, place)
    if package.archive is not None:
        filename = _basename(package.archive)
        if not filename.endswith(".whl"):
            why = f"an archive of its source ({filename})"
            return _of_archive(package.name, version, package.archive, why, place, package.archive.subdirectory)
        if not _select([filename], fitting):
            return _no_match(package.name, version, [filename])
        return _found(package.name, version, filename, package.archive, place)
    wheels = {wheel.filename: wheel for wheel in package.wheels or ()}
    chosen = _select(wheels, fitting)
    if package.sdist is not None and (chosen is None or package.name in from_source):
        why = f"{_only_for(wheels)}, and a source distribution" if wheels else "only a source distribution"
        if package.name in from_source:
            why = _ASKED
        return _of_archive(package.name, version, package.sdist, why, place)
    if chosen is not None:
        return _found(package.name, version, chosen, wheels[chosen], place)
    if wheels:
        return _no_match(package.name, version, wheels)
    return Unusable(name=package.name, version=version, reason="the lock names no file of it that fits its Pythons")


@dataclass(frozen=True, kw_only=True)
class _Place:
    """Where a package stands.

    Attributes:
        directory: what relative paths of its lock start from.
        base: what paths in the result start from.
        where: the package, for errors.
    """

    directory: Path
    base: Path
    where: str

    def shown(self, text: str) -> str:
        """Return a path of the lock as the result has it."""
        path = _posix(text)
        return relative_to(self.base, self.directory / path, absolute=Path(path).is_absolute())


def _of_tree(package: Package, version: str, place: _Place) -> Found | Unusable:
    """Return a package that is built of a repository or a directory."""
    vcs, directory = package.vcs, package.directory
    if directory is not None:
        path = place.shown(directory.path)
        source = Source(directory=path, subdirectory=_inner(directory.subdirectory), why=f"a directory ({path})")
    elif vcs is not None and vcs.type == "git" and (vcs.url or vcs.path):
        _check_login(vcs.url or "", place)
        url = without_credentials(vcs.url or (place.directory / (vcs.path or "")).resolve().as_uri())
        source = Source(
            repository=url.removeprefix("git+"),
            commit=vcs.commit_id,
            revision=vcs.requested_revision or "",
            subdirectory=_inner(vcs.subdirectory),
            why="a git repository",
        )
    else:
        kind = "" if vcs is None else vcs.type
        return Unusable(name=package.name, version=version, reason=f"a {kind} repository", todo="use a Git repository")
    return _to_build(package.name, version, source)


def _of_archive(
    name: str,
    version: str,
    entry: PackageArchive | PackageSdist,
    why: str,
    place: _Place,
    subdirectory: str | None = None,
) -> Found | Unusable:
    """Return a package that is built of an archive."""
    hashes = _hashes(entry.hashes)
    sha256 = hashes.get("sha256", "").lower() or None
    if hashes.keys() - {"sha256"} and sha256 is None:
        only = ", ".join(sorted(hashes))
        reason, todo = f"no SHA-256 of its source distribution is known (only {only})", "make the lock again"
        return Unusable(name=name, version=version, reason=reason, todo=todo)
    url, path = _url_or_path(entry, place)
    source = Source(
        url=url,
        path=path,
        sha256=sha256,
        size=entry.size,
        subdirectory=_inner(subdirectory),
        direct=isinstance(entry, PackageArchive),
        why=why,
    )
    return replace(_to_build(name, version, source), url_with_login=_secret(entry, url))


def _to_build(name: str, version: str, source: Source) -> Found:
    filename = f"{name}-{version}" if version else name
    return Found(version=version, wheel=WheelSource(filename=filename, source=source))


def _inner(subdirectory: str | None) -> str:
    inner = PurePosixPath(_posix(subdirectory or "")).as_posix()
    return "" if inner == "." else inner


def _url_or_path(entry: PackageArchive | PackageSdist | PackageWheel, place: _Place) -> tuple[str | None, str | None]:
    """Return where a file is: its URL without login and fragment, or its path as the result has it.

    Raises:
        InputError: its URL is none that can be downloaded from.
    """
    if entry.url is None or entry.url.startswith("file:"):
        text = _posix(entry.path or "") if entry.url is None else unquote(urlsplit(entry.url).path)
        return None, place.shown(text)
    _check_login(entry.url, place)
    try:
        if urlsplit(url := public_url(entry.url)).scheme in {"http", "https"}:
            return url, None
    except ValueError:
        pass  # a port that is no number, half an IPv6 address
    raise InputError(
        f"cannot download from {redacted(without_credentials(entry.url))!r}",
        where=place.where,
        todo="use an http or https URL, or a path",
    )


def _check_login(url: str, place: _Place) -> None:
    """Do nothing where the login of a URL can be told from the rest.

    Raises:
        InputError: it cannot, and would not be taken out.
    """
    if has_unescaped_login(url):
        raise InputError(
            "a URL has '@' behind a '/', '?' or '#'",
            where=place.where,
            todo="escape these in a login (%2F, %3F, %23), or the '@' in a path (%40)",
        )


def _secret(entry: PackageArchive | PackageSdist | PackageWheel, url: str | None) -> str | None:
    """Return a URL as the input has it, where it says more than the lock's does."""
    return entry.url if url is not None and entry.url is not None and url != entry.url.partition("#")[0] else None


def _found(
    name: str, version: str, filename: str, entry: PackageArchive | PackageWheel, place: _Place
) -> Found | Unusable:
    if not _SAFE_FILENAME.fullmatch(filename):
        raise InputError(f"{filename!r} is not the file name of a wheel", where=place.where, todo="correct the lock")
    parsed_name, parsed_version, _, _ = parse_wheel_filename(filename)
    if parsed_name != name:
        raise InputError(f"the wheel {filename} is not one of {name}", where=place.where, todo="correct the lock")
    version = version or str(parsed_version)
    hashes = _hashes(entry.hashes)
    sha256 = hashes.get("sha256", "").lower() or None
    other = next(((name, hashes[name].lower()) for name in OTHERS if name in hashes), None) if not sha256 else None
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
    url, path = _url_or_path(entry, place)
    return Found(
        version=version,
        wheel=WheelSource(
            filename=filename,
            url=url,
            path=path,
            sha256=sha256,
            size=entry.size,
            other=other,
            direct=isinstance(entry, PackageArchive),
        ),
        url_with_login=_secret(entry, url),
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


def _select(filenames: Collection[str], fitting: Selector) -> str | None:
    """Return the file name that fits best; among equals the highest build number, as pip has it (PEP 427)."""
    parsed = []
    for filename in filenames:
        try:
            _, _, build, wheel_tags = parse_wheel_filename(filename)
        except InvalidWheelFilename as error:
            raise InputError(str(error), where=filename, todo="rename the wheel as it was built") from error
        parsed.append((build, filename, wheel_tags))
    parsed.sort(key=lambda row: row[0], reverse=True)
    return next(fitting((filename, wheel_tags) for _, filename, wheel_tags in parsed), None)


def _no_match(name: str, version: str, filenames: Collection[str]) -> Unusable:
    todo = "choose another version, Python or system"
    return Unusable(name=name, version=version, reason=_only_for(filenames), todo=todo)


def _only_for(filenames: Collection[str]) -> str:
    """Return what some wheels are for, as the reason why a target takes none of them."""
    tags = sorted({"-".join(filename[: -len(".whl")].split("-")[-3:]) for filename in filenames})
    more = f" and {len(tags) - _SHOWN_TAGS} more" if len(tags) > _SHOWN_TAGS else ""
    return f"wheels only for {', '.join(_short(tags))}{more}"


def _short(tags: Sequence[str]) -> Iterator[str]:
    for tag in tags[:_SHOWN_TAGS]:
        interpreter, abi, platforms = tag.split("-")
        yield f"{interpreter}-{abi}-{platforms.partition('.')[0]}"


def _hashes(hashes: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in hashes.items()}


def _basename(archive: PackageArchive) -> str:
    if archive.url is not None:
        return unquote(re.split(r"[?#]", without_credentials(archive.url))[0].rsplit("/", 1)[-1])
    return _posix(archive.path or "").rsplit("/", 1)[-1]


def _posix(path: str) -> str:
    """Return a path of a lock with POSIX separators; PEP 751 allows it those of Windows."""
    return path if "/" in path else path.replace("\\", "/")
