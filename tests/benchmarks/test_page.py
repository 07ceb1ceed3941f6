"""Rows, tables, the page and the chart, from readings made up here."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.chart import chart
from benchmarks.clock import Sample
from benchmarks.page import goals, page, table
from benchmarks.readings import Reading, Result, kept
from benchmarks.rows import rows
from benchmarks.written import of_page, of_result
from corpus.tables import newest

_COLD = [
    Reading(
        subject="nix",
        value=Sample(seconds=mine, cpu=1.0),
        peer="uv",
        peer_value=Sample(seconds=other, cpu=2.0),
        goal=4.0,
        panel="cold",
    )
    for mine, other in ((2.0, 1.0), (30.0, 10.0), (5.0, 1.0))
]


def _result(readings: Sequence[Reading], measure: str = "cold", nix: str = "2.8.0", **conditions: str) -> Result:
    return Result(set="data", measure=measure, nix=nix, conditions=conditions, readings=readings)


def test_the_table_compares_within_a_round() -> None:
    """A ratio is between values of one round, and a goal is met by the median of the ratios."""
    assert table([of_result(_result(_COLD))]).splitlines()[2] == (
        "| cold | nix | 2.8.0 | 5.00 s (2.00 s to 30.00 s) | uv | 1.00 s (1.00 s to 10.00 s) | 1.00 s / 2.00 s "
        "| 3 (2 to 5) | ≤ 4 | yes | 3 |"
    )


def test_a_missed_goal_shows() -> None:
    """A ratio above the goal is marked, and sizes are sizes."""
    reading = Reading(subject="bytes", value=200_000, peer="all", peer_value=1_000_000, goal=0.1)
    row = table([of_result(_result([reading], "lock", ""))])
    assert row.splitlines()[2] == "| lock | bytes |  | 0.20 MB | all | 1.00 MB |  | 0.2 | ≤ 0.1 | **missed** | 1 |"


def test_a_limit_is_for_the_value() -> None:
    """A limit is compared with the value, whatever the peer's; it stands in the unit of the value."""
    reading = Reading(subject="x", value=Sample(seconds=0.31, cpu=0.2), peer="uv", peer_value=1, limit=0.3)
    (row,) = rows([_result([reading], "again")])
    assert (row.goal(), row.met, row.against_goal()) == ("≤ 0.30 s", False, "0.31 s")
    (row,) = rows([_result([Reading(subject="x", value=120, unit="modules", limit=150)])])
    assert (row.goal(), row.met, row.value()) == ("≤ 150", True, "120")


def test_goals_name_what_is_not_measured_yet() -> None:
    """Each goal has a line, with a verdict or without."""
    lines = goals([of_result(_result(_COLD))]).splitlines()
    assert "| cold | ≤ 4 | nix, to uv | data | 2.8.0 | 3 (2 to 5) | yes |" in lines
    assert any(line.startswith("| evaluation |") and "not measured yet" in line for line in lines)
    assert not any(line.startswith("| peers |") for line in lines)


def test_results_are_kept_as_they_were(tmp_path: Path) -> None:
    """What is read is what was kept; a newer result of the same set, measure and Nix takes its place."""
    sizes = _result([Reading(subject="size", value=3)], "space", date="today")
    for result in (_result(_COLD), sizes, _result(_COLD, nix="2.34.8"), replace(sizes, conditions={"date": "later"})):
        result.keep(tmp_path)
    found = kept(tmp_path)
    assert len(found) == 3
    assert _result(_COLD) in found and replace(sizes, conditions={"date": "later"}) in found


def test_the_page_says_under_which_conditions() -> None:
    """What all results of a set share stands once; what differs stands with its measures."""
    results = [
        _result(_COLD, date="monday", machine="2 cores"),
        _result(_COLD, "second", date="monday", machine="2 cores"),
        _result(_COLD, nix="2.34.8", date="friday", machine="2 cores"),
    ]
    text = page(map(of_result, results))
    assert "* machine: 2 cores\n" in text
    assert "* cold, second: Nix 2.8.0, date monday\n" in text and "* cold: Nix 2.34.8, date friday\n" in text


def test_what_was_written_before_stays() -> None:
    """A page says of a measure what the page of before said, until there is a result of it."""
    shared = {"set": "30 wheels, 101.1 MB", "machine": "2 cores (AMD EPYC), 24 GiB", "stores": "mounted as `/nix`"}
    own = {"date": "monday", "load": "1.78", "server": "delivers all of them in 0.06 s"}
    first = [_result(_COLD, **shared, **own), _result(_COLD, "second", "", **shared, **{**own, "load": "3"})]
    text = page(map(of_result, first), "benchmarks.svg")
    assert page(of_page(text), "benchmarks.svg") == text
    later = _result(_COLD[:1], **{**shared, "machine": "4 cores"}, **own)
    found = {item.measure: item for item in newest([of_result(later)], of_page(text))}
    assert found["cold"] == of_result(later)
    assert found["second"].conditions == {**shared, **own, "load": "3"}
    assert [cells[7] for cells in found["second"].lines] == ["3 (2 to 5)"]


def test_the_chart() -> None:
    """A bar for each thing and Nix, the fastest first, in proportion, with whiskers where runs differ."""
    other = [Reading(subject="pip <cold>", value=Sample(seconds=10.0, cpu=1.0), panel="cold")]
    unseen = [Reading(subject="unseen", value=Sample(seconds=99.0, cpu=1.0))]
    drawn = ElementTree.fromstring(chart(rows([_result(_COLD), _result(other, "peers", ""), _result(unseen)])))
    bars = drawn.findall("{*}rect")
    assert [bar.get("class") for bar in bars] == ["ours", "peer"]
    first, second = (float(bar.get("width", "")) for bar in bars)
    assert abs(second / first - 2) < 0.01
    assert len(drawn.findall("{*}line")) == 1
    texts = [text.text for text in drawn.findall("{*}text")]
    assert "pip <cold>" in texts and "unseen" not in texts and "10.00" in texts


def test_an_empty_chart() -> None:
    """Without results there is still a picture."""
    assert ElementTree.fromstring(chart([])).tag.endswith("svg")
