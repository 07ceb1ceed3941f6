"""The benchmarks run: on a tiny set of made wheels, each measure once. No figure is judged here."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks.__main__ import main, run
from benchmarks.clock import Sample
from benchmarks.measures import MEASURES, Reading
from benchmarks.report import table
from benchmarks.sets import DATA, WheelSet
from tests.support.wheels import make_wheel, write_wheel

TINY = WheelSet(
    name="tiny", roots=("one", "two"), pins=("needed==1.0", "one==1.0", "two==1.0"), imports=("one_", "two_")
)


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that has the tiny set already."""
    directory = tmp_path / "wheels" / "tiny"
    for name, needs in (("needed", []), ("one", ["Requires-Dist: needed"]), ("two", [])):
        write_wheel(directory, make_wheel(name, "1.0", {f"{name}_.py": f"name = {name!r}\n"}, metadata=needs))
    (directory / "pins.txt").write_text("".join(f"{pin}\n" for pin in TINY.pins))
    return tmp_path


@pytest.mark.nix
def test_every_measure_runs(cache: Path) -> None:
    """Each measure gives its rows, and nothing is left behind but the wheels."""
    nix = Path(shutil.which("nix-build") or "").parent
    page = run(TINY, list(MEASURES), runs=1, nix=nix, cache=cache)
    rows = [line.split(" | ")[0] for line in page.splitlines() if line.startswith("| ")]
    assert {row.removeprefix("| ") for row in rows} == {"measure", "---", *MEASURES}
    assert "3 wheels" in page
    assert [path.name for path in cache.iterdir()] == ["wheels"]


@pytest.mark.nix
def test_without_private_mounts(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be mounted at /nix, stores have paths of their own, and the page says so."""
    monkeypatch.setattr("benchmarks.stores.mount_prefix", lambda _: ())
    nix = Path(shutil.which("nix-build") or "").parent
    page = run(TINY, ["second"], runs=1, nix=nix, cache=cache)
    assert "another environment" in page and "at longer paths than `/nix/store`" in page
    assert [path.name for path in cache.iterdir()] == ["wheels"]


def test_the_table_compares_within_a_round() -> None:
    """A ratio is between values of one round, and a goal is met by the median of the ratios."""
    readings = [
        Reading(
            measure="cold",
            subject="nix",
            value=Sample(seconds=mine, cpu=1.0),
            peer="uv",
            peer_value=Sample(seconds=other, cpu=2.0),
            goal=4.0,
        )
        for mine, other in ((2.0, 1.0), (30.0, 10.0), (5.0, 1.0))
    ]
    assert table(readings).splitlines()[2] == (
        "| cold | nix | 5.00 s (2.00 s to 30.00 s) | 1.00 s | uv | 1.00 s (1.00 s to 10.00 s) | 2.00 s "
        "| 3 (2 to 5) | ≤ 4 | yes |"
    )


def test_a_missed_goal_shows() -> None:
    """A ratio above the goal is marked, and sizes are sizes."""
    row = table([Reading(measure="lock", subject="bytes", value=200_000, peer="all", peer_value=1_000_000, goal=0.1)])
    assert row.splitlines()[2] == "| lock | bytes | 0.20 MB |  | all | 1.00 MB |  | 0.2 | ≤ 0.1 | **no** |"


def test_sets_hold_together() -> None:
    """Every root is pinned and has something to import, and can be left out."""
    names = [pin.partition("==")[0] for pin in DATA.pins]
    assert set(DATA.roots) < set(names) and len(DATA.imports) == len(DATA.roots) and len(set(names)) == 30
    assert len(DATA.without(2)) == 28


def test_an_unknown_measure(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt name ends with the usage, before anything is fetched."""
    with pytest.raises(SystemExit):
        main(["could"])
    assert "no such measure: could" in capsys.readouterr().err
