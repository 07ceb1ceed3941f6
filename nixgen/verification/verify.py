"""Comparing what the store holds with a lock, and with what Nix recorded when it was built.

Leaves are compared with the hashes that the lock binds. What a builder made is known to Nix alone: its database has a
hash of each store path.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import stat
from pathlib import Path

from nixgen.environments.build import arguments_of
from nixgen.environments.choice import Choice
from nixgen.environments.fetch import indexes_of
from nixgen.indexes import INDEX_NAME, index_leaf
from nixgen.leaf import leaf_name, leaf_path
from nixgen.observer import SILENT, Observer
from nixgen.store import Store
from nixgen.store.queries import Registration
from nixgen.verification.built import BuiltPaths, compare_paths, name_of, what_it_is
from nixgen.verification.derivations import Derivation
from nixgen.verification.findings import Finding, Kind, Report
from nixgen.verification.leaves import Counter, Leaf, check_leaves, in_threads
from nixgen.verification.nar import read_file
from nixgen.wheels.text import index_bytes, index_hash

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


class Verification(BuiltPaths):
    """One comparison of an environment.

    Args:
        choice: the environment.
        observer: is told what goes on.
        link: a link to it.

    Attributes:
        leaves: those of the environment's wheels by store path, indexes among them.
        contents: the indexes' content by store path.
    """

    def __init__(self, choice: Choice, observer: Observer, link: Path | None) -> None:
        self.choice = choice
        super().__init__(Store(choice.settings), observer, link)
        self.indexes = indexes_of(choice, choice.packages, observer)
        self.contents: dict[str, bytes] = {}
        self.leaves = self._leaves()

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
        paths = self.check_paths(report, damaged, evaluate=readable, compared=self.leaves)
        if report.paths == 0 and not paths:
            # Nothing is built of them: what was never fetched, or was collected, is not damage.
            report.absent = len(absent)
            found = [finding for finding in found if finding.path not in absent]
            absent = set()
        found += [self.leaves[path].finding(Kind.UNREGISTERED) for path in unregistered if path in there]
        report.findings = [*sorted(found, key=lambda finding: finding.path), *paths]
        return report

    def instantiate(self) -> str:
        """Return the derivation of the environment."""
        from nixgen.names import NIX_DIRECTORY

        given = arguments_of(self.choice)
        arguments = [word for name, value in given.items() for word in ("--arg", name, value)]
        return self.store.instantiate(self.choice.base / NIX_DIRECTORY, arguments)

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


def verify_all(store: Store, observer: Observer = SILENT) -> Report:
    """Compare everything that nixgen has in a store, whichever lock it came from: trees, environments, images, leaves,
    packages of npm and the archives that they are made of.

    A leaf is compared with the hash that its store path follows from, everything else with Nix's database.

    Raises:
        NixError: Nix is missing, or cannot be asked.
    """
    registrations = store.registrations()
    roots = {path for path in registrations if not path.endswith(".drv") and what_it_is(path) != "path"}
    # A tree that is gone has no manifest any more, and an environment still names it.
    trees = {tree for path in roots for tree in _trees_of(path)}
    roots |= trees
    # Of a package of npm that was built here; without them nothing is missing.
    archives = {path for root in roots for path in _archives_of(registrations.get(root))} & registrations.keys()
    roots |= archives
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
    maybe = [path for path in needed if _LEAF.fullmatch(name_of(path)) or name_of(path) == leaf_name(INDEX_NAME)]
    with observer.counting("comparing") as progress:
        counter = Counter(len(needed), progress)
        fits = in_threads(lambda path: _is_its_hash(path, store.directory, counter), maybe)
        good = {path for path, is_leaf in zip(maybe, fits, strict=True) if is_leaf}
        rest = [registrations[path] for path in needed - good]
        differing = compare_paths(rest, store, counter)
    report.leaves, report.paths, report.read = len(good), len(rest), counter.read
    for path, kind, detail in differing:
        known = {"tree": trees, "leaf": maybe, "archive": archives}
        what = next((what for what, paths in known.items() if path in paths), None) or what_it_is(path)
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
    if leaf_path(name_of(path), digest.digest(), store_dir) != path:
        return False
    counter.add(1, size)
    return True


def _archives_of(registration: Registration | None) -> set[str]:
    """Return the archives that a package of npm is made of, as its derivation says; none where that is gone."""
    derivation = Derivation.read(registration.deriver) if registration is not None and registration.deriver else None
    if derivation is None or derivation.what != "package":
        return set()
    return {package["archive"] for package in json.loads(derivation.attributes)["packages"]}


def _trees_of(environment: str) -> set[str]:
    """Return the trees that an environment says it is made of (nix/builders/env.py)."""
    found = set()
    for way in Path(environment, "lib").glob("python*/.t*"):
        if way.is_symlink():
            found.add(str(way.readlink()))
    return found
