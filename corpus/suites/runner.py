"""Run suites: a lock, an environment of pip's and one of nixgen's for each form, the same tests in all, results."""

from __future__ import annotations

import datetime
import json
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.entries import Entry
from corpus.environments import TroubleError, Workshop
from corpus.sides import Side
from corpus.suites.entries import Suite
from corpus.suites.result import Judged, Result, Run, judge, suspects
from nixgen.errors import NixgenError
from nixgen.lock import Lock

#: The environment in the store itself, and the forms of one to install into.
FORMS = ("mounted", "farm", "overlay", "store")

_INSIDE = Path(__file__).resolve().parent / "inside" / "run.py"

#: Of what pytest printed, in characters.
_SAID = 2000


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs suites.

    Attributes:
        workshop: makes environments.
        work: directory for a suite's project and environments; emptied after each.
        out: directory of results.
        timeout: seconds that one run of tests may take.
    """

    workshop: Workshop
    work: Path
    out: Path
    timeout: float = 3600

    def run(self, suite: Suite, forms: Sequence[str]) -> list[Result]:
        """Run one suite in these forms, keep the results, and return them."""
        directory = self.work.resolve() / suite.name
        self._clear(directory)
        results = []
        try:
            for result in self._run(suite, forms, directory):
                result.write(self.out)
                results.append(result)
        finally:
            self._clear(directory)
        return results

    def _clear(self, directory: Path) -> None:
        self.workshop.unmount(directory / "mounted" / "env")
        shutil.rmtree(directory, ignore_errors=True)

    def _run(self, suite: Suite, forms: Sequence[str], directory: Path) -> Iterator[Result]:
        version = python = ""
        first: tuple[Run, float] | None = None
        for form in forms:
            judged, seconds, trouble = Judged(counts={}), (0.0, 0.0), ""
            try:
                if not version:
                    entry = Entry(name=suite.name, requirements=suite.requirements, roots=(suite.name,))
                    lock = self.workshop.lock(entry, directory / "project")
                    version, python = _version(lock, suite.name), lock.targets[0].target.python
                nixgen = self._make(directory, form)
                pip = Side(environment=directory / "pip" / "env", scratch=directory / "pip" / "scratch")
                if first is None:
                    self.workshop.pip(lock, self.workshop.base(nixgen.environment), pip.environment)
                    first = self._timed(pip, suite, suite.run)
                second = self._timed(nixgen, suite, suite.run)
                seconds = (first[1], second[1])
                judged = self._judge(suite, (pip, first[0]), (nixgen, second[0]))
                trouble = _trouble(first[0], second[0])
            except (TroubleError, NixgenError, OSError) as error:
                trouble = str(error).replace(str(directory), suite.name)
            yield Result(
                name=suite.name,
                form=form,
                version=version,
                python=python,
                date=str(datetime.datetime.now(tz=datetime.UTC).date()),
                run=suite.words,
                seconds=seconds,
                judged=judged,
                trouble=trouble,
            )

    def _make(self, directory: Path, form: str) -> Side:
        environment = directory / form / "env"
        environment.parent.mkdir()
        if form == "store":
            self.workshop.build(directory / "project", environment)
        else:
            self.workshop.venv(directory / "project", environment, form)
        prefix = self.workshop.store.read_only()
        return Side(environment=environment, scratch=directory / form / "scratch", prefix=prefix)

    def _judge(self, suite: Suite, pip: tuple[Side, Run], nixgen: tuple[Side, Run]) -> Judged:
        """Judge two runs; the files of what passed with pip alone are run again in both environments."""
        files = sorted({test.partition("::")[0] for test in suspects(pip[1], nixgen[1])})
        again = [self._tests(side, suite, files) if files else Run(outcomes={}) for side, _ in (pip, nixgen)]
        return judge(pip[1], nixgen[1], *again)

    def _timed(self, side: Side, suite: Suite, what: Iterable[str]) -> tuple[Run, float]:
        start = time.monotonic()
        return self._tests(side, suite, what), round(time.monotonic() - start, 1)

    def _tests(self, side: Side, suite: Suite, what: Iterable[str]) -> Run:
        written = side.scratch / "outcomes"
        side.scratch.mkdir(parents=True, exist_ok=True)
        written.unlink(missing_ok=True)
        words = ["python", _INSIDE, written, *suite.options, "--", *what]
        done = side.run(self.workshop.processes, words, self.timeout)
        outcomes, said, end = _read(written)
        trouble = (
            "" if end in (0, 1) or done.code is None else f"ended with {done.code}: {(done.out + done.err)[-_SAID:]}"
        )
        return Run(outcomes=outcomes, said=said, ended=done.code is not None, trouble=trouble)


def _read(written: Path) -> tuple[dict[str, str], dict[str, str], int | None]:
    """Return outcomes, what was said of them, and the exit code, None where there came none."""
    outcomes: dict[str, str] = {}
    said: dict[str, str] = {}
    lines = written.read_text(encoding="utf-8").splitlines() if written.exists() else []
    for line in lines:
        try:
            value = json.loads(line)
        except ValueError:
            continue  # the last line of a process that was ended
        if "end" in value:
            return outcomes, said, value["end"]
        outcomes[value["test"]] = value["outcome"]
        said[value["test"]] = value["said"]
    return outcomes, said, None


def _trouble(pip: Run, nixgen: Run) -> str:
    """Say why not all tests were compared."""
    late = [name for name, run in (("pip", pip), ("nixgen", nixgen)) if not run.ended]
    if late:
        return f"the time was up with {' and with '.join(late)}"
    found = [f"with {name} it {run.trouble}" for name, run in (("pip", pip), ("nixgen", nixgen)) if run.trouble]
    return "; ".join(found)


def _version(lock: Lock, name: str) -> str:
    return next((package.version for package in lock.targets[0].packages if package.name == name), "")
