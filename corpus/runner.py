"""Take packages through everything: lock, two environments, probes, a result; in parallel, and once."""

from __future__ import annotations

import datetime
import shutil
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.utils import canonicalize_name

from corpus import result
from corpus.entries import Entry
from corpus.environments import TroubleError, Workshop, measure
from corpus.probing import Limits, Prober
from corpus.result import DEFECT, DIFFERS, Compared, Result, Tree
from corpus.room import Room
from corpus.sides import Side
from nixgen.errors import NixgenError
from nixgen.lock import Lock


@dataclass(kw_only=True)
class Runner:
    """Runs packages.

    Attributes:
        workshop: makes environments.
        work: directory for a package's project and environments; emptied after each.
        out: directory of results.
        mounted: whether nixgen's environments are mounted, without links.
        from_source: whether nixgen builds what is probed of its source, where pip installs the wheel.
        limits: of the probes' time.
    """

    workshop: Workshop
    work: Path
    out: Path
    mounted: bool = False
    from_source: bool = False
    limits: Limits = field(default_factory=Limits)

    def run(self, entry: Entry) -> Result:
        """Run one package, keep its result, and return it."""
        start = time.monotonic()
        directory = self.work.resolve() / entry.name
        self._clear(directory)
        try:
            found = self._run(entry, directory, start)
        finally:
            self._clear(directory)
        found.write(self.out)
        return found

    def _clear(self, directory: Path) -> None:
        self.workshop.unmount(directory / "nix" / "env")
        shutil.rmtree(directory, ignore_errors=True)

    def _run(self, entry: Entry, directory: Path, start: float) -> Result:
        lock: Lock | None = None
        compared: list[Compared] = []
        trees: list[Tree] = []
        trouble, defect = "", False
        pip, nix = directory / "pip", directory / "nix"
        try:
            project = directory / "project"
            lock = self.workshop.lock(entry, project)
            nix.mkdir()
            failure: TroubleError | None = None
            base = self.workshop.python or f"python{lock.targets[0].target.python}"
            try:
                if self.from_source:
                    self.workshop.lock_from_source(entry, project)
                if self.mounted:
                    self.workshop.venv(project, nix / "env", "mounted")
                else:
                    self.workshop.build(project, nix / "env")
                base = self.workshop.base(nix / "env")
            except TroubleError as error:
                failure = error
            self.workshop.pip(lock, base, pip / "env")
            if failure is not None:
                defect = True
                raise failure
            trees = [measure(tree) for tree in self.workshop.trees(nix / "env")]
            prober = Prober(
                pip=Side(environment=pip / "env", scratch=pip / "scratch"),
                nixgen=Side(
                    environment=nix / "env",
                    scratch=nix / "scratch",
                    prefix=self.workshop.store.read_only(),
                ),
                processes=self.workshop.processes,
                store=self.workshop.store.path,
                limits=self.limits,
            )
            if self.mounted:
                trees = [replace(tree, copies={}, copied={}, programs={}) for tree in trees]
                compared.append(prober.files())
            probed = prober.probe(entry)
            compared.extend(map(_of_other_files, probed) if self.from_source else probed)
        except (TroubleError, NixgenError, OSError) as error:
            trouble = str(error).replace(str(directory), entry.name)
        return Result(
            name=entry.name,
            group=entry.group,
            version=_version(lock, entry),
            python=lock.targets[0].target.python if lock else "",
            date=datetime.date.today().isoformat(),
            seconds=round(time.monotonic() - start, 1),
            trouble=trouble,
            defect=defect,
            compared=tuple(compared),
            trees=tuple(trees),
            mounted=self.mounted,
        )


def run_all(runner: Runner, entries: Iterable[Entry], room: Room, *, jobs: int, resume: bool) -> list[Result]:
    """Run packages in parallel, and say how each ends; return the results in the order of the list.

    Args:
        runner: runs one.
        entries: which.
        room: lets them in.
        jobs: how many at once.
        resume: whether what has a result is left alone.
    """
    chosen = list(entries)
    known = {entry.name: result.read(runner.out, entry.name) for entry in chosen} if resume else {}
    found = {name: one for name, one in known.items() if one is not None}

    def one(entry: Entry) -> Result:
        with room.take(entry.memory):
            return runner.run(entry)

    pool = ThreadPoolExecutor(max(1, jobs))
    try:
        running = [pool.submit(one, entry) for entry in chosen if entry.name not in found]
        for number, future in enumerate(as_completed(running), start=1):
            done = future.result()
            found[done.name] = done
            print(f"[{number}/{len(running)}] {said(done)}", file=sys.stderr, flush=True)
    except BaseException:
        runner.workshop.processes.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return [found[entry.name] for entry in chosen]


def said(done: Result) -> str:
    """Return one line, or a few, on how a package ended."""
    head = f"{done.name} {done.version} ({done.seconds:.0f} s): "
    if done.trouble:
        return head + ("DEFECT: no environment: " if done.defect else "not compared: ") + done.trouble
    if not done.defects:
        return head + f"{len(done.compared)} probes, no defect"
    lines = [f"  DEFECT {one.probe}: {_last(one)}" for one in done.defects]
    return "\n".join([head + f"{len(done.defects)} of {len(done.compared)} probes", *lines])


def _of_other_files(one: Compared) -> Compared:
    """Return a comparison of what need not have the same files: compilers make others, and what counts is it works."""
    both_pass = one.peer.status == one.nixgen.status == "pass"
    return replace(one, verdict=DIFFERS) if one.verdict == DEFECT and both_pass else one


def _last(one: Compared) -> str:
    if one.nixgen.status == "pass":
        return f"pip says {one.peer.output[:300]!r}, nixgen {one.nixgen.output[:300]!r}"
    lines = [line for line in one.nixgen.said.splitlines() if line.strip()]
    return lines[-1][:300] if lines else one.nixgen.status


def _version(lock: Lock | None, entry: Entry) -> str:
    if lock is None:
        return ""
    versions = {package.name: package.version for package in lock.targets[0].packages}
    for name in (canonicalize_name(entry.name), *entry.roots):
        if name in versions:
            return versions[name]
    return ""
