"""What a package's tests gave in pip's environment and in one of nixgen's: judged, and kept as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from corpus.kept import keep, kept

#: Changes when older results do not compare with newer ones.
FORMAT = 1

#: How tests end. What is missing was not found, or not come to.
PASSED, SKIPPED, MISSING = "passed", "skipped", "missing"


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of tests in one environment.

    Attributes:
        outcomes: ``passed``, ``failed``, ``error``, ``skipped``, ``xfailed`` or ``xpassed``, by test.
        said: of those that failed or were skipped.
        ended: whether it came to its end before its time was up.
        trouble: why it came to none; empty where it did.
    """

    outcomes: Mapping[str, str]
    said: Mapping[str, str] = field(default_factory=dict)
    ended: bool = True
    trouble: str = ""

    def of(self, test: str) -> str:
        """Return how a test ended."""
        return self.outcomes.get(test, MISSING)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A test that passes with pip, twice, and with nixgen does not, twice.

    Attributes:
        test: its name.
        outcome: with nixgen.
        said: what it said there.
    """

    test: str
    outcome: str
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Two runs of the same tests, compared.

    Attributes:
        counts: how many tests: ``passed`` in both, ``skipped`` in both, ``alike`` (in both neither), ``better`` (that
            pass with nixgen alone).
        flaky: those that passed with pip once, and did not do twice the same.
        defects: those that only pass with pip.
    """

    counts: Mapping[str, int]
    flaky: tuple[str, ...] = ()
    defects: tuple[Difference, ...] = ()

    @property
    def tests(self) -> int:
        """How many were compared."""
        return sum(self.counts.values()) + len(self.flaky) + len(self.defects)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One suite in one form of environment.

    Attributes:
        name: of the package.
        form: of nixgen's environment.
        version, python: of the package, and of the Python of both environments.
        date: day of the run.
        run: what pytest was given.
        seconds: that the tests took with pip, and with nixgen.
        judged: how they ended.
        trouble: what kept them from being compared, or from being compared to their end.
    """

    name: str
    form: str
    version: str
    python: str
    date: str
    run: str
    seconds: tuple[float, float] = (0, 0)
    judged: Judged = field(default_factory=lambda: Judged(counts={}))
    trouble: str = ""

    @property
    def sound(self) -> bool:
        """Whether all was compared, and no test passes with pip alone."""
        return not self.trouble and not self.judged.defects

    def write(self, directory: Path) -> None:
        """Keep it below a directory; a reader never meets half of it."""
        keep(directory, f"{self.name}-{self.form}", FORMAT, asdict(self))


def read(directory: Path, name: str, form: str) -> Result | None:
    """Return what was kept of a suite in a form; None where there is nothing, or nothing that compares."""
    return kept(directory, f"{name}-{form}", FORMAT, _from_json)


def suspects(pip: Run, nixgen: Run) -> list[str]:
    """Return the tests that passed with pip and not with nixgen.

    Where the time of one was up, what it did not come to is none.
    """
    reached = pip.outcomes if nixgen.ended else nixgen.outcomes
    return [test for test in reached if pip.of(test) == PASSED != nixgen.of(test)]


def judge(pip: Run, nixgen: Run, pip_again: Run, nixgen_again: Run) -> Judged:
    """Compare two runs, and what the suspects gave in a second one."""
    counts: Counter[str] = Counter()
    flaky, defects = [], []
    doubtful = set(suspects(pip, nixgen))
    cut = not (pip.ended and nixgen.ended)
    names = pip.outcomes.keys() & nixgen.outcomes.keys() if cut else pip.outcomes.keys() | nixgen.outcomes.keys()
    for test in sorted(names):
        ended = (pip.of(test), nixgen.of(test))
        if test not in doubtful:
            counts[_kind(*ended)] += 1
        elif pip_again.of(test) == PASSED != nixgen_again.of(test):
            said = nixgen_again.said.get(test) or nixgen.said.get(test, "")
            defects.append(Difference(test=test, outcome=nixgen_again.of(test), said=said))
        else:
            flaky.append(test)
    return Judged(counts=dict(counts), flaky=tuple(flaky), defects=tuple(defects))


def _kind(pip: str, nixgen: str) -> str:
    if nixgen == PASSED:
        return PASSED if pip == PASSED else "better"
    return SKIPPED if pip == nixgen == SKIPPED else "alike"


def _from_json(data: dict[str, Any]) -> Result:
    judged = data.pop("judged")
    return Result(
        **{**data, "seconds": tuple(data["seconds"])},
        judged=Judged(
            counts=judged["counts"],
            flaky=tuple(judged["flaky"]),
            defects=tuple(Difference(**one) for one in judged["defects"]),
        ),
    )
