"""The benchmarks run: on tiny sets of made wheels, each measure once. No figure is judged here."""

from __future__ import annotations

import shutil
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.__main__ import main, write
from benchmarks.measures import MEASURES
from benchmarks.npm_sets import NpmSet
from benchmarks.readings import kept
from benchmarks.run import run
from benchmarks.sets import DATA, SETS, SMALL, TF
from tests.benchmarks.sets import PAIR, TINY, TINY_NPM, TOOLS, fill

_RELEASES = ("release", "upgrade")
_NPM = ("npm-cold", "npm-project", "npm-files")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A cache that has the tiny sets already."""
    fill(tmp_path)
    return tmp_path


@pytest.fixture
def nix() -> Path:
    """The directory of the machine's Nix."""
    return Path(shutil.which("nix-build") or "").parent


@pytest.mark.nix
def test_every_measure_runs(cache: Path, nix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each measure gives its rows, nothing is left behind but wheels and results, and a page shows all of it."""
    monkeypatch.setattr("benchmarks.measures.scale._BUILDS", 2)
    results = cache / "results"
    others = [name for name in MEASURES if name not in (*_RELEASES, *_NPM, "source")]
    assert run(TINY, others, runs=1, nix=nix, cache=cache, results=results) == []
    assert run(PAIR, _RELEASES, runs=1, nix=nix, cache=cache, results=results, mount=False) == []
    assert run(TOOLS, ["source"], runs=1, nix=nix, cache=cache, results=results) == []
    assert run(TINY_NPM, _NPM, runs=1, nix=nix, cache=cache, results=results) == []
    assert sorted(path.name for path in cache.iterdir()) == ["results", "wheels"]

    found = {result.measure: result for result in kept(results)}
    assert set(found) == set(MEASURES)
    assert all(bool(found[name].nix) == measure.nix for name, measure in MEASURES.items())
    sizes = {reading.subject: reading.value for reading in found["release"].readings}
    assert any(subject.startswith("thing==1.1 beside 1.0, leaves") for subject in sizes)

    docs = cache / "docs"
    docs.mkdir()
    write(results, docs)
    page = (docs / "benchmarks.md").read_text()
    assert "## Set `tiny`" in page and "3 wheels" in page and "## Set `pair`" in page
    measured, _, _ = page.partition("## What each optimisation bought")
    assert {row.split(" | ")[0].removeprefix("| ") for row in measured.splitlines() if row.startswith("| ")} == {
        *MEASURES,
        "measure",
        "---",
    }
    assert "![" in page and "](benchmarks.svg)" in page and "## What each optimisation bought" in page
    drawn = ElementTree.fromstring((docs / "benchmarks.svg").read_text())
    assert drawn.tag.endswith("}svg") and len(drawn.findall("{*}rect")) > 10


@pytest.mark.nix
def test_without_private_mounts(cache: Path, nix: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing can be mounted at /nix, stores have paths of their own, and the result says so."""
    monkeypatch.setattr("benchmarks.stores.mount_prefix", lambda _: ())
    assert run(TINY, ["second"], runs=1, nix=nix, cache=cache, results=cache / "results") == []
    (result,) = kept(cache / "results")
    assert "at longer paths than `/nix/store`" in result.conditions["stores"]
    assert sorted(path.name for path in cache.iterdir()) == ["results", "wheels"]


@pytest.mark.nix
def test_a_measure_that_fails(
    cache: Path, nix: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A failed measure is named, is not run again, and the others go on; rounds end where they are enough."""
    calls = []

    def broken(round: object) -> None:
        calls.append(round)
        raise ValueError("broken on purpose")

    monkeypatch.setitem(MEASURES, "evaluation", replace(MEASURES["evaluation"], run=broken))
    failed = run(TINY, ["evaluation", "help"], runs=2, nix=nix, cache=cache, results=cache / "results")
    assert failed == ["evaluation on tiny"] and len(calls) == 1
    assert "broken on purpose" in capsys.readouterr().err
    (result,) = kept(cache / "results")
    assert result.measure == "help" and len({reading.subject for reading in result.readings}) == 3
    assert len(result.readings) == 6


def test_sets_hold_together() -> None:
    """Every root is pinned once and has something to import; two releases are of one distribution."""
    for wheels in SETS.values():
        if isinstance(wheels, NpmSet):
            assert {name.partition("/")[0] for name in wheels.imports} <= wheels.dependencies.keys()
            continue
        names = [pin.partition("==")[0] for pin in wheels.pins]
        if wheels.roots:
            assert set(wheels.roots) <= set(names) and len(wheels.imports) == len(wheels.roots)
            assert len(set(names)) == len(names)
        else:
            assert len(names) == 2 and len(set(names)) == 1
    assert len(DATA.without(2)) == 28 and len(TF.pins) == 32 and len(SMALL.pins) == 12


def test_every_measure_has_a_set() -> None:
    """A measure runs on sets that exist, and every set has a measure."""
    assert {name for measure in MEASURES.values() for name in measure.sets} == set(SETS)


def test_an_unknown_measure(capsys: pytest.CaptureFixture[str]) -> None:
    """A misspelt name ends with the usage, before anything is fetched."""
    with pytest.raises(SystemExit):
        main(["could"])
    assert "no such measure: could" in capsys.readouterr().err


def test_help_names_every_measure(capsys: pytest.CaptureFixture[str]) -> None:
    """``--help`` describes each measure."""
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert all(f"  {name:12} " in said for name in MEASURES)
