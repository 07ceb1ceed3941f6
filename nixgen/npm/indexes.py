"""What is known of the archives that a lock names: read again where this user has not, or not any more."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.npm.archive import ArchiveIndex
from nixgen.npm.fetch import Wanted, fetch
from nixgen.observer import SILENT, Observer

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.npm.model import NpmPackage


def indexes_of(
    packages: Iterable[NpmPackage], *, base: Path, access: Callable[[], Access], observer: Observer = SILENT
) -> dict[str, ArchiveIndex]:
    """Return the indexes of some packages' archives, by their integrity.

    Args:
        packages: those without an archive count for nothing.
        base: the directory that relative paths refer to.
        access: says how servers are reached.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``nixgen.npm.fetch.fetch``.
    """
    wanted = {one.archive.integrity: wanted_of(one) for one in packages if one.archive is not None}
    if not wanted:
        return {}
    with observer.counting("reading packages") as progress:
        found = fetch(wanted.values(), base=base, known={}, access=access(), progress=progress).found
    return {integrity: found[asked].index for integrity, asked in wanted.items()}


def wanted_of(package: NpmPackage) -> Wanted:
    """Return the archive of a package as one to get."""
    archive = package.archive
    assert archive is not None
    return Wanted(
        what=f"{package.name} {package.version}",
        url=archive.url,
        path=archive.path,
        checkout=archive.checkout,
        integrity=archive.integrity,
    )
