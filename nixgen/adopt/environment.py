"""What is installed in a virtual environment, as the RECORD of each distribution lists it (PEP 376)."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from nixgen.archives.findings import Findings
from nixgen.errors import InputError
from nixgen.venv.program import rights
from nixgen.wheels.record import parse_record, to_base64

from .below import Below

#: What installers write beside what the wheel brings: they may write it again.
_INSTALLERS = frozenset(
    ["RECORD", "INSTALLER", "REQUESTED", "direct_url.json", "provenance_url.json", "uv_cache.json", "uv_build.json"]
)

#: How long a RECORD may be, in bytes; that of TensorFlow, with 14,000 files, has 1.9 MB.
_LIMIT = 1 << 28

_EVERY_LIBRARY = ("lib/python*/site-packages", "lib64/python*/site-packages")


@dataclass(frozen=True, kw_only=True)
class InstalledFile:
    """One file that a RECORD lists.

    Attributes:
        path: relative to the environment, with no link on the way.
        sha256: what RECORD promises, base64 with padding; None where that is no SHA-256.
    """

    path: str
    sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """One installed distribution.

    Attributes:
        name: normalized.
        files: what the wheel brought, by its path in the wheel; not what installers write and compile.
    """

    name: str
    files: Mapping[str, InstalledFile]


class Environment:
    """A virtual environment (PEP 405), whichever tool made it.

    Attributes:
        root: its directory, with no link on the way.
        python: its interpreter.
        below: its files.
    """

    def __init__(self, root: Path, descriptor: int) -> None:
        self.root = root
        self.python = root / "bin" / "python"
        self.below = Below(descriptor)
        self._descriptor = descriptor

    @classmethod
    def find(cls, directory: Path) -> Environment:
        """Take a directory for an environment.

        Raises:
            InputError: it is none, or was put in the place of another one meanwhile.
        """
        reached = rights().reach(str(directory))
        if reached.descriptor is None or Below(os.dup(reached.descriptor)).status("pyvenv.cfg") is None:
            raise InputError(
                "there is no virtual environment: no pyvenv.cfg is there",
                where=str(directory),
                todo="name the directory that venv, uv or virtualenv made, often .venv",
            )
        root = directory.resolve()
        if not os.path.samestat(root.stat(), os.fstat(reached.descriptor)):
            raise InputError("this is another directory now", where=str(directory), todo="run this again")
        return cls(root, reached.descriptor)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other nixgen commands out of the environment meanwhile.

        Raises:
            InputError: one is at work there.
        """
        # A descriptor of its own: a lock lies on that.
        handle = os.open(".", os.O_RDONLY, dir_fd=self._descriptor)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise InputError(
                    "another nixgen is at work in this environment", where=str(self.root), todo="wait for it to end"
                ) from None
            self.below.forget()
            yield
        finally:
            os.close(handle)

    def distributions(self) -> list[Distribution]:
        """Return what is installed, sorted; a file that two of them list stands in both.

        Raises:
            InputError: nothing is installed that has a RECORD, or one cannot be read.
        """
        sites = {site.resolve() for pattern in _EVERY_LIBRARY for site in self.root.glob(pattern)}
        inside = [str(site.relative_to(self.root)) for site in sites if site.is_relative_to(self.root)]
        records = sorted(
            self.root / record
            for site in inside
            for name in self.below.names(site)
            if name.endswith(".dist-info") and self.below.status(record := f"{site}/{name}/RECORD") is not None
        )
        if not records:
            raise InputError(
                "nothing is installed here that has a RECORD",
                where=str(self.root),
                todo="install packages first, with pip, uv or poetry",
            )
        places: dict[tuple[Path, str], str | None] = {}
        return [self._distribution(record, places) for record in records]

    def _distribution(self, record: Path, places: dict[tuple[Path, str], str | None]) -> Distribution:
        """Read a RECORD; ``places`` remembers where each directory of a site-packages really is."""
        site, info = record.parent.parent, record.parent.name
        stem = info.removesuffix(".dist-info")
        try:
            with self.below.open(str(record.relative_to(self.root))) as file:
                content = file.read(_LIMIT)
        except OSError as error:
            raise InputError(f"cannot read RECORD: {error.strerror or error}", where=str(record)) from error
        files = {}
        # A RECORD that contradicts itself promises something wrong, which each file's content shows.
        for row, promised in parse_record(content, f"{info}/RECORD", Findings()).items():
            directory, _, name = row.rpartition("/")
            if name.endswith(".pyc") or (directory == info and name in _INSTALLERS):
                continue
            if (site, directory) not in places:
                places[site, directory] = self._place(site / directory)
            place = places[site, directory]
            if place is not None:
                path = f"{place}{name}"
                sha256 = to_base64(promised.digest) if promised.algorithm == "sha256" else None
                files[_in_wheel(row, path, stem)] = InstalledFile(path=path, sha256=sha256)
        return Distribution(name=canonicalize_name(stem.partition("-")[0]), files=files)

    def _place(self, directory: Path) -> str | None:
        """Return where a directory really is, relative to the environment, with a slash; None if outside of it."""
        real = Path(os.path.realpath(directory))
        if real == self.root:
            return ""
        return f"{real.relative_to(self.root)}/" if real.is_relative_to(self.root) else None


def _in_wheel(row: str, path: str, stem: str) -> str:
    """Return the path that a file had in its wheel: what lies outside of site-packages was in ``.data`` (PEP 427)."""
    if not row.startswith(("../", "/")):
        return row
    if path.startswith("bin/"):
        return f"{stem}.data/scripts/{path.removeprefix('bin/')}"
    return f"{stem}.data/data/{path}"
