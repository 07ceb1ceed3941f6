"""The command that holds nixgen against other tools: its short part finds nothing, and it would."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from conformance import compare, locks, result
from conformance.__main__ import main
from conformance.installs import EVERYTHING, MAIN
from conformance.locks import Made
from conformance.ours import Taken
from conformance.report import page
from conformance.result import Result, Side
from conformance.sets import RequirementSet, SetsError, read
from conformance.targets import Target, targets
from conformance.tools import ROOT, TOOLS, Workshop
from corpus.processes import Processes

LIST = ROOT / "conformance" / "sets.toml"

WHEEL = "Demo_Name-1.0-py3-none-any.whl"
PIN = ("demo-name", "1.0")


@pytest.mark.registry
def test_the_short_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each tool locks a small set, and nixgen takes what it would install, for each Python and each system."""
    # Of the nine targets of the command, three.
    monkeypatch.setattr("conformance.__main__.targets", lambda: targets()[::4])
    written = tmp_path / "page.md"
    assert main(["--short", "--scratch", str(tmp_path), "--write", str(written)]) == 0
    for name in TOOLS:
        found = result.read(tmp_path / "results", "small", name)
        assert found is not None
        assert not found.unlocked, found.unlocked
        assert len(found.sides) == 3
        assert {side.packages for side in found.sides} <= {4, 5, 6, 7}
    assert "18 times a lock for a target" in written.read_text()


class Everything:
    """Finds the same file of everything."""

    def __init__(self, file: str | None) -> None:
        self._file = file

    def of(
        self, pins: Iterable[tuple[str, str]], targets: Sequence[Target]
    ) -> dict[str, dict[tuple[str, str], str | None]]:
        return {target.key: dict.fromkeys(pins, self._file) for target in targets}


def taken(*packages: tuple[str, str, str], refused: Mapping[str, frozenset[tuple[str, str]]] | None = None) -> Taken:
    found = {(chosen, target.key): frozenset(packages) for chosen in (MAIN, EVERYTHING) for target in targets()}
    return Taken(packages=found, refused=refused or {}, seconds=1.0)


ALL = {target.key: frozenset([PIN]) for target in targets()}


@pytest.mark.parametrize(
    ("file", "ours", "difference"),
    [
        (WHEEL, taken((*PIN, "demo_name-1.0-py3-none-any.whl")), ""),
        ("demo_name-1.0-py3-none-any.whl", taken((*PIN, "demo_name-1.0-py2.py3-none-any.whl")), ""),
        ("demo_name-1.0-py3-none-any.whl", taken((*PIN, WHEEL)), ""),
        (WHEEL, taken(), "only uv: demo-name 1.0 demo_name-1.0-py3-none-any.whl"),
        (
            WHEEL,
            taken((*PIN, "demo_name-1.0-py2-none-any.whl")),
            "only nixgen: demo-name 1.0 demo_name-1.0-py2-none-any",
        ),
        (WHEEL, replace(taken(), failure="no"), "no"),
        (WHEEL, replace(taken((*PIN, WHEEL)), unlisted=[WHEEL]), f"the lock has no hash of {WHEEL}"),
        (None, replace(taken(refused=ALL), failure="refused"), ""),
        (None, taken((*PIN, WHEEL)), "nixgen locks it, though pip has no wheel of demo-name 1.0"),
        (None, replace(taken(), failure="another reason"), "another reason"),
    ],
)
def test_a_difference_is_found(
    file: str | None, ours: Taken, difference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A package, a file or a refusal that only one of them has is a difference; the spelling of a name is none."""
    theirs = {target.key: {MAIN: frozenset([PIN]), EVERYTHING: frozenset([PIN])} for target in targets()}
    # What the tool and nixgen say is made up: the comparison is what is tried.
    monkeypatch.setattr(compare, "installed", lambda *arguments: theirs)
    monkeypatch.setattr(compare, "dry_run", lambda *arguments: {})
    monkeypatch.setattr(compare.ours, "take", lambda *arguments: ours)
    made = Made(directory=tmp_path, tool="uv", version="1", seconds=1.0, failure="", files={})
    found = compare.compare(
        "demo",
        made,
        targets(),
        Workshop(tmp_path, Processes()),
        Everything(file),  # type: ignore[arg-type]
    )
    assert found.differs == bool(difference)
    for side in found.sides:
        assert bool(side.refused) == (file is None)
        assert any(difference in line for line in side.differences) == bool(difference), side.differences


def test_what_a_tool_cannot_lock_is_kept(tmp_path: Path) -> None:
    """A tool that fails is no difference: its words are kept, and it is asked again only where that is wanted."""
    wanted = RequirementSet(
        name="broken", requirements=(Requirement("nothing @ file:///nowhere/nothing-1-py3-none-any.whl"),)
    )
    workshop = Workshop(tmp_path / "homes", Processes())

    def make(again: bool) -> Made:
        return locks.make(wanted, TOOLS["uv"], workshop, tmp_path / "sets", seconds=60, again=again)

    made = make(again=False)
    assert "nowhere" in made.failure
    (made.directory / "mark").touch()
    assert make(again=False) == made
    assert (made.directory / "mark").exists()
    make(again=True)
    assert not (made.directory / "mark").exists()


def test_results_are_kept(tmp_path: Path) -> None:
    """A result is read as it was written; what is damaged or of another format is none."""
    side = Side(target="t", packages=1, differences=["d"], alike=["a"], added=["b"], refused=["r 1"])
    one = Result(set="a", tool="uv", version="1", date="2026-01-02", lock_seconds=1.0, with_itself=["w"], sides=[side])
    one.write(tmp_path)
    assert result.read(tmp_path, "a", "uv") == one
    (tmp_path / "a.uv.json").write_text((tmp_path / "a.uv.json").read_text().replace('"format": 1', '"format": 0'))
    assert result.read(tmp_path, "a", "uv") is None


def test_the_page() -> None:
    """It counts what is equal, and names each difference and each lock that there is not."""
    said = {"version": "1.2", "date": "2026-01-02", "lock_seconds": 1.0}
    results = [
        Result(
            set="small",
            tool="uv",
            packages=3,
            sides=[
                Side(target="a", packages=3, differences=["only uv: x 1"]),
                Side(target="b", packages=2, refused=["y 2"]),
            ],
            **said,  # type: ignore[arg-type]
        ),
        Result(set="small", tool="pdm", unlocked="it was\n/a/path/to/thing failed\n", **said),  # type: ignore[arg-type]
    ]
    text = page(results, [RequirementSet(name="small", requirements=())])
    assert "1 sets, 2 locks asked for, 1 compared, with 3 versions in them" in text
    assert "* 2 times a lock for a target: 1 equal, 1 not" in text
    assert "| small | 3: 1 of 2 equal, 1 without a wheel |  |  | not locked |  |  |" in text
    assert "* small, uv (a): only uv: x 1" in text
    assert "* small, pdm: …/thing failed" in text
    assert "* small, uv: y 2 (b)" in text


def test_locks_that_were_not_run_again_stay() -> None:
    """A page has what the one before says of locks without a new result, counts it, and names each tool's versions."""
    sides = [
        Side(target="a", packages=3, differences=["only poetry: x 1"], alike=["f and g"], added=["h 1"]),
        Side(target="b", packages=2, refused=["y 2"]),
    ]
    one = Result(
        set="one", tool="poetry", version="2.5.1", date="2026-01-02", lock_seconds=1.0, packages=3, sides=sides
    )
    old = replace(one, tool="poetry-1.8", version="1.8.5", date="2026-01-01", with_itself=["only its library: z 1"])
    failed = replace(one, set="two", tool="uv", version="0.9", sides=(), unlocked="not done after 15 minutes")
    silent = replace(one, set="two", tool="pdm", version="2.22", sides=(), silent="no")
    sets = [RequirementSet(name=name, requirements=()) for name in ("one", "two", "three")]
    everything = [one, old, failed, silent]
    whole = page(everything, sets)
    assert "uv 0.9, poetry 2.5.1, poetry 1.8.5, pdm 2.22, pip newest" in whole and "2026-01-01 to 2026-01-02" in whole
    assert "2 sets, 4 locks asked for, 2 compared, with 6 versions in them" in whole and "| three |" not in whole
    for new in everything:
        assert page([new], sets, page([other for other in everything if other is not new], sets)) == whole
        assert page([new], sets, whole) == whole
    assert page([], sets, whole) == whole
    newer = replace(one, version="2.6.0", date="2026-01-03", sides=sides[1:])
    text = page([newer], sets, whole)
    assert "poetry 2.6.0, poetry 1.8.5" in text and "2026-01-01 to 2026-01-03" in text
    assert text == page([newer, old, failed, silent], sets)
    both = page([replace(newer, set="two")], sets, whole)
    assert "poetry 2.5.1 and 2.6.0, poetry 1.8.5" in both and page([], sets, both) == both
    assert "| one |" not in page([], sets[1:], whole)


def test_the_list(tmp_path: Path) -> None:
    """There are twelve sets or more, and a list that is wrong says where."""
    sets = read(LIST)
    assert len(sets) > 12
    assert [one.name for one in sets if one.short] == ["small"]
    broken = tmp_path / "sets.toml"
    for text in ("[a]\nwhat = 1", "[a]\nrequirements = ['=']", "[a"):
        broken.write_text(text)
        with pytest.raises(SetsError, match=r"^sets\.toml: "):
            read(broken)
