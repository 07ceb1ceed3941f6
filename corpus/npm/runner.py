"""Take packages and projects through everything: a lock, three environments, probes, a result; one after another."""

from __future__ import annotations

import datetime
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from corpus.environments import TroubleError
from corpus.npm import result, trees
from corpus.npm.entries import PROJECTS, Entry, together
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
        """Run one in a project of its own, keep its result, and return it."""
        return self._kept(entry, [entry])[0]

    def run_together(self, entries: Sequence[Entry]) -> list[Result]:
        """Run some packages of a heading in one project, keep a result of each, and return them."""
        return self._kept(together(entries), entries)

    def _kept(self, whole: Entry, entries: Sequence[Entry]) -> list[Result]:
        start = time.monotonic()
        directory = self.work.resolve() / whole.name
        self._clear(directory)
        try:
            found = self._run(whole, entries, directory)
        finally:
            self._clear(directory)
        seconds = round((time.monotonic() - start) / len(found), 1)
        found = [replace(one, seconds=seconds) for one in found]
        for one in found:
            one.write(self.out)
        return found

    def _clear(self, directory: Path) -> None:
        for form in self.forms:
            self.workshop.unmount(directory / form)
        shutil.rmtree(directory, ignore_errors=True)

    def _run(self, whole: Entry, entries: Sequence[Entry], directory: Path) -> list[Result]:
        """Make the environments of a project, and probe in them what is asked of some packages of it, or of itself."""
        node, npm = self.workshop.versions
        today = datetime.date.today().isoformat()
        found = [
            Result(name=entry.name, group=entry.group, version="", node=node, npm=npm, date=today, seconds=0.0)
            for entry in entries
        ]
        try:
            project = directory / "project"
            self.workshop.resolve(whole, project)
            self.workshop.install(whole, project, directory / "npm")
            lock = self.workshop.lock(project)
            found = [
                replace(_measured(one, entry, lock, directory / "npm"), defect=True)
                for one, entry in zip(found, entries, strict=True)
            ]
            for form in self.forms:
                self.workshop.build(form, whole, project, directory / form)
            found = [replace(one, defect=False) for one in found]
            place = directory / "here"
            prober = Prober(
                npm=self.workshop.side(directory / "npm", place),
                sides={form: self.workshop.side(directory / form, place) for form in self.forms},
                processes=self.workshop.processes,
                store=self.workshop.store.path,
                path=self.workshop.env["PATH"],
                limits=self.limits,
            )
            of_all = list(prober.whole(lock))
            return [
                replace(one, compared=self._by_form([*of_all, *prober.probe(entry)]))
                for one, entry in zip(found, entries, strict=True)
            ]
        except (TroubleError, NixgenError, OSError) as error:
            trouble = str(error).replace(str(directory), whole.name)
            return [replace(one, trouble=trouble) for one in found]

    def _by_form(self, probes: Iterable[tuple[str, Compared]]) -> dict[str, tuple[Compared, ...]]:
        listed = list(probes)
        return {form: tuple(one for of, one in listed if of == form) for form in self.forms}


def _measured(one: Result, entry: Entry, lock: NpmLock, npm: Path) -> Result:
    """Return a result with what npm has installed for an entry; of a project also which files."""
    version = next((package.version for package in lock.packages if package.at == f"node_modules/{entry.shown}"), "")
    packages, files, size = trees.measured(lock, npm, entry.wanted)
    contents = trees.contents(npm / "node_modules") if entry.group == PROJECTS else {}
    return replace(one, version=version, packages=packages, files=files, size=size, contents=contents)


def run_all(runner: Runner, entries: Iterable[Entry], *, resume: bool, apart: bool) -> list[Result]:
    """Run one after another, and say how each ends; return the results in the order of the list.

    Args:
        runner: runs them.
        entries: which.
        resume: whether what has been compared, or cannot be for nixgen's fault, is left alone.
        apart: whether each package has a project of its own; else those of a heading have one together.
    """
    chosen = list(entries)
    kept = {entry.name: result.read(runner.out, entry.name) for entry in chosen} if resume else {}
    found = {name: one for name, one in kept.items() if one is not None and (one.defect or not one.trouble)}
    parts: dict[str, list[Entry]] = {}
    for entry in chosen:
        if entry.name not in found:
            alone = apart or entry.group == PROJECTS
            parts.setdefault(f"{entry.group} {entry.name}" if alone else entry.group, []).append(entry)
    for part in parts.values():
        for done, entry in zip(
            runner.run_together(part) if len(part) > 1 else [runner.run(part[0])], part, strict=True
        ):
            found[done.name] = done
            print(said(done, entry), file=sys.stderr, flush=True)
    return [found[entry.name] for entry in chosen]


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
