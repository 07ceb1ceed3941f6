"""What a lock has of each package of npm: its archive, files, and where the store has it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from nixgen.environments.npm import npm_access, store_places
from nixgen.environments.request import Request
from nixgen.npm.contents import ArchiveFile, Contents, contents_of
from nixgen.npm.indexes import indexes_of
from nixgen.npm.model import NpmPackage
from nixgen.npm.selection import Selection
from nixgen.observer import SILENT, Observer
from nixgen.store import Store


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A package at a place.

    Attributes:
        package: what the lock says.
        archive: what its archive is called; "" for a directory of the project.
        files: how many files that has; None likewise.
        path: where the store has it; None where it is not built.
        contents: its files, where they were asked for.
    """

    package: NpmPackage
    archive: str
    files: int | None
    path: str | None
    contents: Mapping[str, ArchiveFile] | None

    def described(self) -> dict[str, Any]:
        """Return what JSON says of it (docs/commands.md)."""
        package = self.package
        return {
            "at": package.at,
            "name": package.name,
            "version": package.version,
            "archive": self.archive or None,
            "integrity": package.archive.integrity if package.archive is not None else None,
            "link": package.link,
            "files": self.files,
            "path": self.path,
            **({} if self.contents is None else {"contents": _listed(self.contents)}),
        }


def shown(
    selection: Selection,
    places: Collection[str],
    request: Request,
    *,
    files: bool = False,
    observer: Observer = SILENT,
) -> list[Shown]:
    """Return packages of an environment, sorted by place.

    Args:
        selection: the environment.
        places: those to return.
        request: what it was chosen by.
        files: whether the files are wanted too.
        observer: is told what goes on.

    Raises:
        NixError: Nix is missing, or cannot evaluate.
        NixgenError: as ``nixgen.npm.fetch.fetch``.
    """
    store = Store(request.settings)
    packages = [package for package in selection.packages if package.at in places]
    lying = store_places(request, store)
    missing = store.invalid({path.rpartition("/")[0] for path in lying.values()})
    base = request.base

    def access() -> Any:
        return npm_access(base, request.mirrors)

    indexes = indexes_of(packages, base=base, access=access, observer=observer)
    contents: Mapping[str, Contents] = {}
    if files:
        contents = contents_of(packages, base=base, store_dir=store.directory, access=access, observer=observer)
    found = []
    for package in packages:
        archive = package.archive
        path = lying.get(package.at, "").rpartition("/")[0]
        index = indexes.get(archive.integrity) if archive is not None else None
        found.append(
            Shown(
                package=package,
                archive=archive.place.rpartition("/")[2] if archive is not None else "",
                files=index.files if index is not None else None,
                path=path if path and path not in missing else None,
                contents=contents.get(archive.integrity, {}) if archive is not None and files else None,
            )
        )
    return found


def _listed(contents: Contents) -> list[dict[str, Any]]:
    files = ((path, asdict(file)) for path, file in sorted(contents.items()))
    return [{"path": path, **{key: file[key] for key in ("size", "sha256", "executable")}} for path, file in files]
