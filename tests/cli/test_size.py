"""``nixgen size``: what environments cost and share, and the page with the treemap."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.cli import Cli
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

BIG = "x = 1\n" * 1000
EVIL = "a</script><script>alert(1)</script>.txt"
DEMO = make_wheel("demo", "1.0", {"demo/__init__.py": BIG, "demo/again.py": BIG, f"demo/{EVIL}": "1", "demo/empty": ""})
HELPER = make_wheel("helper", "1.0", {"helper.py": BIG})
OTHER = make_wheel("other", "1.0", {"other.py": "y = 1\n"})


@pytest.fixture
def two(empty_store: Cli, serve: Callable[..., WheelServer]) -> Cli:
    """Two projects, one below the other, which have a package and a content in common."""
    index = serve(DEMO, HELPER, OTHER).index
    for directory, wanted in (("one", "demo\nhelper\n"), ("two", "demo\nother\n")):
        (empty_store.directory / directory).mkdir()
        (empty_store.directory / directory / "requirements.in").write_text(wanted)
        empty_store("-C", directory, "lock", "--default-index", index)
    return empty_store


def data_of(page: str) -> Any:
    """Return what a page shows."""
    found = re.search(r"^const DATA = (.*);$", page, re.MULTILINE)
    assert found is not None
    return json.loads(found[1])


@pytest.mark.nix
def test_contents_count_once(two: Cli) -> None:
    """A content counts once, in an environment and between two; what is built is measured on the disk."""
    one, other = json.loads(two("size", "one", "two", "--json").stdout)["environments"]
    assert one["listed"] - one["bytes"] > 2 * len(BIG)  # demo has it twice, and helper too
    demo, helper = one["packages"]
    assert (demo["name"], helper["name"]) == ("demo", "helper")
    assert helper["own"] < len(BIG) < helper["bytes"]
    assert demo["files"] == 6  # the empty one is none
    assert one["shared"] == {"two": other["shared"]["one"]} and one["shared"]["two"] > len(BIG)
    assert one["stored_bytes"] == 0 and one["environment"] is None
    two("-C", "one", "build")
    one, other = json.loads(two("size", "one", "two", "--json").stdout)["environments"]
    assert one["stored_bytes"] == one["bytes"] and other["stored_bytes"] == other["shared"]["one"]
    assert one["tree_count"] == 2 and one["trees"]["links"] > 4 and one["environment"]["disk"] > 0
    said = two("size", "one", "two").stdout
    assert "shared with two: " in said and "its 2 trees, which environments share: " in said


@pytest.mark.nix
def test_the_page_holds_all_and_asks_for_nothing(two: Cli) -> None:
    """Each file is there with its size and marks; nothing in the page leads anywhere, and no name gets out of it."""
    assert two("size", "one", "two", "--html", "page.html", "--quiet").stdout == ""
    page = (two.directory / "page.html").read_text()
    one, other = data_of(page)["environments"]
    (demo, helper) = one["packages"]
    assert demo[0] == "demo 1.0" and helper[0] == "helper 1.0"
    inner = next(entry[1] for entry in demo[1] if entry[0] == "demo")
    assert [entry for entry in inner if entry[0].endswith(".py")] == [
        ["__init__.py", len(BIG), 1],
        ["again.py", len(BIG), 1],
    ]
    # The name has a slash: what lies around it is a directory of its own.
    assert ["a<", [["script><script>alert(1)<", [["script>.txt", 1, 1]]]]] in inner
    assert {name for name, *_ in other["packages"]} == {"demo 1.0", "other 1.0"}
    assert page.count("<script") == page.count("</script>") == 1
    assert not re.search(r"https?:|//[a-z]|\bsrc=|\bhref=|url\(|@import|\bfetch\(|XMLHttpRequest|import\(", page)
    assert "default-src 'none'" in page
