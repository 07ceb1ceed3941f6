"""The list of packages is read, and what is shipped is long enough and has its probes."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpus.entries import Entry, ListError, choose, read
from corpus.probing import PROBES

LIST = Path(__file__).resolve().parents[2] / "corpus" / "packages.toml"


def test_the_list_of_this_repository() -> None:
    """The list has 150 packages at least, from every field, and every probe that it names is there."""
    entries = read(LIST)
    assert len(entries) >= 150
    groups = {"web", "data", "learning", "notebooks", "tools", "crypto", "imaging", "geo", "async", "cloud", "gui"}
    assert groups | {"plots", "programs"} == {entry.group for entry in entries}
    named = {name.partition(":")[0] for entry in entries for name in entry.probes}
    assert named == {path.stem for path in PROBES.glob("[!_]*.py")}
    assert 6 <= len([entry for entry in entries if entry.nasty]) <= 25
    assert not [entry.name for entry in entries if entry.nasty and entry.optional]


def test_a_table(tmp_path: Path) -> None:
    """An entry without more is its own requirement; one with requirements is probed by their names."""
    path = tmp_path / "list.toml"
    path.write_text(
        '[web]\nflask = {}\nmany = { requirements = ["A_b[x]>=1", "c"], probes = ["p:q"], nasty = true, memory = 3 }\n'
        'one = { requirements = ["a", "b"], roots = ["b"], optional = "large" }\n'
    )
    assert read(path) == [
        Entry(name="flask", group="web", requirements=("flask",), roots=("flask",)),
        Entry(
            name="many",
            group="web",
            requirements=("A_b[x]>=1", "c"),
            roots=("a-b", "c"),
            probes=("p:q",),
            nasty=True,
            memory=3.0,
        ),
        Entry(name="one", group="web", requirements=("a", "b"), roots=("b",), optional="large"),
    ]


def test_lines(tmp_path: Path) -> None:
    """Any other file has a requirement a line, and comments."""
    path = tmp_path / "list.txt"
    path.write_text("# what I use\nFlask>=3  # web\n\nuvicorn[standard]\n")
    assert [(entry.name, entry.requirements) for entry in read(path)] == [
        ("flask", ("Flask>=3",)),
        ("uvicorn", ("uvicorn[standard]",)),
    ]


@pytest.mark.parametrize(
    "text",
    ["[web]\nflask = { probe = [] }\n", "[web]\nflask = 1\n", '[web]\n"../x" = {}\n', "[web\n", "[a]\nx={}\n[b]\nx={}"],
)
def test_a_wrong_list_is_refused(tmp_path: Path, text: str) -> None:
    """An unknown key, a value that is no table, a name that is no file name, a name that is there twice."""
    path = tmp_path / "list.toml"
    path.write_text(text)
    with pytest.raises(ListError, match=r"list\.toml"):
        read(path)


def test_choosing() -> None:
    """What is optional runs when it is named, and nothing runs that is not in the list."""
    entries = [
        Entry(name="a", requirements=("a",), roots=("a",), nasty=True),
        Entry(name="b", requirements=("b",), roots=("b",)),
        Entry(name="c", requirements=("c",), roots=("c",), optional="large"),
    ]
    assert [entry.name for entry in choose(entries, [], nasty=False)] == ["a", "b"]
    assert [entry.name for entry in choose(entries, [], nasty=True)] == ["a"]
    assert [entry.name for entry in choose(entries, ["c", "b"], nasty=False)] == ["c", "b"]
    with pytest.raises(ListError, match="not in the list: d"):
        choose(entries, ["d"], nasty=False)
