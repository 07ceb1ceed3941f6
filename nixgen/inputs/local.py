"""Wheels on disk that a user gives: by their paths, as a directory, or as ``--find-links`` beside a lock."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

from packaging.pylock import Package, PackageWheel, Pylock
from packaging.utils import InvalidWheelFilename, NormalizedName, parse_wheel_filename
from packaging.version import Version

from nixgen.errors import InputError
from nixgen.inputs.options import ResolverOptions
from nixgen.targets import Target
from nixgen.targets.tags import tags
from nixgen.temporary import temporary_directory


@dataclass(frozen=True, kw_only=True)
class LocalWheel:
    """A wheel on disk.

    Attributes:
        path: absolute.
        name: normalized.
        version: of its file name.
        sha256: 64 lower-case hexadecimal digits.
        size: in bytes.
    """

    path: Path
    name: NormalizedName
    version: Version
    sha256: str
    size: int

    @classmethod
    def read(cls, path: Path) -> LocalWheel:
        """Read a wheel as far as it matters which one it is.

        Raises:
            InputError: its name is none of a wheel, or it cannot be read.
        """
        try:
            name, version, _, _ = parse_wheel_filename(path.name)
        except InvalidWheelFilename as error:
            raise InputError(str(error), where=str(path), todo="rename the wheel as it was built") from error
        from nixgen.wheels.verify import hash_file  # most locks are given no wheels

        try:
            sha256, size = hash_file(path)
        except OSError as error:
            raise InputError(
                f"the wheel cannot be read: {error.strerror}", where=str(path), todo="give another"
            ) from error
        return cls(path=path.absolute(), name=name, version=version, sha256=sha256, size=size)

    @property
    def requirement(self) -> str:
        """The wheel as a requirement (PEP 508)."""
        return f"{self.name} @ {self.path.as_uri()}"

    def entry(self) -> PackageWheel:
        """Return it as a lock has it."""
        return PackageWheel(path=self.path.as_posix(), size=self.size, hashes={"sha256": self.sha256})


@dataclass(frozen=True, kw_only=True)
class LocalWheels:
    """What a user gives beside another input.

    Attributes:
        given: wheels by their paths: each is the file of its package, whatever hash a lock names.
        directories: where the files of a lock may lie too, by their names; one with a hash of the lock's is taken.
    """

    given: tuple[LocalWheel, ...] = ()
    directories: tuple[Path, ...] = ()
    _taken: set[Path] = field(default_factory=set, repr=False, compare=False)
    _read: dict[Path, LocalWheel] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, given: Iterable[Path], options: ResolverOptions) -> LocalWheels:
        """Return what the command line gives.

        Raises:
            InputError: a wheel cannot be read.
        """
        said = [*options.find_links, *filter(None, os.environ.get("UV_FIND_LINKS", "").split(","))]
        paths = [Path(unquote(urlsplit(text).path)) if text.startswith("file:") else Path(text) for text in said]
        return cls(
            given=tuple(map(LocalWheel.read, given)),
            directories=tuple(path.absolute() for path in paths if path.is_dir()),
        )

    def take(self, lock: Pylock, *, where: str) -> Pylock:
        """Return a lock with the files that lie here in place of those that have to be downloaded.

        Args:
            lock: the lock.
            where: its name, for errors.

        Raises:
            InputError: a wheel that is given is of another version.
        """
        if not self.given and not self.directories:
            return lock
        return replace(lock, packages=[self._taken_from_here(package, where) for package in lock.packages])

    def _taken_from_here(self, package: Package, where: str) -> Package:
        given = [wheel for wheel in self.given if wheel.name == package.name]
        if given:
            for wheel in given:
                if package.version is not None and wheel.version != package.version:
                    raise InputError(
                        f"{wheel.path.name} is not of the version that is locked: {package.name} {package.version}",
                        where=where,
                        todo=f"give a wheel of {package.version}, or lock {wheel.version} there first",
                    )
            self._taken.update(wheel.path for wheel in given)
            return Package(
                name=package.name,
                version=package.version or given[0].version,
                marker=package.marker,
                requires_python=package.requires_python,
                wheels=[wheel.entry() for wheel in given],
            )
        if not package.wheels:
            return package
        return replace(package, wheels=[self._found(wheel) or wheel for wheel in package.wheels])

    def _found(self, wheel: PackageWheel) -> PackageWheel | None:
        """Return the file of a lock's wheel as it lies here."""
        sha256 = wheel.hashes.get("sha256", "").lower()
        for directory in self.directories if wheel.url is not None else ():
            path = directory / wheel.filename
            if path.is_file():
                found = self._read[path] = self._read.get(path) or LocalWheel.read(path)
                if found.sha256 == sha256:
                    return found.entry()
        return None

    def requirements(self) -> list[str]:
        """Return the wheels that are given as requirements for uv, which takes one of each package.

        Raises:
            InputError: there are several of one.
        """
        by_name: dict[NormalizedName, list[LocalWheel]] = {}
        for wheel in self.given:
            by_name.setdefault(wheel.name, []).append(wheel)
        if several := [wheels for wheels in by_name.values() if len(wheels) > 1]:
            raise InputError(
                "several wheels of one package are given: " + ", ".join(wheel.path.name for wheel in several[0]),
                where=str(several[0][0].path.parent),
                todo="put them into a directory and give that with --find-links",
            )
        return [wheel.requirement for wheel in self.given]

    @contextmanager
    def constraints(self) -> Iterator[list[str]]:
        """Give the arguments by which uv takes the wheels that are given, where it resolves."""
        if not self.given:
            yield []
            return
        with temporary_directory() as created:
            file = created.resolve() / "wheels.txt"
            file.write_text("".join(f"{line}\n" for line in self.requirements()), encoding="utf-8")
            yield ["--constraints", str(file)]

    def notes(self, *, where: str) -> Iterator[str]:
        """Yield a line for each wheel that was taken because it was given.

        Raises:
            InputError: one was not, since no package that is wanted has its name; lists all of them.
        """
        if lost := [wheel for wheel in self.given if wheel.path not in self._taken]:
            raise InputError(
                "nothing that is wanted is a package of these wheels:"
                + "".join(f"\n    {wheel.path.name}: {wheel.name} {wheel.version}" for wheel in lost),
                where=where,
                todo="add the package there, or do not give the wheel",
            )
        for wheel in self.given:
            yield f"{wheel.path.name} is taken for {wheel.name} {wheel.version}, as it was given"


def names_in(directory: Path, targets: Sequence[Target]) -> tuple[list[str], list[str]]:
    """Return the packages of a directory of wheels, sorted, and a note for each that no target can use.

    Raises:
        InputError: it has no wheel, or a file whose name is none of a wheel.
    """
    found: dict[NormalizedName, bool] = {}
    supported = [frozenset(tags(target)) for target in targets]
    for path in sorted(directory.glob("*.whl")):
        try:
            name, _, _, wheel_tags = parse_wheel_filename(path.name)
        except InvalidWheelFilename as error:
            raise InputError(str(error), where=str(path), todo="rename the wheel as it was built") from error
        found[name] = found.get(name, False) or any(wheel_tags & fitting for fitting in supported)
    if not found:
        raise InputError(
            "there is no wheel in it", where=str(directory), todo="name a directory of wheels, or one file in it"
        )
    return [name for name, fits in found.items() if fits], [
        f"{name} is left out: no wheel of it in {directory} is for this lock's targets"
        for name, fits in found.items()
        if not fits
    ]
