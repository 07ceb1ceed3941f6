"""The page: totals, and a row for each package."""

from __future__ import annotations

import pytest

from corpus.report import page
from corpus.result import DEFECT, DIFFERS, UPSTREAM, Compared, Outcome, Result, Tree
from tests.corpus.test_result import RESULT

SHARED = Tree(
    path="y",
    name="y",
    version="1",
    files=8,
    size=990,
    copies={"resolves-itself": (1, 6)},
    copied={"a": 6},
    programs={"p": 10},
)


def test_totals_count_a_tree_once() -> None:
    """Copies are counted by reason, a wheel that two packages need once, as a share of all."""
    other = type(RESULT)(**{**vars(RESULT), "name": "other", "trees": (SHARED,)})
    first = type(RESULT)(**{**vars(RESULT), "trees": (*RESULT.trees, SHARED)})
    text = page([first, other], listed=["demo", "other", "third"])
    assert "3 packages in the list; 2 run, 2 compared, 0 not" in text
    assert "In 2 different wheels with 10 files and 1.0 kB:" in text
    assert "| executable | 1 | 1 | 10.00% | 0.0 kB | 0.40% |" in text
    assert "| all copies | 2 | 2 | 20.00% | 0.0 kB | 1.00% |" in text
    assert "Programs that are store paths of their own, which versions share: 1, 0.0 kB (1.00%)." in text
    assert "Most of the copies' bytes are in: y 1 (resolves-itself 0.0 kB), " in text
    assert "| demo | 1.0 | 2 | 10 | 1 | 1 | 1 | executable 0.0 kB, resolves-itself 0.0 kB |  |" in text


def test_remarks() -> None:
    """A row says what fails under both, and what prints different text; a long list is cut."""
    both, differs = Outcome(status="fail"), Outcome(status="pass")
    compared = (
        *(Compared(probe=f"p{n}", verdict=UPSTREAM, peer=both, nixgen=both) for n in range(5)),
        Compared(probe="q", verdict=DIFFERS, peer=differs, nixgen=differs),
    )
    text = page([type(RESULT)(**{**vars(RESULT), "compared": compared})], listed=["demo"])
    assert "fails under both: `p0`, `p1`, `p2` and 2 more; prints different text: `q`" in text
    assert "| 1 | 1 | 6 |" in text


@pytest.mark.parametrize("mounted", [False, True], ids=["links", "mounted"])
def test_packages_that_were_not_run_again_stay(mounted: bool) -> None:
    """A page has the rows of the one before for what has no new result, and counts them."""
    both, passed = Outcome(status="fail"), Outcome(status="pass")
    compared = (
        *(Compared(probe=f"p{n}", verdict=UPSTREAM, peer=both, nixgen=both) for n in range(5)),
        Compared(probe="q", verdict=DIFFERS, peer=passed, nixgen=passed),
    )
    others = {name: type(RESULT)(**{**vars(RESULT), "name": name, "date": "2026-01-02"}) for name in ("a", "z")}
    first = type(RESULT)(**{**vars(RESULT), "compared": compared, "date": "2026-01-01"})

    def written(*results: Result, before: str = "") -> str:
        return page(results, listed=["a", "demo", "z"], mounted=mounted, before=before)

    whole, before = written(others["a"], first, others["z"]), written(first, others["a"])
    assert written(others["a"], first, others["z"], before=before) == whole
    told = "As of 2026-01-01 to 2026-01-02, of what was run then.\n\n"
    copies = "" if mounted else "## Copies\n\n"
    assert written(others["z"], before=before) == (whole if mounted else whole.replace(copies, copies + told))
    assert written(others["z"], before=written(others["z"], before=before)) == written(others["z"], before=before)
    assert "3 run, 3 compared" in whole and "5 that fail under both" in whole and "2026-01-01 to 2026-01-02" in whole
    assert ("executable 0.0 kB |  |" in whole) != mounted


def test_nothing_was_run() -> None:
    """Without results the page still says how many packages there are."""
    assert "150 packages in the list; 0 run" in page([], listed=[f"p{number}" for number in range(150)])


def test_no_path_of_the_machine() -> None:
    """Where environments and the store lie is not on the page."""
    said = f"Error: '/some/where/scratch/x/nix/env/lib/y.py' and /some/where/store/{'a' * 32}-file.py"
    passed, failed = Outcome(status="pass"), Outcome(status="fail", said=said)
    bad = Compared(probe="p", verdict=DEFECT, peer=passed, nixgen=failed)
    text = page([type(RESULT)(**{**vars(RESULT), "compared": (bad,)})], listed=["demo"])
    assert "* demo: `p`: Error: 'env/lib/y.py' and store/file.py" in text and "/some/where" not in text
