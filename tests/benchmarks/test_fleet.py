"""The model of a fleet: against what can be computed, and a short run of the command."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.fleet.__main__ import ROOT, main
from benchmarks.fleet.catalogue import Catalogue, Wheel, dates_before
from benchmarks.fleet.model import Assumptions, Model, day, grow, warm
from benchmarks.fleet.page import replaced


def plain(roots: int = 20, dates: int = 1) -> Catalogue:
    """Return a catalogue of packages that bring nothing else: each wheel has one file of one byte, and one of all."""
    wheels = [
        Wheel(package=root, size=10, installed=3, files=2, contents=(0, 1 + root * dates + date))
        for root in range(roots)
        for date in range(dates)
    ]
    steps = [[[root * dates + date] for date in range(dates)] for root in range(roots)]
    return Catalogue(dates=dates, packages=roots, sizes=[2, *[1] * (roots * dates)], wheels=wheels, roots=steps)


def expected(weights: list[float], draws: int) -> tuple[float, float]:
    """Return how many distinct items so many draws have on average, and a bound of the standard deviation."""
    total = sum(weights)
    missed = [(1 - weight / total) ** draws for weight in weights]
    # Which items are missed is negatively correlated: the sum of the variances is an upper bound.
    return sum(1 - one for one in missed), math.sqrt(sum(one * (1 - one) for one in missed))


@pytest.mark.parametrize(("exponent", "roots"), [(0.0, 500), (1.1, 5000), (2.0, 300)])
def test_distinct_items_are_as_many_as_expected(exponent: float, roots: int) -> None:
    """Environments of one name each are draws from Zipf's law: the wheels are the distinct ones of that many draws."""
    assumptions = Assumptions(roots=roots, exponent=exponent, direct=1.0)
    model = Model(plain(), assumptions)
    for held in grow(model, [1, 100, 3000]):
        mean, deviation = expected(model.weights, held.environments)
        assert abs(held.wheels - mean) <= 5 * deviation + 1e-9, (held.environments, held.wheels, mean)
        # The file that all of the catalogue have counts once; made names share nothing.
        assert held.copied == 3 * held.environments == 3 * held.brought and held.copies == 2 * held.environments
        assert held.unpacked == 3 * held.wheels and held.fetched == 10 * held.wheels
        assert held.wheels < held.leaves <= 2 * held.wheels and held.wheels < held.bytes <= 3 * held.wheels


def test_dates_are_as_old_as_said() -> None:
    """With half as many locks for each date back, four sevenths of three dates are the newest."""
    model = Model(plain(roots=1, dates=3), Assumptions(roots=1, direct=1.0))
    drawn = list(itertools.islice(model.environments(), 20_000))
    for date, share in enumerate((1 / 7, 2 / 7, 4 / 7)):
        found = drawn.count(frozenset([date])) / len(drawn)
        assert abs(found - share) < 5 * math.sqrt(share / len(drawn))


def test_as_many_names_as_said() -> None:
    """What an environment asks for is one name and geometrically distributed others."""
    model = Model(plain(), Assumptions(roots=10**5, exponent=0.0, direct=4.0))
    sizes = [len(one) for one in itertools.islice(model.environments(), 10_000)]
    assert abs(sum(sizes) / len(sizes) - 4) < 0.2 and min(sizes) == 1
    assert abs(sizes.count(1) / len(sizes) - 1 / 4) < 0.03


def test_a_warm_store_hits_as_often_as_its_names_are_asked_for() -> None:
    """Of environments with one name, so many are there as the warm names weigh; bytes, the same."""
    model = Model(plain(), Assumptions(roots=1000, exponent=1.0, direct=1.0))
    for found in warm(model, [10, 100, 1000], sample=20_000):
        share = sum(model.weights[: found.names]) / sum(model.weights)
        assert abs(found.whole - share) < 0.02 and found.whole == found.wheels == found.fetched
    assert found.whole == 1.0


def test_a_host_fetches_what_is_new() -> None:
    """Where all is kept, a quarter fetches each wheel once; where nothing is, again and again."""
    model = Model(plain(dates=2), Assumptions(roots=20, exponent=0.0, direct=1.0, older=0.5))
    found = day(model, 500)
    assert found.fetched * 91 == pytest.approx(20 * 10) and found.needed == pytest.approx(500 * 10)
    rare = day(Model(plain(roots=20), Assumptions(roots=5000, exponent=0.0, direct=1.0)), 20, keep=0)
    assert rare.collected > rare.fetched * 0.9 and rare.wheels <= 20


def test_editions_of_made_names_share_what_they_are_made_of() -> None:
    """A made root's next version adds what the version it is like adds to the one before, and nothing twice."""
    wheels = [
        Wheel(package=0, size=10, installed=300, files=2, contents=(0, 1)),
        Wheel(package=0, size=10, installed=500, files=2, contents=(0, 2)),
    ]
    catalogue = Catalogue(dates=3, packages=1, sizes=[200, 100, 300], wheels=wheels, roots=[[[0], [1], [1]]])
    model = Model(catalogue, Assumptions(roots=2))
    held: set[int] = set()
    editions: dict[int, int] = {}
    first, second, third = (model.closure(1, date)[0] for date in range(3))
    assert second == third != first
    assert [model.added(item, held, editions) for item in (second, first)] == [(2, 500), (1, 100)]
    assert [model.added(item, held, editions) for item in (0, 1)] == [(2, 300), (1, 300)]


def test_the_same_seed_gives_the_same(tmp_path: Path) -> None:
    """What is kept and read again, too; another seed gives something else."""
    catalogue = plain(dates=2)
    catalogue.write(tmp_path / "catalogue.json")
    again = Catalogue.read(tmp_path / "catalogue.json")
    one, other = (next(grow(Model(source, Assumptions(roots=300)), [500])) for source in (catalogue, again))
    assert one == other
    assert one != next(grow(Model(catalogue, replace(Assumptions(roots=300), seed=2)), [500]))
    assert random.Random(1).random() == 0.13436424411240122  # what all of it stands on


def test_dates() -> None:
    """They end with the one that is said."""
    assert dates_before("2026-11-27", 3) == ["2026-05-29", "2026-08-28", "2026-11-27"]


def test_tables_have_their_places_in_the_page() -> None:
    """Every table of the page has a mark there, and what stands between marks is replaced whole."""
    page = (ROOT / "docs" / "fleet.md").read_text(encoding="utf-8")
    names = ("measured", "growth", "strain", "hits", "days", "variations")
    written = replaced(page, dict.fromkeys(names, "| here |"))
    assert written.count("| here |") == len(names) and replaced(written, {}) == written
    with pytest.raises(KeyError):
        replaced(page, {"nothing": ""})


@pytest.mark.registry
def test_a_short_run(capsys: pytest.CaptureFixture[str]) -> None:
    """Two packages as the index has them, at all dates, and 100 environments: every table is there."""
    assert main(["--packages", "2", "--environments", "1000"]) == 0
    said = capsys.readouterr().out
    assert "2 packages of the" in said and said.count("\n| 1,000 |") >= 2
    assert all(f"\n{name}:\n" in said for name in ("growth", "strain", "hits", "days", "variations"))
