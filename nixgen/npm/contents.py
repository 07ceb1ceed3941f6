"""What files the archives of packages have, by content: each archive is read once per user.

A lock has one hash for each archive, and none for its files. Nix shares equal files of its store by the hash of their
serialisation (``auto-optimise-store``), in which an executable file is another one: what has that hash in common is one
file on the disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.cache import cache_directory
from nixgen.comparison.contents import Content, PackageFiles
from nixgen.leaf import base32
from nixgen.library import builder_module
from nixgen.npm.fetch import fetch
from nixgen.npm.indexes import wanted_of
from nixgen.npm.supply import archive_path, digest_of, kept
from nixgen.observer import SILENT, Observer
from nixgen.verification.nar import flat_nar

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.npm.model import NpmArchive, NpmPackage

#: What is kept of an archive depends on how it is read: a new number where that changes.
_CONTENTS = "contents-1"


@dataclass(frozen=True, slots=True)
class ArchiveFile:
    """A file of an archive.

    Attributes:
        size: in bytes.
        executable: whether it may be run.
        sha256: of its content, hexadecimal.
        nar: SHA-256 of its serialisation, as Nix names the file that equal ones are links to.
    """

    size: int
    executable: bool
    sha256: str
    nar: str


#: The files of an archive, by their paths in the package as npm unpacks them.
Contents = Mapping[str, ArchiveFile]


def contents_of(
    packages: Iterable[NpmPackage],
    *,
    base: Path,
    store_dir: str,
    access: Callable[[], Access],
    observer: Observer = SILENT,
) -> dict[str, Contents]:
    """Return the files of some packages' archives, by their integrity.

    Archives are looked for on this machine, and fetched where they are not on it.

    Args:
        packages: those without an archive count for nothing.
        base: the directory that relative paths refer to.
        store_dir: the store that may have archives.
        access: says how servers are reached, if any has to be asked.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``nixgen.npm.fetch.fetch``.
    """
    archives = {package.archive.integrity: package for package in packages if package.archive is not None}
    found: dict[str, Contents] = {}
    with observer.waiting("reading packages") as watch:
        for integrity, package in archives.items():
            if watch is not None:
                watch(package.name)
            contents = _found_here(package, base, store_dir)
            if contents is not None:
                found[integrity] = contents
    lacking = {integrity: package for integrity, package in archives.items() if integrity not in found}
    if lacking:
        integrities = {digest_of(_archive(package)).hex(): integrity for integrity, package in lacking.items()}

        def read(digest: str, file: Path) -> None:
            found[integrities[digest]] = _read(digest, file)

        wanted = [wanted_of(package) for package in lacking.values()]
        with observer.counting("reading packages") as progress:
            fetch(wanted, base=base, known={}, access=access(), progress=progress, each=read)
    return found


def npm_files(packages: Iterable[NpmPackage], contents: Mapping[str, Contents]) -> list[PackageFiles]:
    """Return the files of packages, each archive once, with the number of its places.

    Args:
        packages: those without an archive are left out.
        contents: as ``contents_of`` gives them; it may lack some.
    """
    alike: dict[tuple[str, str, str], int] = {}
    for package in packages:
        if package.archive is not None:
            key = package.name, package.version, package.archive.integrity
            alike[key] = alike.get(key, 0) + 1
    return [
        PackageFiles(
            name=name,
            version=version,
            files={
                path: (("", file.nar), file.size) for path, file in contents.get(integrity, {}).items() if file.size
            },
            copies=copies,
        )
        for (name, version, integrity), copies in alike.items()
    ]


def is_pooled(content: Content, store_dir: str) -> bool:
    """Tell whether the store has a content of ``npm_files`` among those that it keeps once (``.links``)."""
    return os.path.lexists(f"{store_dir}/.links/{base32(bytes.fromhex(content[1]))}")


def _found_here(package: NpmPackage, base: Path, store_dir: str) -> Contents | None:
    archive = _archive(package)
    digest = digest_of(archive).hex()
    with contextlib.suppress(OSError, ValueError, TypeError):
        said = json.loads((_place() / digest).read_bytes())
        return {path: ArchiveFile(*fields) for path, fields in said.items()}
    own = [base / archive.path] if archive.path is not None else []
    for file in (*own, *kept(archive), Path(archive_path(package, store_dir))):
        with contextlib.suppress(OSError):
            if _sha512(file) == digest:
                return _read(digest, file)
    return None


def _read(digest: str, file: Path) -> Contents:
    """Read an archive, and remember what is in it."""
    from nixgen.emit.files import write_several

    found: dict[str, ArchiveFile] = {}
    for member, read in builder_module("npm_archive").members(str(file)):
        before, behind = flat_nar(member.size, executable=member.executable)
        content, serialised = hashlib.sha256(), hashlib.sha256(before)
        while piece := read():
            content.update(piece)
            serialised.update(piece)
        serialised.update(behind)
        found[member.path] = ArchiveFile(member.size, member.executable, content.hexdigest(), serialised.hexdigest())
    with contextlib.suppress(OSError):
        kept_text = json.dumps({path: astuple(one) for path, one in found.items()}, separators=(",", ":"))
        write_several(_place(), {digest: kept_text.encode()})
    return found


def _place() -> Path:
    return cache_directory() / "npm" / _CONTENTS


def _sha512(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha512").hexdigest()


def _archive(package: NpmPackage) -> NpmArchive:
    assert package.archive is not None
    return package.archive
