"""Packages' own tests: a made package whose tests run in pip's environment and in nixgen's, and the judgement."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.entries import ListError
from corpus.environments import Store, Workshop
from corpus.processes import Processes
from corpus.suites.__main__ import LIST
from corpus.suites.entries import Suite, choose, read
from corpus.suites.report import page
from corpus.suites.result import Difference, Judged, Result, Run, judge
from corpus.suites.result import read as read_result
from corpus.suites.runner import Runner
from tests.support.wheels import make_wheel, write_wheel

#: One test for each way to end; the rules of placement cannot read how ``test_neighbour`` resolves its own path.
TESTS = """\
import os, sys
from pathlib import Path
import pytest

def test_passes(): pass
def test_fails(): assert False
def test_neighbour():
    resolve = getattr(os.path, "real" + "path")
    assert Path(resolve(globals()["__fi" + "le__"])).with_name("data.txt").exists()
@pytest.mark.skip(reason="as a machine may not do")
def test_skipped(): pass
@pytest.mark.parametrize("where", [Path(sys.prefix, "a"), object()], ids=str)
def test_named(where): pass
def test_flaky():
    seen = Path(os.environ["HOME"], "seen")
    again = seen.exists()
    seen.touch()
    assert again or os.path.basename(os.path.dirname(sys.prefix)) != "store"
"""

SUITE = Suite(name="demo", requirements=("demo", "pytest"), run=("demo",))

RESULT = Result(
    name="numpy",
    form="mounted",
    version="1.0",
    python="3.11",
    date="2026-01-02",
    run="numpy",
    seconds=(1.0, 2.0),
    judged=Judged(
        counts={"passed": 1200, "skipped": 3, "alike": 2},
        flaky=("numpy/test_a.py::test_b",),
        defects=(Difference(test="numpy/test_a.py::test_c", outcome="failed", said="E   no a|b"),),
    ),
)


@pytest.fixture
def workshop(tmp_path: Path) -> Iterator[Workshop]:
    """A workshop that has the made package, and PyPI for pytest."""
    files = {"demo/__init__.py": "", "demo/tests/__init__.py": "", "demo/tests/data.txt": ""}
    wheels = tmp_path / "wheels"
    write_wheel(wheels, make_wheel("demo", "1.0", {**files, "demo/tests/test_all.py": TESTS}))
    store = Store(tmp_path / "nix")
    yield Workshop(processes=Processes(), store=store, find_links=(wheels,))
    store.remove()


@pytest.mark.nix
@pytest.mark.registry
def test_a_suite(workshop: Workshop, tmp_path: Path) -> None:
    """Tests are compared one by one: what fails through links alone is a defect, and passes where files are real."""
    forms = ["store", *(["mounted"] if os.geteuid() == 0 else [])]
    results = Runner(workshop=workshop, work=tmp_path / "work", out=tmp_path / "out").run(SUITE, forms)
    through_links = results[0].judged
    assert through_links.counts == {"passed": 3, "skipped": 1, "alike": 1}, results
    assert through_links.flaky == ("demo/tests/test_all.py::test_flaky",)
    assert [one.test for one in through_links.defects] == ["demo/tests/test_all.py::test_neighbour"]
    assert "assert False" in through_links.defects[0].said and not results[0].sound
    for real in results[1:]:
        assert real.sound and real.judged.counts == {"passed": 5, "skipped": 1, "alike": 1}
        assert real.judged.tests == through_links.tests == 7
    assert [read_result(tmp_path / "out", "demo", form) for form in forms] == results
    assert not list((tmp_path / "work").iterdir())


def test_what_is_a_defect() -> None:
    """Only a test that passes with pip twice, and with nixgen not once, is a defect; also one that is not found."""
    names = ("broken", "flaky with nixgen", "flaky with pip", "lost", "better", "fine")
    pip = Run(outcomes=dict.fromkeys(names, "passed") | {"better": "failed"})
    nixgen = Run(outcomes=dict.fromkeys(names[:3], "failed") | {"better": "passed", "fine": "passed"})
    again = (
        Run(outcomes=dict.fromkeys(names, "passed") | {"flaky with pip": "error"}),
        Run(outcomes={"broken": "skipped", "flaky with nixgen": "passed", "flaky with pip": "failed"}),
    )
    judged = judge(pip, nixgen, *again)
    assert [(one.test, one.outcome) for one in judged.defects] == [("broken", "skipped"), ("lost", "missing")]
    assert judged.flaky == ("flaky with nixgen", "flaky with pip")
    assert judged.counts == {"better": 1, "passed": 1} and judged.tests == 6


def test_time_was_up() -> None:
    """Where a run was ended by the clock, only what both came to is compared; what it did not come to is no defect."""
    pip = Run(outcomes={"a": "passed", "b": "passed", "c": "passed"})
    nothing = Run(outcomes={})
    cut = judge(pip, Run(outcomes={"a": "passed", "b": "failed"}, ended=False), pip, nothing)
    assert cut.counts == {"passed": 1} and [one.test for one in cut.defects] == ["b"]
    assert [one.test for one in judge(pip, nothing, pip, nothing).defects] == ["a", "b", "c"]


def test_the_page() -> None:
    """The page has a row for each suite and form, names what is wrong, and keeps the rows of what was not run again."""
    listed = read(LIST)
    text = page([RESULT], listed=listed)
    counts = "1,207 | 1,200 | 3 | 2 | 0 | 1 | 1"
    row = f"| numpy | 1.0 | mounted | `pytest numpy` | {counts} | 2026-01-02 | flaky: `numpy/test_a.py::test_b` |"
    assert row in text and "1 suite, 1,207 tests" in text and "* numpy: arithmetic" in text and "* sympy" not in text
    assert "`numpy/test_a.py::test_c` failed: E   no a\\|b" in text
    other = replace(RESULT, form="farm", date="2026-01-03", judged=Judged(counts={"passed": 5}))
    both = page([other], listed=listed, before=text)
    assert row in both and "| numpy | 1.0 | farm |" in both and "2026-01-02 to 2026-01-03" in both
    assert "1,212 tests compared: 1 pass with pip" in both
    assert page([], listed=listed, before=both) == page([other], listed=listed, before=text)


def test_the_list(tmp_path: Path) -> None:
    """The list says what is run of which package; what it does not know, and a name that it lacks, are refused."""
    suites = read(LIST)
    assert [suite.name for suite in choose(suites, ["numpy"])] == ["numpy"] and len(suites) == 8
    assert all(suite.requirements[:2] == (suite.name, "pytest") and suite.run for suite in suites)
    with pytest.raises(ListError, match="not in the list: no-such"):
        choose(suites, ["no-such"])
    (tmp_path / "other.toml").write_text("[demo]\nrequires = []\n")
    with pytest.raises(ListError, match="demo is no table of"):
        read(tmp_path / "other.toml")
