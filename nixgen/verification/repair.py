"""Restoring what a verification found damaged, while other environments go on.

A leaf comes from its wheel again, and a tree or environment from its builder. Either is compared with its hash before
it takes the place of what is there, in one step.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from nixgen.emit.nix import nix_string
from nixgen.environments.build import build_of
from nixgen.environments.choice import Choice
from nixgen.environments.fetch import access_of
from nixgen.errors import NixError, NixgenError
from nixgen.ingest.extraction import Extraction, WheelWork
from nixgen.leaf import leaf_name
from nixgen.observer import SILENT, Observer
from nixgen.store import Registration, Store
from nixgen.verification.derivations import MAKES_ANOTHER, Derivation, make_like_nix, remove
from nixgen.verification.findings import Finding, Kind, Report
from nixgen.verification.leaves import is_good
from nixgen.verification.nar import nar
from nixgen.verification.replace import InPlace, Writer, forget_link, replace, spare_path, unwritable
from nixgen.verification.verify import Verification

#: How often to look for what is still to be restored: a reference can be told when what it leads to is there.
_ROUNDS = 3

#: What the Nix library puts into the store as it is (nix/tree.nix, nix/env.nix).
_INSTALLER = b"nixgen\n"


def repair(choice: Choice, report: Report, observer: Observer = SILENT, *, link: Path | None = None) -> Report:
    """Restore what a verification found, as far as it can be, and return what another one finds then.

    Args:
        choice: the environment.
        report: what ``verify`` found.
        observer: is told what goes on.
        link: as for ``verify``.

    Raises:
        NixgenError: as ``verify``. What stands in the way of restoring something is in the report.
    """
    work = Repair(Verification(choice, observer, link), observer)
    work.leaves(report.findings)
    last: list[Finding] = []
    before = dict.fromkeys(report.findings)
    for _ in range(_ROUNDS):
        # Which trees there are, evaluation can tell now.
        found = work.verification.check_paths(Report(), work.damaged(), compared=work.verification.leaves)
        if not found or found == last:
            break
        before.update(dict.fromkeys(found))
        work.paths(found)
        last = found
    after = Verification(choice, observer, link).run()
    still = {(finding.kind, finding.path, finding.file) for finding in after.findings}
    after.repaired = [one for one in before if (one.kind, one.path, one.file) not in still]
    after.problems = list(dict.fromkeys([*work.problems, *after.problems]))
    return after


class Repair:
    """One repair.

    Args:
        verification: knows what there should be.
        observer: is told what goes on.

    Attributes:
        problems: what could not be restored, and why.
    """

    def __init__(self, verification: Verification, observer: Observer) -> None:
        self.verification = verification
        self.problems: list[str] = []
        self._store = verification.store
        self._directory = verification.store.directory
        self._observer = observer
        self._looked: set[str] = set()

    def damaged(self) -> set[str]:
        """Return the leaves that are still not what they should be, of those that were looked at."""
        return {path for path in self._looked if not is_good(self.verification.leaves[path])}

    def leaves(self, findings: Iterable[Finding]) -> None:
        """Restore leaves: those that Nix's database has in their place, the others through Nix."""
        leaves, contents = self.verification.leaves, self.verification.contents
        wrong: dict[str, set[Kind]] = {}
        for finding in findings:
            if finding.path in leaves:
                wrong.setdefault(finding.path, set()).add(finding.kind)
        self._looked = set(wrong)
        invalid = self._store.invalid(wrong) if wrong else set()
        lacking: list[str] = []
        for path in sorted(wrong.keys() - invalid):
            try:
                if path in contents:
                    Writer(self._directory).add("file.json", contents[path], path)
                elif wrong[path] == {Kind.MODE}:
                    self._settle(path)
                    if not is_good(leaves[path]):
                        lacking.append(path)
                else:
                    lacking.append(path)
            except NixgenError as error:
                self._problem(error)
        self._take(lacking, InPlace(self.verification.choice.settings))
        self._add(invalid)

    def _add(self, invalid: set[str]) -> None:
        """Add leaves that Nix's database lacks, from what is on disk where that is right."""
        leaves, contents = self.verification.leaves, self.verification.contents
        if not invalid:
            return
        there = {path for path in invalid if path in contents or is_good(leaves[path])}
        try:
            with self._store.connect() as daemon:
                for path in sorted(there):
                    content = contents[path] if path in contents else Path(path).read_bytes()
                    name = "file.json" if path in contents else leaf_name(leaves[path].file.rpartition("/")[2])
                    daemon.add(name, content, path)
        except NixgenError as error:
            self._problem(error)
        self._take(sorted(invalid - there), self._store)

    def _take(self, paths: list[str], store: Store) -> None:
        """Take leaves out of their wheels."""
        by_wheel: dict[str, dict[str, str]] = {}
        wanted = set(paths)
        verification = self.verification
        for package in verification.choice.packages:
            name = package.wheel.filename
            for path in sorted(wanted):
                leaf = verification.leaves[path]
                if leaf.package == f"{package.name} {package.version}":
                    by_wheel.setdefault(name, {})[leaf.file] = path
                    wanted.discard(path)
        base = verification.choice.base
        for name, missing in by_wheel.items():
            work = WheelWork(index=verification.indexes[name], missing=missing)
            try:
                if verification.choice.lock.wheels[name].build is not None:
                    self._take_built(name, missing, store)
                    continue
                with self._observer.counting("fetching") as progress:
                    extraction = Extraction(
                        store=store, base=base, access=access_of(base, verification.choice.mirrors), progress=progress
                    )
                    extraction.run([work])
            except NixgenError as error:
                self._problem(error)

    def _take_built(self, name: str, missing: Mapping[str, str], store: Store) -> None:
        """Take leaves out of what the build of a wheel makes, which Nix has or builds again."""
        output = build_of(
            self.verification.choice, f"(made: [ made.nixgen.built.{nix_string(name)} ])", self._observer
        ).strip()
        with store.connect() as daemon:
            for file, path in missing.items():
                daemon.add(leaf_name(file.rpartition("/")[2]), Path(output, "files", file).read_bytes(), path)
            daemon.wait()

    def paths(self, findings: Iterable[Finding]) -> None:
        """Restore trees, environments and what else they need, what is needed before what needs it."""
        wrong: dict[str, set[Kind]] = {}
        for finding in findings:
            wrong.setdefault(finding.path, set()).add(finding.kind)
        derivations = self.verification.derivations
        order = {output: number for number, output in enumerate(derivations)}
        invalid = self._store.invalid(wrong) if wrong else set()
        known = self._store.registrations(sorted(wrong.keys() - invalid)) if wrong.keys() - invalid else {}
        for path in sorted(wrong, key=lambda path: (order.get(path, -1), path)):
            try:
                if path in invalid:
                    self._register(path, derivations.get(path))
                elif wrong[path] == {Kind.MODE}:
                    self._settle(path)
                elif wrong[path] == {Kind.REFERENCE}:
                    self._refer(known[path])
                else:
                    derivation = derivations.get(path) or Derivation.read(known[path].deriver)
                    self._restore(known[path], derivation)
            except NixgenError as error:
                self._problem(error)
            except OSError as error:
                self._problem(unwritable(path, error))

    def _restore(self, registration: Registration, derivation: Derivation | None) -> None:
        """Restore a store path to what Nix recorded of it."""
        path, spare = Path(registration.path), spare_path(self._directory)
        if not os.access(self._directory, os.W_OK):
            raise unwritable(registration.path, PermissionError(13, "no right to write to the store"))
        if derivation is None and not self._copy(registration, spare):
            # Not nixgen's: a library, or a Python of the store.
            self._store.repair(registration.path)
            return
        try:
            if derivation is not None:
                if unsound := self.verification.unsound(derivation):
                    raise NixError(
                        f"it cannot be made again, since {', '.join(unsound)} is damaged",
                        where=registration.path,
                        todo="let Nix restore that: nix-store --repair-path",
                    )
                with self._observer.waiting("building") as watch:
                    if watch is not None:
                        watch(path.name)
                    derivation.make(spare)
            if nar(str(spare)).sha256 != registration.nar_hash:
                raise NixError(MAKES_ANOTHER, where=registration.path, todo=_REMOVE.format(path=path))
            self._forget_links(spare, path)
            replace(path, spare)
        finally:
            if os.path.lexists(spare):
                remove(spare)

    def _forget_links(self, good: Path, bad: Path) -> None:
        """Keep Nix from giving damaged files of a store path to others that should be equal."""
        if not Path(self._directory, ".links").is_dir():
            return
        for directory, _, names in os.walk(good):
            for name in names:
                file = Path(directory, name)
                other = bad / file.relative_to(good)
                if not file.is_symlink() and other.is_file() and file.read_bytes() != other.read_bytes():
                    forget_link(self._directory, file, other)

    def _copy(self, registration: Registration, spare: Path) -> bool:
        """Make a file of the Nix library anew, whichever has the hash that Nix recorded; false where none has."""
        from nixgen.names import LIBRARY_DIRECTORY, NIX_DIRECTORY

        library = self.verification.choice.base / NIX_DIRECTORY / LIBRARY_DIRECTORY
        files = [path for path in sorted(library.rglob("*")) if path.is_file()]
        for content in (_INSTALLER, *(path.read_bytes() for path in files)):
            spare.write_bytes(content)
            make_like_nix(spare)
            if nar(str(spare)).sha256 == registration.nar_hash:
                return True
            spare.unlink()
        return False

    def _register(self, path: str, derivation: Derivation | None) -> None:
        """Tell Nix's database of a tree or environment that it lacks, made again where it is not what it should be."""
        if derivation is None:
            raise NixError(f"nothing tells what {path} should be", todo="run `nixgen build`")
        if not os.path.lexists(path) or not os.access(self._directory, os.W_OK):
            self._store.realise(derivation.path, None)
            return
        if unsound := self.verification.unsound(derivation):
            raise NixError(f"it cannot be made again, since {', '.join(unsound)} is damaged", where=path)
        spare = spare_path(self._directory)
        try:
            derivation.make(spare)
            made, there = nar(str(spare)), nar(path)
            names = self._named_in(spare, derivation)
            if made.sha256 != there.sha256 or there.modes:
                replace(Path(path), spare)
            self._store.register(
                [
                    Registration(
                        path=path,
                        nar_hash=made.sha256,
                        nar_size=made.size,
                        deriver=derivation.path,
                        references=tuple(sorted(names)),
                    )
                ]
            )
        finally:
            if os.path.lexists(spare):
                remove(spare)

    def _named_in(self, made: Path, derivation: Derivation) -> set[str]:
        """Return the store paths that something names, of all that its derivation needs: its references."""
        needed = self._store.requisites(Path(derivation.path))
        needed += [output for output in self.verification.derivations if output != derivation.output]
        hashes = {os.fsencode(path[len(self._directory) + 1 :][:32]): path for path in needed if path[-4:] != ".drv"}
        pattern = re.compile(rb"[0-9a-z]{32}(?=-)")
        found: set[bytes] = set()
        for directory, inner, names in os.walk(made):
            for name in [*inner, *names]:
                file = Path(directory, name)
                if file.is_symlink():
                    text = os.fsencode(file.readlink())
                elif file.is_file():
                    text = file.read_bytes()
                else:
                    continue
                found.update(match for match in pattern.findall(text) if match in hashes)
        paths = {hashes[match] for match in found}
        return paths - self._store.invalid(paths) if paths else paths

    def _refer(self, registration: Registration) -> None:
        """Tell Nix's database of references that it lacks."""
        named = nar(registration.path, self._directory).named
        named -= self._store.invalid(named)
        self._store.register(
            [
                Registration(
                    path=registration.path,
                    nar_hash=registration.nar_hash,
                    nar_size=registration.nar_size,
                    deriver=registration.deriver,
                    references=tuple(sorted({*registration.references, *named})),
                )
            ]
        )

    def _settle(self, path: str) -> None:
        """Give a store path the modes that Nix gives."""
        try:
            make_like_nix(Path(path))
        except OSError as error:
            raise unwritable(path, error) from error

    def _problem(self, error: NixgenError) -> None:
        self.problems.append(str(error))


_REMOVE = "where nothing runs that needs it, let Nix build it anew: nix-store --delete --ignore-liveness {path}"
