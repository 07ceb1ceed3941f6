"""Run the same probes in two environments, and judge each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from corpus.compare import compare, normalise
from corpus.entries import Entry
from corpus.files import differences
from corpus.processes import Done, Processes
from corpus.result import DEFECT, EQUAL, Compared, Outcome
from corpus.sides import Side

HERE = Path(__file__).resolve().parent

#: Programs that run inside of an environment: those for every package, and those that some ask for.
INSIDE, PROBES = HERE / "inside", HERE / "probes"

#: How much of what a program printed is kept for people.
_SAID = 3000

#: More commands than this of one package are not run.
_COMMANDS = 40


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Seconds that probes may take.

    Attributes:
        module: to import a module.
        submodules: to import what is below one; 0 leaves that out.
        command: to run a command of the package.
        probe: to run a program of ``corpus/probes``.
    """

    module: float = 90
    submodules: float = 45
    command: float = 30
    probe: float = 300


@dataclass(kw_only=True)
class Prober:
    """Runs probes in pip's environment and in nixgen's.

    Attributes:
        pip, nixgen: the two.
        processes: runs the programs.
        store: the directory of nixgen's store.
        limits: of time.
    """

    pip: Side
    nixgen: Side
    processes: Processes
    store: Path
    limits: Limits = field(default_factory=Limits)

    def probe(self, entry: Entry) -> Iterator[Compared]:
        """Yield the judgement of every probe of a package."""
        yield self._both("importlib.metadata", ["python", INSIDE / "metadata.py"], exact=True)
        yield self._pip_check()
        offered = self._run(self.pip, ["python", INSIDE / "survey.py", *entry.roots], self.limits.module)
        survey = json.loads(offered.out or "{}")
        yield from self._modules(survey.get("modules", []))
        for name in survey.get("commands", [])[:_COMMANDS]:
            yield self._command(name)
        for name in entry.probes:
            program, *argument = name.split(":")
            words: list[str | Path] = ["python", PROBES / f"{program}.py", *argument]
            yield self._both(name, words, exact=True, timeout=self.limits.probe)

    def files(self) -> Compared:
        """Judge whether the files are those that pip has installed."""
        found = differences(self.pip.environment, self.nixgen.environment)
        good = Outcome(status="pass")
        mine = Outcome(status="fail", said="\n".join(found)[:_SAID]) if found else good
        return compare("files", good, mine, exact=True)

    def _both(
        self, name: str, words: Sequence[str | Path], *, exact: bool = False, timeout: float | None = None
    ) -> Compared:
        timeout = timeout or self.limits.command
        judged = compare(
            name, self._outcome(self.pip, words, timeout), self._outcome(self.nixgen, words, timeout), exact=exact
        )
        if judged.verdict != DEFECT:
            return judged
        # Whatever depends on the moment is no defect: both must stand by what they did.
        again = self._outcome(self.nixgen, words, timeout)
        judged = compare(name, judged.peer, again, exact=exact)
        if judged.verdict != DEFECT:
            said = f"at the second try\n{judged.nixgen.said}"
            return replace(judged, nixgen=replace(judged.nixgen, said=said))
        return compare(name, self._outcome(self.pip, words, timeout), again, exact=exact)

    def _outcome(self, side: Side, words: Sequence[str | Path], timeout: float) -> Outcome:
        return self._judge(self._run(side, words, timeout))

    def _judge(self, done: Done) -> Outcome:
        status = "timeout" if done.code is None else "pass" if done.code == 0 else "fail"
        said = "" if status == "pass" else f"exit code {done.code}\n{(done.err + done.out)[-_SAID:]}"
        return Outcome(status=status, output=self._normal(done.out)[-_SAID:], said=said)

    def _pip_check(self) -> Compared:
        outcomes = []
        for side in (self.pip, self.nixgen):
            pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", side.environment, "check"]
            outcome = self._judge(self._run(side, pip, self.limits.module, of_environment=False))
            # What is missing is the index' business, and has to be missing in both.
            outcomes.append(replace(outcome, status="pass") if outcome.status == "fail" else outcome)
        return compare("pip check", *outcomes, exact=True)

    def _command(self, name: str) -> Compared:
        for argument in ("--help", "--version"):
            outcome = self._outcome(self.pip, [name, argument], self.limits.command)
            if outcome.status == "pass":
                return self._both(f"{name} {argument}", [name, argument])
        words = [name, "--help"]
        return compare(f"{name} --help", outcome, self._outcome(self.nixgen, words, self.limits.command), exact=False)

    def _modules(self, names: Sequence[str]) -> Iterator[Compared]:
        if not names:
            return
        words = ["python", INSIDE / "modules.py", self.limits.module, self.limits.submodules, *names]
        seconds = len(names) * (self.limits.module + self.limits.submodules) + 60
        seen = [_Seen.parse(self._run(side, words, seconds), self._normal) for side in (self.pip, self.nixgen)]
        pip, nixgen = seen
        for what, name in sorted(pip.looks.keys() | nixgen.looks.keys()):
            judged = compare(f"{what} {name}", pip.look(what, name), nixgen.look(what, name), exact=what == "resources")
            if judged.verdict == DEFECT:
                again = _Seen.parse(self._run(self.nixgen, [*words[:3], 0, name], seconds), self._normal)
                judged = compare(judged.probe, judged.peer, again.look(what, name), exact=what == "resources")
            yield judged
        if below := _below(pip.below, nixgen.below):
            yield below

    def _run(self, side: Side, words: Sequence[object], timeout: float, *, of_environment: bool = True) -> Done:
        return side.run(self.processes, words, timeout, of_environment=of_environment)

    def _normal(self, text: str) -> str:
        places = {str(side.environment.parent): "SIDE" for side in (self.pip, self.nixgen)}
        return normalise(text, places, str(self.store))


@dataclass(frozen=True, kw_only=True)
class _Seen:
    """What ``inside/modules.py`` said.

    Attributes:
        looks: how an import or a look at resources ended, by what and module.
        below: by submodule, None where its import did not end.
    """

    looks: Mapping[tuple[str, str], Outcome]
    below: Mapping[str, str | None]

    @classmethod
    def parse(cls, done: Done, normal: object) -> _Seen:
        assert callable(normal)
        looks: dict[tuple[str, str], Outcome] = {}
        below: dict[str, str | None] = {}
        for line in done.out.splitlines():
            try:
                what, name, passed, text = json.loads(line)
            except ValueError:
                continue  # a module that prints
            if what in ("import", "resources"):
                status = "pass" if passed else "timeout" if text == "timeout" else "fail"
                looks[what, name] = Outcome(status=status, output=normal(text) if passed else "", said=text)
            elif what == "begin":
                below[name] = None
            elif what == "submodule":
                below[name] = "" if passed else text
        return cls(looks=looks, below=below)

    def look(self, what: str, name: str) -> Outcome:
        """Return how a look ended; one that was not reached failed."""
        return self.looks.get((what, name), Outcome(status="fail", said="not reached"))


def _below(pip: Mapping[str, str | None], nixgen: Mapping[str, str | None]) -> Compared | None:
    """Judge the imports of submodules: those that ended in pip's environment, and began in nixgen's.

    One whose import does not end ends all after it, and is a failure only where it is not the clock that ended it;
    that cannot be told from here, so it is one only where pip's environment came further.
    """
    common = [name for name in pip if name in nixgen and pip[name] is not None]
    if not common:
        return None
    worse = [name for name in common if pip[name] == "" and nixgen[name]]
    failing = sum(1 for name in common if pip[name])
    summary = f"{len(common)} tried, {failing} fail under pip"
    good = Outcome(status="pass", output=summary)
    if not worse:
        return Compared(probe="submodules", verdict=EQUAL, peer=good, nixgen=good)
    said = "\n".join(f"{name}: {nixgen[name]}" for name in worse)[:_SAID]
    return Compared(probe="submodules", verdict=DEFECT, peer=good, nixgen=Outcome(status="fail", said=said))
