"""Hashes that requirements files name (``--hash`` in pip's manual): what is locked has one of them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.pylock import Package, PackageArchive, PackageSdist, PackageWheel, Pylock
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import InvalidWheelFilename, NormalizedName, canonicalize_name, parse_wheel_filename

from nixgen.errors import InputError, VerificationError
from nixgen.inputs.discover import read_text
from nixgen.inputs.local import LocalWheel
from nixgen.inputs.sources import OTHERS
from nixgen.uv_settings import TRUE

_HASH = re.compile(r"--hash(?:=|\s+)([A-Za-z0-9]+):([0-9A-Fa-f]*)")
#: A hash in the fragment of a URL or path, as pip's manual has it: it is about that one file.
_FRAGMENT = re.compile(r"#(?:[^\s#]*&)?(md5|sha1|sha224|sha256|sha384|sha512)=([0-9A-Fa-f]*)")
_OPTION = re.compile(r"\s--[a-z]")
_FILE = re.compile(r"(?:-[rc]\s*|--(?:requirement|constraint)(?:=|\s+))(?P<path>.+)")
_REQUIRE = re.compile(r"--require-hashes\b")
_COMMENT = re.compile(r"(^|\s)#.*$")

#: Variables by which uv and pip are told that every package needs a hash.
_VARIABLES = ("UV_REQUIRE_HASHES", "PIP_REQUIRE_HASHES")

#: A version, or "" for any.
_Key = tuple[NormalizedName, str]


@dataclass(frozen=True, kw_only=True)
class Named:
    """Hashes of one requirement.

    Attributes:
        where: the file, and the line where there are lines.
        sha256: those of SHA-256, lower-case hexadecimal.
        others: those of other algorithms, by name.
    """

    where: str
    sha256: frozenset[str] = frozenset()
    others: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def only(self) -> dict[str, str] | None:
        """Return the hash of the strongest algorithm beside SHA-256, with its name; None where it has several."""
        for algorithm in OTHERS:
            if digests := self.others.get(algorithm):
                return {algorithm: next(iter(digests))} if len(digests) == 1 else None
        return None


@dataclass(frozen=True, kw_only=True)
class Hashes:
    """What requirements files say of hashes.

    Attributes:
        required: whether every package must have one: ``--require-hashes``, or a variable of uv or pip.
        named: by name, and version where it is pinned.
    """

    required: bool = False
    named: Mapping[_Key, Named] = field(default_factory=dict)

    @classmethod
    def read(cls, paths: Iterable[Path], environ: Mapping[str, str] | None = None) -> Hashes:
        """Read requirements files, and those that they include.

        Raises:
            InputError: one of them cannot be read.
        """
        variables = os.environ if environ is None else environ
        required = any(variables.get(name, "").lower() in TRUE for name in _VARIABLES)
        named: dict[_Key, Named] = {}
        for where, line in _lines(paths):
            if _REQUIRE.match(line):
                required = True
            said = _HASH.findall(line) + _FRAGMENT.findall(line)
            found = [(algorithm.lower(), digest.lower()) for algorithm, digest in said]
            key = _key(line) if found else None
            if key is None:
                continue
            other = named.get(key, Named(where=where))
            by_algorithm: dict[str, frozenset[str]] = {**other.others, "sha256": other.sha256}
            for algorithm, digest in found:
                by_algorithm[algorithm] = by_algorithm.get(algorithm, frozenset()) | {digest}
            named[key] = Named(where=other.where, sha256=by_algorithm.pop("sha256"), others=by_algorithm)
        return cls(required=required, named=named)

    def with_wheels(self, wheels: Iterable[LocalWheel]) -> Hashes:
        """Return the same with wheels that lie here, which name their own hashes where nothing else does."""
        own = {
            (wheel.name, str(wheel.version)): Named(where=wheel.path.name, sha256=frozenset([wheel.sha256]))
            for wheel in wheels
        }
        named = {key: value for key, value in own.items() if (key[0], "") not in self.named}
        return replace(self, named={**named, **self.named})

    def restrict(self, lock: Pylock) -> Pylock:
        """Return a lock with the files only that the hashes allow.

        Raises:
            VerificationError: a package has no file with a hash that is named; lists all such packages.
            InputError: a package needs a hash and has none, or none that can be compared; likewise.
        """
        wrong: list[str] = []
        missing: list[str] = []
        packages = [self._restrict(package, wrong, missing) for package in lock.packages]
        if wrong:
            raise VerificationError(
                "packages have no file with a hash that is named for them:" + _indented(wrong),
                where=", ".join(
                    sorted({named.where.rpartition(":")[0] or named.where for named in self.named.values()})
                ),
                todo="do not install them, unless you know why the files were replaced; then name the new hashes",
            )
        if missing:
            raise InputError(
                "every package needs a hash, and these have none that can be compared:" + _indented(missing),
                where="--require-hashes",
                todo="name the SHA-256 of each: `uv pip compile --generate-hashes` does",
            )
        return replace(lock, packages=packages)

    def _restrict(self, package: Package, wrong: list[str], missing: list[str]) -> Package:
        shown = f"{package.name} {package.version or ''}".rstrip()
        named = self.named.get((package.name, str(package.version or ""))) or self.named.get((package.name, ""))
        if named is not None and not named.sha256 and (only := named.only()) and (one := _with_hashes(package, only)):
            return one
        if named is None or not named.sha256:
            if self.required or named is not None:
                missing.append(shown + (f" (only {', '.join(sorted(named.others))})" if named else ""))
            return package
        files: list[PackageWheel | PackageSdist | PackageArchive] = list(package.wheels or ())
        files += [file for file in (package.sdist, package.archive) if file is not None]
        allowed = [file for file in files if file.hashes.get("sha256", "").lower() in named.sha256]
        if not allowed:
            got = sorted({file.hashes.get("sha256", "?")[:16] for file in files})[:3]
            expected = sorted(digest[:16] for digest in named.sha256)[:3]
            wrong.append(f"{shown} ({named.where}): expected {', '.join(expected)}…, got {', '.join(got)}…")
            return package
        wheels = [wheel for wheel in package.wheels or () if wheel in allowed]
        return replace(package, wheels=wheels if package.wheels else None)


def _with_hashes(package: Package, hashes: Mapping[str, str]) -> Package | None:
    """Return a package whose only file, a wheel, has other hashes, which it is compared with whole; None of others."""
    if package.sdist is not None:
        return None
    archive, wheels = package.archive, package.wheels or ()
    if archive is not None and not wheels and (archive.url or archive.path or "").endswith(".whl"):
        return replace(package, archive=replace(archive, hashes=hashes))
    if archive is None and len(wheels) == 1:
        return replace(package, wheels=[replace(wheels[0], hashes=hashes)])
    return None


def joined_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the lines of a requirements file, each with its number: joined where they end with a backslash, stripped.

    Comments and empty lines are left out.

    Raises:
        InputError: it cannot be read.
    """
    joined, start = "", 0
    for number, text in enumerate(read_text(path).splitlines(), 1):
        line = _COMMENT.sub("", text)
        start = start or number
        if line.endswith("\\"):
            joined += line[:-1] + " "
            continue
        joined += line
        if logical := joined.strip():
            yield start, logical
        joined, start = "", 0


def included_file(line: str, path: Path, number: int) -> Path | None:
    """Return the file that a line of a requirements file includes, None where it includes none.

    Args:
        line: the line, joined.
        path: the file that it stands in.
        number: of the line.

    Raises:
        InputError: that file is not there.
    """
    included = _FILE.fullmatch(line)
    if included is None or "://" in line:
        return None
    inner = path.parent / included["path"].strip().strip("\"'")
    if not inner.exists():
        raise InputError(
            f"it asks for {inner.name}, which is not there",
            where=f"{path}:{number}",
            todo="create that file, or take the line out",
        )
    return inner


def _lines(paths: Iterable[Path], seen: frozenset[Path] = frozenset()) -> Iterator[tuple[str, str]]:
    """Yield the joined lines of requirements files, each with its place, and those of the files that they include."""
    for path in paths:
        real = path.resolve()
        if real in seen:
            continue
        for number, logical in joined_lines(path):
            yield f"{path.name}:{number}", logical
            if (inner := included_file(logical, path, number)) is not None:
                yield from _lines([inner], seen | {real})


def _key(line: str) -> _Key | None:
    """Return which package a line with hashes is about."""
    option = _OPTION.search(line)
    text = line[: option.start()].strip() if option else line
    text = re.sub(r"^(-e|--editable)\s+", "", text)
    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return _key_of_file(text)
    if requirement.url is not None:
        return canonicalize_name(requirement.name), ""
    pins = [specifier.version for specifier in requirement.specifier if specifier.operator in ("==", "===")]
    return canonicalize_name(requirement.name), _normalized(pins)


def _key_of_file(text: str) -> _Key | None:
    filename = re.split(r"[/\\]", text.partition("#")[0].partition("?")[0].strip())[-1]
    try:
        name, version, _, _ = parse_wheel_filename(filename)
    except InvalidWheelFilename:
        return None
    return name, str(version)


def _normalized(pins: Sequence[str]) -> str:
    from packaging.version import InvalidVersion, Version

    if len(pins) != 1:
        return ""
    try:
        return str(Version(pins[0]))
    except InvalidVersion:
        return ""


def _indented(lines: Iterable[str]) -> str:
    return "".join(f"\n    {line}" for line in lines)
