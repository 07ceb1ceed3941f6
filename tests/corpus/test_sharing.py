"""What copies cost: made wheels, served by an index on loopback, and results that say what is copied."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from corpus import sharing
from corpus.result import Tree
from tests.corpus.test_result import RESULT
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

SITE = "lib/python3.11/site-packages"

#: Kept at its path, kept at another one, changed, and new.
OLD = make_wheel(
    "demo",
    "1.0",
    {"demo/same.js": "s" * 1000, "demo/old.js": "m" * 200, "demo/changed.js": "a" * 50, "demo/linked.py": "l" * 30},
    data={"data/share/demo/page.html": "p" * 400, "scripts/tool": "#!/bin/sh\n"},
    metadata=["Requires-Dist: not-on-the-index"],
)
NEW = make_wheel(
    "demo",
    "2.0",
    {
        "demo/same.js": "s" * 1000,
        "demo/moved/new.js": "m" * 200,
        "demo/changed.js": "b" * 50,
        "demo/linked.py": "l" * 30,
        "demo/fresh.js": "f" * 70,
    },
    data={"data/share/demo/page.html": "p" * 400, "scripts/tool": "#!/bin/sh\n"},
    metadata=["Requires-Dist: not-on-the-index"],
)
TREE = Tree(
    path="x-demo-2.0",
    name="demo",
    version="2.0",
    files=9,
    size=4000,
    copied={
        f"{SITE}/demo/same.js": 1000,
        f"{SITE}/demo/moved/new.js": 200,
        f"{SITE}/demo/changed.js": 50,
        f"{SITE}/demo/fresh.js": 70,
        "share/demo/page.html": 400,
        "bin/tool": 10,
    },
)


@pytest.fixture
def index(serve: Callable[..., WheelServer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WheelServer:
    """An index of both releases, of one without an earlier one, of a local version, and of one after a broken wheel."""
    lone = make_wheel("lone", "1.0", {"lone.js": "x" * 500})
    local = [make_wheel("local", version, {"local.js": "x" * 500}) for version in ("1.0", "2.0+cpu")]
    broken = ("broken-1.0-py3-none-any.whl", b"not a zip archive")
    fixed = make_wheel("broken", "1.1", {"broken.js": "x" * 500})
    server = serve(OLD, NEW, lone, *local, broken, fixed)
    monkeypatch.setenv("UV_DEFAULT_INDEX", server.index)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    return server


def test_unchanged_copies_are_counted(index: WheelServer, tmp_path: Path) -> None:
    """A copy that the release before has, wherever it installs it, is stored twice; a link is only unchanged."""
    found = sharing.compare(TREE, "3.11", tmp_path)
    assert found == sharing.Sharing(tree=TREE, before="1.0", unchanged=found.unchanged, twice=1000 + 200 + 400 + 10)
    kept_metadata = len("Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
    assert found.unchanged == found.twice + 30 + kept_metadata
    assert all("range" in request.headers for request in index.wheel_requests)


def test_without_copies_nothing_is_stored_twice(index: WheelServer, tmp_path: Path) -> None:
    """What the tree links to is shared, and costs nothing."""
    found = sharing.compare(replace(TREE, copied={}), "3.11", tmp_path)
    assert (found.unchanged > 1000, found.twice) == (True, 0)


def test_a_local_version_has_a_release_before(index: WheelServer, tmp_path: Path) -> None:
    """What comes before 2.0+cpu is what comes before 2.0."""
    tree = replace(TREE, name="local", version="2.0+cpu", copied={f"{SITE}/local.js": 500})
    found = sharing.compare(tree, "3.11", tmp_path)
    assert (found.before, found.twice) == ("1.0", 500)


@pytest.mark.parametrize(
    ("tree", "reason"),
    [
        (replace(TREE, name="lone", version="1.0", copied={}), "uv finds no wheel of lone<1.0"),
        (replace(TREE, version="2.0+cpu"), "uv finds no wheel of demo==2.0+cpu"),
        (replace(TREE, name="broken", version="1.1", copied={}), "a wheel of it cannot be read: cannot use the wheel"),
        (replace(TREE, copied={"bin/x": 1}), "the index has another wheel of this version, without bin/x"),
    ],
    ids=lambda value: value.version if isinstance(value, Tree) else "",
)
def test_what_cannot_be_compared_is_left_out(tree: Tree, reason: str, index: WheelServer) -> None:
    """A wheel without an earlier one, or that is not on the index, is named with the reason; the rest is compared."""
    compared, left_out = sharing.compare_all([(tree, "3.11"), (TREE, "3.11")])
    assert [one.tree for one in compared] == [TREE]
    ((left, why),) = left_out
    assert left == tree
    assert why.startswith(reason)


def test_an_index_that_is_down(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no index answers, a wheel is not said to be missing."""
    with WheelServer() as server:
        index = server.index
    monkeypatch.setenv("UV_DEFAULT_INDEX", index)
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    _, ((_, why),) = sharing.compare_all([(TREE, "3.11")])
    assert why == "no index answers for demo==2.0"


def test_the_page(index: WheelServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Results give a page: totals over all trees, each once, a row for what is stored twice; it is written too."""
    plain = Tree(path="y-plain-1", name="plain", version="1", files=1, size=6000)
    lone = replace(plain, name="lone", version="1.0", copied={f"{SITE}/lone.js": 500})
    few = replace(plain, name="few", copied={"bin/few": 499})
    replace(RESULT, trees=(TREE, plain, few)).write(tmp_path / "out")
    replace(RESULT, name="other", trees=(TREE, lone)).write(tmp_path / "out")
    page = tmp_path / "page.md"
    options = ["--out", str(tmp_path / "out"), "--least", "500", "--write", str(page)]
    assert sharing.main(options) == 0
    text = page.read_text()
    assert capsys.readouterr().out == text + "\n"
    assert "* 4 different wheels with 22.0 kB, of which 2.7 kB are copies (12.40%)" in text
    assert "* 2 wheels with at least 500 B of copies, together 81.71% of all copies' bytes; 1 compared, " in text
    assert "* **stored twice: 1.6 kB**, 7.32% of all wheels' bytes, 40.25% of these wheels', " in text
    assert "* lone 1.0 (500 B of copies): uv finds no wheel of lone<1.0\n" in text
    assert re.search(r"^\| demo 2\.0 \| 1\.0 \| 4\.0 kB \| 1\.7 kB \| 1\.7 kB \| 1\.6 kB \| 40\.25% \|$", text, re.M)
    assert "auto-optimise-store" in text


def test_small_rows_are_summed_up() -> None:
    """A wheel with little that is stored twice is counted, without a row of its own; the largest row is first."""
    made = [
        sharing.Sharing(tree=replace(TREE, name=f"d{twice}"), before="1.0", unchanged=2000, twice=twice)
        for twice in (100, 0, 900, 20)
    ]
    text = sharing.page([RESULT], made, [], least=100)
    assert re.findall(r"^\| (d\d+) ", text, re.M) == ["d900", "d100"]
    assert "2 others together have 20 B." in text
    assert "Left out" not in text


def test_without_results(tmp_path: Path) -> None:
    """Where nothing was run, the command says what to run."""
    with pytest.raises(SystemExit) as caught:
        sharing.main(["--out", str(tmp_path)])
    assert caught.value.code == 2
