"""Take packages and projects through everything: a lock, three environments, probes, a result; one after another."""

from __future__ import annotations

import datetime
import shutil
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

from corpus.environments import TroubleError
from corpus.npm import result, trees
from corpus.npm.entries import Entry
from corpus.npm.probing import Limits, Prober
from corpus.npm.result import Result
from corpus.npm.sides import FORMS, Workshop
from corpus.result import DEFECT, Compared
from nixgen.errors import NixgenError
from nixgen.npm.model import NpmLock


@dataclass(kw_only=True)
class Runner:
    """Runs packages and projects.

    Attributes:
        workshop: makes environments.
        work: directory for projects and environments; emptied after each.
        out: directory of results.
        forms: nixgen's that are compared.
        limits: of the probes' time.
    """

    workshop: Workshop
    work: Path
    out: Path
    forms: tuple[str, ...] = FORMS
    limits: Limits = field(default_factory=Limits)

    def run(self, entry: Entry) -> Result:
        """Run one, keep its result, and return it."""
        start = time.monotonic()
        directory = self.work.resolve() / entry.name
        self._clear(directory)
        try:
            found = self._run(entry, directory)
        finally:
            self._clear(directory)
        found = replace(found, seconds=round(time.monotonic() - start, 1))
        found.write(self.out)
        return found

    def _clear(self, directory: Path) -> None:
        for form in self.forms:
            self.workshop.unmount(directory / form)
        shutil.rmtree(directory, ignore_errors=True)

    def _run(self, entry: Entry, directory: Path) -> Result:
        node, npm = self.workshop.versions()
        found = Result(
            name=entry.name,
            group=entry.group,
            version="",
            node=node,
            npm=npm,
            date=datetime.date.today().isoformat(),
            seconds=0.0,
        )
        compared: dict[str, list[Compared]] = {form: [] for form in self.forms}
        try:
            project = directory / "project"
            lock = self.workshop.lock(entry, project)
            found = replace(found, version=_version(lock, entry))
            self.workshop.install(entry, project, directory / "npm")
            installed = directory / "npm" / "node_modules"
            files, size = trees.measured(installed)
            packages = sum((directory / "npm" / one.at).is_dir() for one in lock.packages if one.link is None)
            found = replace(
                found, packages=packages, files=files, size=size, contents=trees.contents(installed), defect=True
            )
            for form in self.forms:
                self.workshop.build(form, entry, project, directory / form)
            found = replace(found, defect=False)
            place = directory / "here"
            prober = Prober(
                npm=self.workshop.side(directory / "npm", place),
                sides={form: self.workshop.side(directory / form, place) for form in self.forms},
                processes=self.workshop.processes,
                store=self.workshop.store.path,
                path=self.workshop.env["PATH"],
                limits=self.limits,
            )
            for form, one in prober.probe(entry, lock):
                compared[form].append(one)
        except (TroubleError, NixgenError, OSError) as error:
            return replace(found, trouble=str(error).replace(str(directory), entry.name))
        return replace(found, compared={form: tuple(probes) for form, probes in compared.items()})


def run_all(runner: Runner, entries: Iterable[Entry], *, resume: bool) -> list[Result]:
    """Run one after another, and say how each ends; return the results in the order of the list.

    Args:
        runner: runs one.
        entries: which.
        resume: whether what has a result is left alone.
    """
    chosen = list(entries)
    found = []
    for number, entry in enumerate(chosen, start=1):
        done = result.read(runner.out, entry.name) if resume else None
        if done is None:
            done = runner.run(entry)
            print(f"[{number}/{len(chosen)}] {said(done, entry)}", file=sys.stderr, flush=True)
        found.append(done)
    return found


def said(done: Result, entry: Entry) -> str:
    """Return one line, or a few, on how one ended."""
    head = f"{done.name} {done.version} ({done.seconds:.0f} s): "
    if done.trouble:
        return head + ("DEFECT: no environment: " if done.defect else "not compared: ") + done.trouble
    lines = [head + f"{sum(map(len, done.compared.values()))} probes"]
    seen = set()
    for form, probes in done.compared.items():
        for one in probes:
            name = f"{form}: {one.probe}"
            seen.add(name)
            if one.verdict == DEFECT:
                known = "known to differ" if name in entry.differs else "DEFECT"
                lines.append(f"  {known} {name}: {difference(one)}")
            elif name in entry.differs:
                lines.append(f"  {name} is {one.verdict}, and the list says that it differs")
    lines += [f"  the list names {name}, and there is no such probe" for name in entry.differs.keys() - seen]
    return "\n".join(lines)


def difference(one: Compared) -> str:
    """Return what differs, in a line."""
    if one.nixgen.status != "pass":
        lines = [line for line in one.nixgen.said.splitlines() if line.strip()]
        return " | ".join(lines[:3])[:400] if lines else one.nixgen.status
    theirs, ours = one.peer.output, one.nixgen.output
    common = next(
        (n for n, (a, b) in enumerate(zip(theirs, ours, strict=False)) if a != b), min(len(theirs), len(ours))
    )
    begin = max(0, common - 40)
    return f"npm says …{theirs[begin : common + 160]!r}, nixgen …{ours[begin : common + 160]!r}"


def _version(lock: NpmLock, entry: Entry) -> str:
    return next((one.version for one in lock.packages if one.at == f"node_modules/{entry.shown}"), "")
