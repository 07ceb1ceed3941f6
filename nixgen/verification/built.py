"""Comparing store paths with what Nix recorded when it built them: its database has a hash of each."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from nixgen.errors import NixError
from nixgen.observer import Observer
from nixgen.store import Registration, Store
from nixgen.verification.derivations import Derivation, derivations_of, explain
from nixgen.verification.findings import Finding, Kind, Report
from nixgen.verification.leaves import Counter, in_threads
from nixgen.verification.nar import nar

#: A store path's name behind its hash.
_NAME = re.compile(r"[0-9a-z]{32}-(.+)")


class BuiltPaths:
    """What an environment is built of, compared with Nix's database.

    Args:
        store: the store that should hold it.
        observer: is told what goes on.
        link: a link to the environment, None where there is none.

    Attributes:
        store: the store that should hold it.
        derivations: those that the environment is made of by output, as far as evaluation can tell.
    """

    def __init__(self, store: Store, observer: Observer, link: Path | None) -> None:
        self.store = store
        self.derivations: dict[str, Derivation] = {}
        self._observer = observer
        self._link = link

    def instantiate(self) -> str:
        """Return the derivation of the environment, and perhaps an output behind ``!``."""
        raise NotImplementedError

    def check_paths(
        self,
        report: Report,
        damaged: Collection[str],
        *,
        evaluate: bool = True,
        compared: Collection[str] = (),
    ) -> list[Finding]:
        """Compare what is built with Nix's database, and return what is wrong.

        Args:
            report: gets the environment, and what was read.
            damaged: store paths that must not be read.
            evaluate: whether evaluation can tell what there should be; else the link does.
            compared: store paths that are compared with something else.
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
        needed -= set(compared)
        registrations = self.store.registrations(sorted(needed)) if needed else {}
        found += self._compare(registrations, report, damaged)
        report.paths = len(registrations)
        return found

    def _evaluate(self) -> str | None:
        """Find the derivations, and return the store path of the environment."""
        with self._observer.waiting("evaluating"):
            path = self.instantiate().partition("!")[0]
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
        with self._observer.counting("comparing store paths") as progress:
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
        if invalid and derivation.compiled:
            # What is made is not what keeps them.
            with contextlib.suppress(NixError):
                self.store.build_all(derivation.compiled)
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
    # Of packages of npm: nix/builders/npm_instance.py.
    ways = (Path(path, name) for name in ("p", "p0"))
    return "package" if any(way.is_symlink() and "node_modules" in way.readlink().parts for way in ways) else "path"


def name_of(path: str) -> str:
    """Return a store path's name behind its hash; "" where it has none."""
    match = _NAME.fullmatch(path.rpartition("/")[2])
    return match[1] if match else ""


def _package(tree: str) -> str:
    """Return name and version of a tree's package."""
    name, _, version = name_of(tree).rpartition("-")
    return f"{name} {version}" if name else name_of(tree)


def _listed(paths: list[str]) -> str:
    shown = ", ".join(path or "itself" for path in paths[:5])
    return shown if len(paths) <= 5 else f"{shown} and {len(paths) - 5:,} more"
