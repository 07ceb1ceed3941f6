"""The campaign's other parts: what they try is a seed's, their tables say what there was, and some cases of each."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from campaign.__main__ import PARTS, main
from campaign.case import Case, Part, Tried, try_part
from campaign.honest import differences, honest
from campaign.kills import VERBS
from campaign.liar import Liar, answer
from campaign.lies import LIES, SLOW, lies_of
from campaign.place import refusal
from campaign.report import page
from campaign.small import missing, small_disk
from corpus.processes import Done, Processes
from tests.support.nix import NixInstallation

CONTENT = bytes(range(256)) * 8
ANOTHER = CONTENT[::-1]

#: How many cases of each part, and the seed of the first.
SLICES = {"servers": (29, 2), "kills": (12, 3), "disks": (21, 1), "together": (0, 1), "users": (8, 1)}


@pytest.mark.nix
@pytest.mark.parametrize("name", PARTS)
def test_a_slice(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some cases of each part find nothing, and whatever it made is gone."""
    monkeypatch.setattr("campaign.together.PEOPLE", 4)
    seed, cases = SLICES[name]
    try:
        tried = try_part(PARTS[name], tmp_path, Processes(), seed=seed, cases=cases, seconds=120, workers=2)
    finally:
        for left in tmp_path.glob("*/nix"):
            NixInstallation.of_machine(left).make_removable()
    if tried.skipped:
        pytest.skip(tried.skipped)
    assert tried.findings() == []
    assert len(tried.cases) == cases and {case.outcome for case in tried.cases} <= set(PARTS[name].outcomes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", LIES)
def test_each_lie_changes_an_answer(name: str) -> None:
    """A lie changes what is answered to one of the requests that a client makes, but for one that is only slow."""
    ranges = [{}, {"range": "bytes=-100"}, {"range": "bytes=100-300"}, {"range": "bytes=0-"}]
    changed = 0
    for seed in range(12):
        lie = LIES[name](random.Random(seed), ANOTHER, "http://127.0.0.1:1")
        for number, headers in enumerate(ranges, 1):
            told = answer(CONTENT, number, headers)
            lie(told)
            changed += told != answer(CONTENT, number, headers)
    assert changed


def test_a_seed_is_a_server() -> None:
    """Seeds begin with each lie in turn, every ninth with one that takes time; the same seed tells the same lies."""
    names = [lies_of(seed, ANOTHER, "")[0] for seed in range(9 * len(LIES))]
    slow, others = names[8::9], [chosen for seed, chosen in enumerate(names) if seed % 9 != 8]
    assert {chosen[0] for chosen in slow} == set(SLOW) and {chosen[0] for chosen in others} == set(LIES)
    assert names == [lies_of(seed, ANOTHER, "")[0] for seed in range(9 * len(LIES))]
    assert {len(chosen) for chosen in names} == {1, 2, 3}


def test_without_lies_it_serves() -> None:
    """A server without lies gives what was asked for: the whole, a range, the end."""
    with Liar({"x.whl": CONTENT}) as liar:
        for asked, wanted in {"": CONTENT, "bytes=3-9": CONTENT[3:10], "bytes=-5": CONTENT[-5:]}.items():
            request = urllib.request.Request(f"{liar.base}/wheels/x.whl", headers={"Range": asked} if asked else {})
            with urllib.request.urlopen(request) as told:
                assert told.read() == wanted


def test_differences(tmp_path: Path) -> None:
    """Each file that lacks, is another, or is nobody's is told; what installers add is not."""
    wheel = honest("demo", {"demo/a.py": b"a", "demo/b.py": b"b"})
    site = tmp_path / "lib/python3.11/site-packages"
    for path, content in {**wheel.files, "demo/__pycache__/a.pyc": b"", "demo-1.0.dist-info/RECORD": b""}.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)
    assert differences(tmp_path, [wheel]) == []
    (site / "demo/a.py").unlink()
    (site / "demo/b.py").write_bytes(b"c")
    (site / "demo/c.py").write_bytes(b"")
    assert [line.split()[0] for line in differences(tmp_path, [wheel])] == ["demo/a.py", "demo/b.py", "demo/c.py"]


def test_refusals() -> None:
    """An end is one of nixgen's own, with its three parts; a traceback, another code and less are findings."""
    said = "nixgen: no\n  where: here\n  what to do: else\n"
    assert list(refusal("nixgen lock", Done(code=4, out="", err=said), (4, 5))) == []
    assert list(refusal("nixgen lock", Done(code=0, out="", err=""), (4, 5))) == []
    for done in (
        Done(code=3, out="", err=said),
        Done(code=1, out="", err=said),
        Done(code=None, out="", err=""),
        Done(code=4, out="", err="nixgen: no\n"),
        Done(code=4, out="", err=f"Traceback (most recent call last)\n{said}"),
    ):
        assert list(refusal("nixgen lock", done, (4, 5)))


def _part(missing: str = "") -> Part:
    @contextlib.contextmanager
    def begin(directory: Path, _processes: Processes) -> Iterator[Callable[[int], Case]]:
        directory.mkdir(parents=True)
        yield lambda seed: Case(
            kinds=("even" if seed % 2 == 0 else "odd",),
            seed=seed,
            outcome="good",
            findings=("wrong",) if seed == 3 else (),
            said="what was said",
        )
        shutil.rmtree(directory)

    return Part(
        name="demo", title="A part", text="Text.", outcomes=("good", "bad"), open=begin, missing=lambda: missing
    )


def test_cases_and_their_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every seed is tried once; the table counts by kind, findings are named with their seed, what was said is kept."""
    tried = try_part(_part(), tmp_path, Processes(), seed=1, cases=5, seconds=60, workers=2)
    assert [case.seed for case in tried.cases] == [1, 2, 3, 4, 5]
    assert "FOUND demo, seed 3 (odd): wrong" in capsys.readouterr().err
    assert (tmp_path / "kept/demo-3.txt").read_text() == "what was said"
    text = page([], [tried], date="2026-01-01", seed=1, seconds=0)
    assert "* demo, seed 3 (odd): wrong" in text and "| even | 2 | 2 | 0 | 0 |" in text
    assert "| odd | 3 | 3 | 0 | 1 |" in text and "| all | 5 | 5 | 0 | 1 |" in text


def test_no_time_no_cases(tmp_path: Path) -> None:
    """Nothing is begun when the time is up, and what cannot be tried here is said to be skipped."""
    assert try_part(_part(), tmp_path, Processes(), seed=0, cases=None, seconds=0, workers=2).cases == []
    skipped = try_part(_part("no root"), tmp_path, Processes(), seed=0, cases=1, seconds=9, workers=2)
    assert skipped == Tried(part=skipped.part, skipped="no root")
    assert "Skipped: no root." in page([], [skipped], date="2026-01-01", seed=0, seconds=0)


def test_verbs_of_the_command_line() -> None:
    """Each verb that changes something is killed; there is no part of another name."""
    killed = {verb.arguments[0] for verb in VERBS.values()}
    assert killed == {"lock", "build", "fetch", "venv", "fsck", "verify", "adopt"}
    with pytest.raises(SystemExit):
        main(["--parts", "nothing"])


def test_a_mistake_of_its_own_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What the campaign did not foresee ends one case, and neither the others nor their page."""

    @contextlib.contextmanager
    def begin(directory: Path, _processes: Processes) -> Iterator[Callable[[int], Case]]:
        yield lambda seed: Case(kinds=("all",), seed=seed, outcome=("good",)[seed - 1])

    part = replace(_part(), open=begin)
    tried = try_part(part, tmp_path, Processes(), seed=1, cases=2, seconds=60, workers=1)
    assert [case.outcome for case in tried.cases] == ["good", "bad"]
    assert "FOUND demo, seed 2 (the campaign's own mistake): the campaign itself failed" in capsys.readouterr().err
    assert "IndexError" in (tmp_path / "kept/demo-2.txt").read_text()


def test_a_small_disk_gets_full(tmp_path: Path) -> None:
    """Room that is scattered takes blocks of its own to be described, and is filled as well."""
    if why := missing():
        pytest.skip(why)
    with small_disk(tmp_path / "disk") as disk:
        for number in range(2000):
            (disk.inside / str(number)).write_bytes(b"x" * 5000)
        for number in range(0, 2000, 2):
            (disk.inside / str(number)).unlink()
        disk.leave(0)
        status = os.statvfs(tmp_path / "disk")
        assert status.f_bavail * status.f_frsize < 64 << 10
        disk.relent()
