"""A short campaign: the generator does as it says, and some of its wheels through nixgen, pip and uv."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from campaign.__main__ import past, run
from campaign.archive import Ending, Member, write
from campaign.draft import DIST_INFO, Draft
from campaign.generator import make
from campaign.kinds import KINDS
from campaign.report import finding_lines, page
from campaign.trial import reasons
from tests.support.nix import NixInstallation

SEEDS = range(12)

#: Names that zipfile cannot decode, so that it reads no such archive.
BROKEN = "name: broken UTF-8"


def _names(content: bytes) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [info.orig_filename for info in archive.infolist()]


def _record(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return archive.read(f"{DIST_INFO}/RECORD")


def test_a_seed_is_a_wheel() -> None:
    """The same seed gives the same bytes and kinds; another seed gives others."""
    assert [make(seed) for seed in SEEDS] == [make(seed) for seed in SEEDS]
    assert len({make(seed).content for seed in range(60)}) == 60


def test_seeds_take_turns() -> None:
    """As many seeds as there are kinds begin with each of them; each wheel has one to three, no one twice."""
    chosen = [make(seed).kinds for seed in range(len(KINDS))]
    assert [kinds[0] for kinds in chosen] == list(KINDS)
    assert {len(kinds) for kinds in chosen} == {1, 2, 3} and all(len(set(kinds)) == len(kinds) for kinds in chosen)


def test_honest() -> None:
    """Without a mutation, the wheel is a sound archive, and RECORD has a row for each file."""
    content = make(1, []).content
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
    assert len(_record(content).splitlines()) == len(_names(content)) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_changes_the_wheel(kind: str) -> None:
    """A kind makes another wheel than the honest one: its bytes, or its name."""
    for seed in SEEDS:
        wheel, honest = make(seed, [kind]), make(seed, [])
        if kind not in ("archive: order of members", "archive: cut", "files: modes", "RECORD: broken hash"):
            assert (wheel.content, wheel.filename) != (honest.content, honest.filename), seed
    assert any(make(seed, [kind]).content != make(seed, []).content for seed in SEEDS) or kind == "file name: another"


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("name: ") and kind != BROKEN])
def test_names_are_in_the_directory(kind: str) -> None:
    """A kind about names puts further members into the archive, under names that the honest wheel has not."""
    for seed in SEEDS:
        assert set(_names(make(seed, [kind]).content)) - set(_names(make(seed, []).content)), seed


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.startswith("RECORD: ")])
def test_record_kinds_change_record(kind: str) -> None:
    """A kind about RECORD changes, removes or doubles that file and no other."""
    changed = 0
    for seed in SEEDS:
        honest, content = make(seed, []).content, make(seed, [kind]).content
        names = _names(content)
        others = [name for name in _names(honest) if name.lower() != f"{DIST_INFO}/record".lower()]
        with zipfile.ZipFile(io.BytesIO(honest)) as one, zipfile.ZipFile(io.BytesIO(content)) as other:
            assert all(one.read(name) == other.read(name) for name in others)
        own = f"{DIST_INFO}/RECORD"
        changed += len(names) != 6 or own not in names or _record(content) != _record(honest)
    assert changed


def test_kinds_do_as_they_say() -> None:
    """Lies of the archive are such that zipfile meets them; links and devices have the modes of these."""
    for seed in SEEDS:
        with zipfile.ZipFile(io.BytesIO(make(seed, ["files: symbolic links"]).content)) as archive:
            assert any(info.external_attr >> 28 == 0o12 for info in archive.infolist())
        with zipfile.ZipFile(io.BytesIO(make(seed, ["files: devices and pipes"]).content)) as archive:
            assert any(info.external_attr >> 28 not in (0o10, 0o12) for info in archive.infolist())
        assert not any(name.split("/")[0] == DIST_INFO for name in _names(make(seed, [".dist-info: none"]).content))
        names = _names(make(seed, ["name: leaves the wheel"]).content)
        assert any(".." in name.split("/") for name in names)
        with pytest.raises(UnicodeDecodeError):
            _names(make(seed, [BROKEN]).content)
        assert any(name.startswith("/") or "//" in name for name in _names(make(seed, ["name: absolute"]).content))


def test_a_field_that_lies() -> None:
    """A change of a field is written where it is said, and only there."""
    honest = write([Member(name=b"a", content=b"aaaa")], Ending())
    central = write([Member(name=b"a", content=b"aaaa", central={"crc": lambda crc: crc ^ 1})], Ending())
    local = write([Member(name=b"a", content=b"aaaa", local={"crc": lambda crc: crc ^ 1})], Ending())
    start = honest.index(b"PK\x01\x02")
    assert [at for at in range(len(honest)) if honest[at] != central[at]] == [start + 16]
    assert [at for at in range(len(honest)) if honest[at] != local[at]] == [14]


def test_reserved_shapes_are_readable() -> None:
    """Data descriptors and zip64 are unusual and honest: zipfile reads what it was given."""
    for member in (
        Member(name=b"a", content=b"x" * 99, descriptor=True),
        Member(name=b"a", content=b"x" * 99, zip64=True),
    ):
        for ending in (Ending(), Ending(zip64=True), Ending(prefix=b"#!", counted=False)):
            with zipfile.ZipFile(io.BytesIO(write([member], ending))) as archive:
                assert archive.read("a") == b"x" * 99


def test_reasons() -> None:
    """A refusal is told without the names and numbers of one wheel, so that like ones count together."""
    said = "nixgen: cannot use the wheel hostile-1.0-py3-none-any.whl: 'a\\\\b': a part is longer than 255 bytes\n"
    assert reasons(said) == ("a part is longer than N bytes",)
    several = "nixgen: cannot use the wheel x: it has these problems:\n    'a': first\n    'b': first\n    second\n"
    assert reasons(several) == ("first", "second")


def test_drafts_share_nothing() -> None:
    """What one draft is changed to does not show in the next."""
    one, other = Draft.honest(1), Draft.honest(1)
    one.members[0].central["crc"] = lambda _: 0
    one.add("x.py")
    assert other.to_bytes() == Draft.honest(1).to_bytes()


@pytest.mark.nix
def test_short(tmp_path: Path) -> None:
    """An honest wheel passes everywhere, what was found once stays repaired, and some new wheels have no finding."""
    # Every twelfth kind, one mutation each.
    wheels = [make(1, []), *past(), *(make(7, [kind]) for kind in list(KINDS)[1::12])]
    trials = run(iter(wheels), tmp_path, workers=2, seconds=300)
    if (tmp_path / "worker-0").exists():
        NixInstallation.of_machine(tmp_path / "worker-0").make_removable()
    assert len(trials) == len(wheels)
    assert trials[0].locked and trials[0].pip and trials[0].uv and not trials[0].findings
    assert [line for trial in trials for line in finding_lines(trial)] == []
    text = page(trials, date="2026-01-01", seed=0, seconds=1)
    assert "| (none) | 1 | 1 | 0 | 1 | 0 | 1 | 0 | 0 |" in text and "* none" in text
