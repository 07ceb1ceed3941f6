"""Lists: requirements, statistics of downloads and locks, and what is wrong with them."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from nixgen.errors import InputError
from nixgen.warming.lists import Entry, read_lists


def _read(tmp_path: Path, name: str, text: str, top: int | None = None) -> list[Entry]:
    (tmp_path / name).write_text(text)
    return read_lists([tmp_path / name], top)


def test_statistics_as_json(tmp_path: Path) -> None:
    """The most popular comes first, whatever the order of the rows; --top counts from there."""
    rows = [{"project": "b", "download_count": 1}, {"project": "a", "download_count": 3}, {"name": "c", "count": "2"}]
    text = json.dumps({"last_update": "2026-11-01", "query": {}, "rows": rows})
    assert [entry.text for entry in _read(tmp_path, "a.json", text)] == ["a", "c", "b"]
    assert [entry.text for entry in _read(tmp_path, "a.json", json.dumps(rows), top=2)] == ["a", "c"]


def test_statistics_as_csv(tmp_path: Path) -> None:
    """A header names the columns; without counts the order of the rows is that of the entries."""
    text = "\ufeffproject,download_count\nb,1\na,10\n"
    assert [entry.text for entry in _read(tmp_path, "a.csv", text)] == ["a", "b"]
    assert [entry.text for entry in _read(tmp_path, "a.csv", "other,name\n1,b\n2,a\n")] == ["b", "a"]
    assert _read(tmp_path, "a.csv", text)[0].where == f"{tmp_path}/a.csv:3"


def test_requirements(tmp_path: Path) -> None:
    """Each line is an entry, once; comments, joined lines, options and included files are as pip has them."""
    (tmp_path / "more.txt").write_text("c\na==1\n-r list.txt\n")
    (tmp_path / "limits.txt").write_text("d<5\n")
    text = (
        "# popular\na==1  # one\na==2\nb[x] ; python_version > '3' \\\n  --hash=sha256:00\n"
        "-c limits.txt\n--index-url https://example.org/simple\n-r more.txt\na==1\n"
    )
    entries = _read(tmp_path, "list.txt", text)
    assert [entry.text.partition(" ")[0] for entry in entries] == ["a==1", "a==2", "b[x]", "c"]
    assert all(f"-c {tmp_path}/limits.txt" in entry.options for entry in entries)
    assert all("--index-url https://example.org/simple" in entry.options for entry in entries)
    assert "--hash" in entries[2].text and entries[2].where.endswith("list.txt:4")
    assert entries[3].where.endswith("more.txt:1")
    assert len({entry.key for entry in entries}) == 4


def test_locks(tmp_path: Path) -> None:
    """A directory is all locks below it; a lock that changes is another entry."""
    for name in ("b", "a/deep"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "nixgen.lock").write_text("{}")
    entries = read_lists([tmp_path])
    assert [Path(entry.text).parent.name for entry in entries] == ["deep", "b"]
    before = entries[0].key
    (tmp_path / "a/deep/nixgen.lock").write_text("{ }")
    assert read_lists([tmp_path])[0].key != before


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.json", "[", "it is no JSON"),
        ("a.json", '{"projects": []}', "the list has no rows"),
        ("a.json", '{"rows": []}', "the list has no rows"),
        ("a.json", '{"rows": [{"project": "a"}, 3]}', "row 2"),
        ("a.json", '[{"project": "a", "download_count": "many"}]', "'many' is no count"),
        ("a.csv", "a,b\n1,2\n", "names no package"),
        ("a.csv", "", "the list has no rows"),
        ("a.txt", "-r missing.txt\n", "it asks for missing.txt"),
        ("uv.lock", "", "uv.lock is no list"),
        ("pylock.toml", "", "pylock.toml is no list"),
    ],
)
def test_what_is_wrong(tmp_path: Path, name: str, text: str, said: str) -> None:
    """A file that is no list is named, with the row, and what to do."""
    with pytest.raises(InputError) as error:
        _read(tmp_path, name, text)
    assert said in str(error.value) and "what to do" in str(error.value)


def test_what_is_not_there(tmp_path: Path) -> None:
    """A missing file, and a directory without locks."""
    for path in (tmp_path / "none.txt", tmp_path / "nixgen.lock", tmp_path):
        with pytest.raises(InputError):
            read_lists([path])


def test_hostile_lists(tmp_path: Path) -> None:
    """Whatever a file holds, it is read as a list or refused with an error of ours."""
    chance = random.Random(7)
    pieces = [
        "{",
        "}",
        "[",
        "]",
        '"rows"',
        ":",
        ",",
        '"project"',
        "download_count",
        "a",
        "\n",
        "-r ",
        "\\",
        "1",
        "\0",
        '"',
    ]
    for number in range(600):
        text = "".join(chance.choice(pieces) for _ in range(chance.randrange(30)))
        name = chance.choice(["x.json", "x.csv", "x.txt"])
        try:
            entries = _read(tmp_path, name, text)
        except InputError:
            continue
        assert all(entry.text for entry in entries), (number, name, text)
