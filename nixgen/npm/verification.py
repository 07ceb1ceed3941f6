"""Comparing what the store holds of an environment of npm's packages with the lock, and with what Nix recorded.

A lock has one hash for each archive, and none for its files: an archive is compared with that, and what Nix unpacked
with the hash of the whole store path in its database. Where that differs, the package is unpacked once more to tell the
files.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from nixgen.errors import NixError
from nixgen.npm.selection import Selection
from nixgen.npm.supply import archive_path, digest_of, kept
from nixgen.observer import SILENT, Observer
from nixgen.store import Store
from nixgen.verification.built import BuiltPaths
from nixgen.verification.derivations import make_like_nix
from nixgen.verification.findings import Finding, Kind, Report
from nixgen.verification.leaves import Counter, in_threads
from nixgen.verification.nar import read_file
from nixgen.verification.replace import forget_link, replace, spare_path

if TYPE_CHECKING:
    from nixgen.environments.request import Request
    from nixgen.npm.model import NpmArchive, NpmPackage
    from nixgen.verification.derivations import Derivation


def verify_npm(request: Request, observer: Observer = SILENT, *, link: Path | None = None) -> Report:
    """Compare the archives that the store has with the lock, and the packages and the environment with Nix's database.

    Nothing is changed. An archive that the store lacks is no damage: only a build needs it.

    Args:
        request: the environment.
        observer: is told what goes on.
        link: a link to the environment, None where there is none.

    Raises:
        InputError: there is no lock, or nothing of npm's in it.
        NixError: Nix is missing, or cannot evaluate.
    """
    return NpmVerification(request, observer, link).run()


def repair_npm(request: Request, report: Report, observer: Observer = SILENT, *, link: Path | None = None) -> Report:
    """Restore what is wrong, and compare again.

    Archives come from a cache, the user's or npm's; the rest Nix builds again (``nix-store --repair-path``).

    Args:
        request: the environment.
        report: what was found.
        observer: is told what goes on.
        link: a link to the environment, None where there is none.

    Raises:
        NixgenError: as ``verify_npm``.
    """
    store, problems = Store(request.settings), []
    wrong = {finding.path: finding.what for finding in report.findings}
    packages = Selection.of(request).packages
    archives = {archive_path(one, store.directory): one.archive for one in packages if one.archive is not None}
    for path in sorted(wrong, key=lambda path: (_ORDER.get(wrong[path], 0), path)):
        try:
            if path in archives:
                if not _put_back(path, archives[path], store):
                    problems.append(f"{path} is in no cache: `nix-store --delete` it, and `nixgen build` fetches it")
                continue
            with observer.waiting("restoring") as watch:
                if watch is not None:
                    watch(path)
                store.repair(path)
        except NixError as error:
            problems.append(f"{path} is not restored: {error.what}")
        except OSError as error:
            problems.append(f"{path} is not restored: {error.strerror}")
    after = verify_npm(request, observer, link=link)
    still = {(finding.kind, finding.path, finding.file) for finding in after.findings}
    after.repaired = [one for one in report.findings if (one.kind, one.path, one.file) not in still]
    after.problems = [*problems, *after.problems]
    return after


def _put_back(path: str, archive: NpmArchive, store: Store) -> bool:
    """Put a sound copy of an archive in the place of one in the store; false where this machine has none."""
    for file in kept(archive):
        try:
            content = file.read_bytes()
        except OSError:
            continue
        if hashlib.sha512(content).digest() == digest_of(archive):
            spare = spare_path(store.directory)
            try:
                spare.write_bytes(content)
                make_like_nix(spare)
                if Path(path).is_file():
                    forget_link(store.directory, spare, Path(path))
                replace(Path(path), spare)
            finally:
                spare.unlink(missing_ok=True)
            return True
    return False


#: What is needed before what needs it: archives and other paths, packages, what is made of these.
_ORDER = {"package": 1, "environment": 2, "image": 3}


class NpmVerification(BuiltPaths):
    """One comparison of an environment of npm's packages.

    Args:
        request: the environment.
        observer: is told what goes on.
        link: a link to it.
    """

    def __init__(self, request: Request, observer: Observer, link: Path | None) -> None:
        super().__init__(Store(request.settings), observer, link)
        self._damaged: set[str] = set()
        self._request = request

    def run(self) -> Report:
        """Compare everything."""
        selection, report = Selection.of(self._request), Report()
        archives = {
            archive_path(package, self.store.directory): package
            for package in selection.packages
            if package.archive is not None
        }
        invalid = self.store.invalid(archives)
        there = sorted(path for path in archives if path not in invalid or os.path.lexists(path))
        with self._observer.counting("comparing archives") as progress:
            counter = Counter(len(there), progress)
            compared = in_threads(lambda path: _compare(path, archives[path], counter), there)
        found = [finding for some in compared for finding in some]
        found += [_finding(Kind.UNREGISTERED, path, archives[path]) for path in there if path in invalid]
        report.read = counter.read
        self._damaged = {finding.path for finding in found}
        paths = self.check_paths(report, self._damaged)
        report.paths += len(there)
        report.findings = [*found, *paths]
        return report

    def unsound(self, derivation: Derivation) -> list[str]:
        """Return what must not be read of a derivation's sources: archives that are another too."""
        damaged = (path for path in self._damaged if path in derivation.attributes)
        return sorted({*super().unsound(derivation), *damaged})

    def instantiate(self) -> str:
        """Return the derivation of the environment."""
        from nixgen.environments.npm import arguments_of
        from nixgen.names import NIX_DIRECTORY

        given = arguments_of(self._request)
        arguments = [word for name, value in given.items() for word in ("--arg", name, value)]
        return self.store.instantiate(self._request.base / NIX_DIRECTORY, [*arguments, "-A", "npm"])


def _compare(path: str, package: NpmPackage, counter: Counter) -> list[Finding]:
    """Compare an archive in the store with the lock."""
    assert package.archive is not None
    digest = hashlib.sha512()
    try:
        mode = os.lstat(path).st_mode
        size = read_file(path, digest.update) if stat.S_ISREG(mode) else 0
    except FileNotFoundError:
        counter.add(1, 0)
        return [_finding(Kind.MISSING, path, package)]
    except OSError as error:
        counter.add(1, 0)
        return [_finding(Kind.ALTERED, path, package, f"it cannot be read: {error.strerror}")]
    counter.add(1, size)
    if digest.digest() != digest_of(package.archive):
        return [_finding(Kind.ALTERED, path, package, f"its SHA-512 is another than {package.archive.integrity}")]
    return [_finding(Kind.MODE, path, package)] if stat.S_IMODE(mode) != 0o444 else []


def _finding(kind: Kind, path: str, package: NpmPackage, detail: str = "") -> Finding:
    return Finding(kind=kind, what="archive", path=path, package=f"{package.name} {package.version}", detail=detail)
