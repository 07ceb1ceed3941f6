"""Results are kept and read again."""

from __future__ import annotations

import json
from pathlib import Path

from corpus.result import DEFECT, EQUAL, Compared, Outcome, Result, Tree, read

PASS = Outcome(status="pass")
RESULT = Result(
    name="demo",
    group="web",
    version="1.0",
    python="3.11",
    date="2026-01-02",
    seconds=1.5,
    compared=(Compared(probe="import demo", verdict=EQUAL, peer=PASS, nixgen=PASS),),
    trees=(
        Tree(
            path="x-demo-1.0",
            name="demo",
            version="1.0",
            files=2,
            size=10,
            copies={"executable": (1, 4)},
            copied={"bin/x": 4},
        ),
    ),
)


def test_round_trip(tmp_path: Path) -> None:
    """What is read is what was written, and nothing else is left in the directory."""
    RESULT.write(tmp_path / "out")
    assert read(tmp_path / "out", "demo") == RESULT
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["demo.json"]


def test_what_cannot_be_read_runs_again(tmp_path: Path) -> None:
    """A missing result, a damaged one, and one of another format are no results."""
    assert read(tmp_path, "demo") is None
    (tmp_path / "demo.json").write_text('{"format": 1, "na')
    assert read(tmp_path, "demo") is None
    RESULT.write(tmp_path)
    data = json.loads((tmp_path / "demo.json").read_text())
    (tmp_path / "demo.json").write_text(json.dumps({**data, "format": 0}))
    assert read(tmp_path, "demo") is None


def test_soundness() -> None:
    """A package is sound when it was compared and nothing fails under nixgen alone."""
    bad = Compared(probe="x", verdict=DEFECT, peer=PASS, nixgen=Outcome(status="fail"))
    assert RESULT.sound
    assert not Result(**{**vars(RESULT), "compared": (bad,)}).sound
    assert not Result(**{**vars(RESULT), "trouble": "no wheel"}).sound
