"""Comparing what the store holds with a lock, and with what Nix recorded when it was built.

Leaves are compared with the hashes that the lock binds. What a builder made is known to Nix alone: its database has a
hash of each store path.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import stat
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from nixgen.environments.build import arguments_of
from nixgen.environments.choice import Choice
from nixgen.environments.fetch import indexes_of
from nixgen.errors import NixError
from nixgen.indexes import INDEX_NAME, index_leaf
from nixgen.leaf import leaf_name, leaf_path
from nixgen.observer import SILENT, Observer
from nixgen.store import Registration, Store
from nixgen.verification.derivations import Derivation, derivations_of, explain
from nixgen.verification.findings import Finding, Kind, Report
from nixgen.verification.leaves import Counter, Leaf, check_leaves, in_threads
from nixgen.verification.nar import nar, read_file
from nixgen.wheels.text import index_bytes, index_hash

#: A store path's name behind its hash.
_NAME = re.compile(r"[0-9a-z]{32}-(.+)")

#: What a leaf may be called.
_LEAF = re.compile(r"file([.][A-Za-z0-9_+-]{1,10})?")


def verify(choice: Choice, observer: Observer = SILENT, *, link: Path | None = None) -> Report:
    """Compare the leaves of an environment with the lock, and its trees and all else that it needs with Nix's database.

    Nothing is changed. Trees are found by evaluation, which needs every leaf in Nix's database; where one is lacking,
    what a link leads to is compared.

    Args:
        choice: the environment.
        observer: is told what goes on.
        link: a link to the environment, None where there is none.

    Raises:
        NixError: Nix is missing, or cannot evaluate.
        NixgenError: as ``indexes_of``.
    """
    return Verification(choice, observer, link).run()


class Verification:
    """One comparison of an environment.

    Args:
        choice: the environment.
        observer: is told what goes on.
        link: a link to it.

    Attributes:
        store: the store that should hold it.
        leaves: those of the environment's wheels by store path, indexes among them.
        contents: the indexes' content by store path.
        derivations: those that the environment is made of by output, as far as evaluation can tell.
    """

    def __init__(self, choice: Choice, observer: Observer, link: Path | None) -> None:
        self.choice = choice
        self.store = Store(choice.settings)
        self.indexes = indexes_of(choice, choice.packages, observer)
        self.contents: dict[str, bytes] = {}
        self.leaves = self._leaves()
        self.derivations: dict[str, Derivation] = {}
        self._observer = observer
        self._link = link

    def run(self) -> Report:
        """Compare everything."""
        report, unregistered = Report(leaves=len(self.leaves)), self.store.invalid(self.leaves)
        with self._observer.counting("comparing leaves") as progress:
            counter = Counter(len(self.leaves), progress)
            found = check_leaves(self.leaves.values(), counter)
        report.read = counter.read
        there = self.leaves.keys() - {finding.path for finding in found if finding.kind == Kind.MISSING}
        absent = unregistered - there
        # The index that is damaged is what evaluation would read.
        damaged = {finding.path for finding in found}
        readable = not unregistered and not damaged & self.contents.keys()
        paths = self.check_paths(report, damaged, evaluate=readable)
        if report.paths == 0 and not paths:
            # Nothing is built of them: what was never fetched, or was collected, is not damage.
            report.absent = len(absent)
            found = [finding for finding in found if finding.path not in absent]
            absent = set()
        found += [self.leaves[path].finding(Kind.UNREGISTERED) for path in unregistered if path in there]
        report.findings = [*sorted(found, key=lambda finding: finding.path), *paths]
        return report

    def check_paths(self, report: Report, damaged: Collection[str], *, evaluate: bool = True) -> list[Finding]:
        """Compare what is built of the leaves with Nix's database, and return what is wrong.

        Args:
            report: gets the environment, and what was read.
            damaged: leaves that must not be read.
            evaluate: whether evaluation can tell what there should be.
        """
        environment = self._evaluate() if evaluate else self._linked()
        outputs = set(self.derivations) or ({environment} if environment else set())
        invalid = self.store.invalid(sorted(outputs))
        valid = outputs - invalid
        if environment in valid:
            report.environment = environment
        found = []
        for path in sorted(invalid):
            if os.path.lexists(path):
                found.append(self._finding(Kind.UNREGISTERED, path))
            elif report.environment is not None:
                found.append(self._finding(Kind.MISSING, path))
        needed = set(valid)
        whole = [environment, *self._images(environment)] if report.environment and environment else sorted(valid)
        for path in whole:
            needed.update(self.store.requisites(Path(path)))
        needed -= self.leaves.keys()
        registrations = self.store.registrations(sorted(needed)) if needed else {}
        found += self._compare(registrations, report, damaged)
        report.paths = len(registrations)
        return found

    def _leaves(self) -> dict[str, Leaf]:
        directory = self.store.directory
        found: dict[str, Leaf] = {}
        for package in self.choice.packages:
            index = self.indexes.get(package.wheel.filename)
            if index is None:
                continue  # it is built as it is, and its tree is compared with what Nix has registered
            whose = f"{package.name} {package.version}"
            content, sha256 = index_bytes(index), index_hash(index)
            path = index_leaf(sha256, directory)
            self.contents[path] = content
            found[path] = Leaf(path=path, sha256=bytes.fromhex(sha256), size=len(content), package=whose, file="")
            for file, about in index.files.items():
                if about.size != 0:
                    path = leaf_path(file.rpartition("/")[2], about.sha256, directory)
                    if path not in found:
                        raw = base64.b64decode(about.sha256)
                        found[path] = Leaf(path=path, sha256=raw, size=about.size, package=whose, file=file)
        return found

    def _evaluate(self) -> str | None:
        """Find the derivations, and return the store path of the environment."""
        from nixgen.names import NIX_DIRECTORY

        given = arguments_of(self.choice)
        arguments = [word for name, value in given.items() for word in ("--arg", name, value)]
        with self._observer.waiting("evaluating"):
            path = self.store.instantiate(self.choice.base / NIX_DIRECTORY, arguments)
        path = path.partition("!")[0]
        self.derivations = derivations_of(path)
        return next((output for output, derivation in self.derivations.items() if derivation.path == path), None)

    def _linked(self) -> str | None:
        """Return the store path that the link to the environment leads to, None for none."""
        if self._link is None or not self._link.is_symlink():
            return None
        target = str(self._link.readlink())
        return target if target.startswith(self.store.directory + "/") else None

    def _images(self, environment: str) -> list[str]:
        """Return the images of an environment that are built."""
        return [path for path in self.store.referrers(Path(environment)) if what_it_is(path) == "image"]

    def _compare(
        self, registrations: Mapping[str, Registration], report: Report, damaged: Collection[str]
    ) -> list[Finding]:
        """Compare store paths with what Nix recorded of them."""
        with self._observer.counting("comparing trees") as progress:
            counter = Counter(len(registrations), progress)
            differing = compare_paths(registrations.values(), self.store, counter)
        report.read += counter.read
        found: list[Finding] = []
        for path, kind, detail in differing:
            found += self._named(path, registrations[path], detail, damaged, report) if kind == Kind.ALTERED else ()
            if kind != Kind.ALTERED:
                found.append(self._finding(kind, path, detail))
        return found

    def _named(
        self, path: str, registration: Registration, detail: str, damaged: Collection[str], report: Report
    ) -> list[Finding]:
        """Return what is wrong with a path of another content: file by file where its builder can tell."""
        derivation = self.derivations.get(path) or Derivation.read(registration.deriver)
        if derivation is not None and not detail:
            try:
                if not (unsound := self.unsound(derivation)):
                    named = explain(derivation, registration.nar_hash, damaged)
                    if named:
                        return [self._finding(one.kind, path, one.detail, one.file) for one in named]
                else:
                    report.problems.append(f"what is wrong in {path} cannot be told: {', '.join(unsound)} is damaged")
            except (NixError, OSError) as error:
                said = error.what if isinstance(error, NixError) else str(error)
                report.problems.append(f"what is wrong in {path} cannot be told: {said}")
        return [self._finding(Kind.ALTERED, path, detail)]

    def unsound(self, derivation: Derivation) -> list[str]:
        """Return what must not be run or read of a derivation's sources, as it is not what Nix recorded."""
        sources = derivation.sources
        invalid = self.store.invalid(sources)
        valid = self.store.registrations([path for path in sources if path not in invalid])
        counter = Counter(0, None)
        wrong = {path for path, kind, _ in compare_paths(valid.values(), self.store, counter) if kind in _WRONG}
        return sorted(invalid | wrong)

    def _finding(self, kind: Kind, path: str, detail: str = "", file: str = "") -> Finding:
        derivation = self.derivations.get(path)
        what = derivation.what if derivation is not None else what_it_is(path)
        package = _package(path) if what == "tree" else ""
        return Finding(kind=kind, what=what, path=path, package=package, file=file, detail=detail)


#: What makes a store path unfit to be read.
_WRONG = (Kind.ALTERED, Kind.MISSING)


def compare_paths(registrations: Iterable[Registration], store: Store, counter: Counter) -> list[tuple[str, Kind, str]]:
    """Compare store paths with what Nix recorded of them; return path, kind and detail of what is wrong, by path.

    Args:
        registrations: what Nix recorded.
        store: the store that holds them.
        counter: counts them.
    """
    store_dir = store.directory

    def check(registration: Registration) -> list[tuple[str, Kind, str]]:
        path = registration.path
        if not os.path.lexists(path):
            counter.add(1, 0)
            return [(path, Kind.MISSING, "")]
        try:
            found = nar(path, store_dir)
        except OSError as error:
            counter.add(1, 0)
            said = f"{error.strerror}: {error.filename}" if error.filename else str(error)
            return [(path, Kind.ALTERED, f"it cannot be read: {said}")]
        counter.add(1, found.read)
        if found.sha256 != registration.nar_hash:
            return [(path, Kind.ALTERED, "")]
        wrong = [(path, Kind.MODE, f"no mode of the store's: {_listed(found.modes)}")] if found.modes else []
        # A garbage collection would take what Nix does not know to be needed.
        lacking = found.named - {*registration.references, path}
        return [*wrong, *((path, Kind.REFERENCE, one) for one in sorted(lacking))]

    # The large ones first: the last thread to finish should have a small one.
    ordered = sorted(registrations, key=lambda registration: -registration.nar_size)
    differing = sorted(found for some in in_threads(check, ordered) for found in some)
    # A path that Nix does not have may be one of another machine, in the documentation of a package.
    named = [detail for _, kind, detail in differing if kind == Kind.REFERENCE]
    unknown = store.invalid(named) if named else set()
    return [
        (path, kind, f"Nix's database does not say that it needs {detail}" if kind == Kind.REFERENCE else detail)
        for path, kind, detail in differing
        if kind != Kind.REFERENCE or detail not in unknown
    ]


def verify_all(store: Store, observer: Observer = SILENT) -> Report:
    """Compare everything that nixgen has in a store, whichever lock it came from: trees, environments, images, leaves.

    A leaf is compared with the hash that its store path follows from, everything else with Nix's database.

    Raises:
        NixError: Nix is missing, or cannot be asked.
    """
    registrations = store.registrations()
    roots = {path for path in registrations if not path.endswith(".drv") and what_it_is(path) != "path"}
    # A tree that is gone has no manifest any more, and an environment still names it.
    trees = {tree for path in roots for tree in _trees_of(path)}
    roots |= trees
    needed: set[str] = set()
    pending = sorted(roots & registrations.keys())
    while pending:
        path = pending.pop()
        if path not in needed:
            needed.add(path)
            pending += registrations[path].references if path in registrations else ()
    invalid = needed - registrations.keys() | roots - registrations.keys()
    needed &= registrations.keys()
    report = Report()
    maybe = [path for path in needed if _LEAF.fullmatch(_name(path)) or _name(path) == leaf_name(INDEX_NAME)]
    with observer.counting("comparing") as progress:
        counter = Counter(len(needed), progress)
        fits = in_threads(lambda path: _is_its_hash(path, store.directory, counter), maybe)
        good = {path for path, is_leaf in zip(maybe, fits, strict=True) if is_leaf}
        rest = [registrations[path] for path in needed - good]
        differing = compare_paths(rest, store, counter)
    report.leaves, report.paths, report.read = len(good), len(rest), counter.read
    for path, kind, detail in differing:
        what = "tree" if path in trees else "leaf" if path in maybe else what_it_is(path)
        report.findings.append(Finding(kind=kind, what=what, path=path, detail=detail))
    report.findings += [
        Finding(kind=Kind.UNREGISTERED, what="tree" if path in trees else what_it_is(path), path=path)
        for path in sorted(invalid)
    ]
    report.findings.sort(key=lambda finding: finding.path)
    return report


def _is_its_hash(path: str, store_dir: str, counter: Counter) -> bool:
    """Tell whether a file is a leaf, with the mode of one, whose store path follows from its content."""
    digest = hashlib.sha256()
    try:
        mode = os.lstat(path).st_mode
        if not stat.S_ISREG(mode) or stat.S_IMODE(mode) != 0o444:
            return False
        size = read_file(path, digest.update)
    except OSError:
        return False
    if leaf_path(_name(path), digest.digest(), store_dir) != path:
        return False
    counter.add(1, size)
    return True


def what_it_is(path: str) -> str:
    """Return what a store path is to nixgen, by its content: tree, package, environment, image; else ``path``."""
    if os.path.lexists(f"{path}/nix-support/nixgen.json"):
        return "tree"
    if os.path.lexists(f"{path}/pyvenv.cfg") and os.path.lexists(f"{path}/bin/nixgen-venv"):
        return "environment"
    if os.path.lexists(f"{path}/image.erofs") and os.path.lexists(f"{path}/environment"):
        return "image"
    if os.path.lexists(f"{path}/nix-support/nixgen-npm.json"):
        return "environment"
    # Of packages of npm: nix/builders/npm_package.py.
    ways = (Path(path, name) for name in ("p", "p0"))
    return "package" if any(way.is_symlink() and "node_modules" in way.readlink().parts for way in ways) else "path"


def _trees_of(environment: str) -> set[str]:
    """Return the trees that an environment says it is made of (nix/builders/env.py)."""
    found = set()
    for way in Path(environment, "lib").glob("python*/.t*"):
        if way.is_symlink():
            found.add(str(way.readlink()))
    return found


def _name(path: str) -> str:
    match = _NAME.fullmatch(path.rpartition("/")[2])
    return match[1] if match else ""


def _package(tree: str) -> str:
    """Return name and version of a tree's package."""
    name, _, version = _name(tree).rpartition("-")
    return f"{name} {version}" if name else _name(tree)


def _listed(paths: list[str]) -> str:
    shown = ", ".join(path or "itself" for path in paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5:,} more"
