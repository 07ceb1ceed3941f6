"""The packages of npm that an environment of a project's lock has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixgen.errors import InputError
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME
from nixgen.npm.fitting import fitting
from nixgen.npm.manifest import read_manifest
from nixgen.npm.model import NpmLock, NpmPackage
from nixgen.targets import default_system

if TYPE_CHECKING:
    from nixgen.environments.request import Request


@dataclass(frozen=True, kw_only=True)
class Selection:
    """What is chosen of a lock.

    Attributes:
        lock: its section.
        packages: what the environment holds, sorted by place.
        manifests: the package.json of the project ("") and of each directory of it that a link ends at; those that
            cannot be read are left out, as they only say what the project asks for itself.
    """

    lock: NpmLock
    packages: tuple[NpmPackage, ...]
    manifests: Mapping[str, Mapping[str, Any]]

    @classmethod
    def of(cls, request: Request) -> Selection:
        """Read the lock and choose.

        Raises:
            InputError: there is no lock, or nothing of npm's in it.
        """
        lock = Lock.from_file(request.base / LOCK_NAME).npm
        if lock is None:
            raise InputError(
                "the lock has nothing of npm",
                where=str(request.base / LOCK_NAME),
                todo="run `nixgen lock` in a project with a package-lock.json",
            )
        packages = fitting(lock, default_system(), request.omit)
        return cls(lock=lock, packages=tuple(packages), manifests=_manifests(request.base, packages))


def _manifests(base: Path, packages: list[NpmPackage]) -> dict[str, Mapping[str, Any]]:
    found = {}
    for directory in ("", *(package.link for package in packages if package.link is not None)):
        try:
            found[directory] = read_manifest(base / directory / "package.json")
        except InputError:
            continue
    return found
