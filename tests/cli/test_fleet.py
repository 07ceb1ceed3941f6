"""``nixgen fleet``: what many locks hold and share, who has a version, what an upgrade costs, and the page of it."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nixgen.errors import UsageError
from nixgen.fleet.holders import parse_question
from nixgen.fleet.upgrade import parse_upgrade
from tests.support.cli import Cli
from tests.support.locks import change_package, lock_wheels, locked_wheels
from tests.support.owner import UID, as_root, open_directory
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

BIG = "x = 1\n" * 1000
EVIL = "demo</script><script>alert(1)</script>"
OLD = make_wheel("demo", "1.0", {"demo/__init__.py": BIG, "demo/a.py": "a = 1\n", "demo/empty": ""})
NEW = make_wheel("demo", "2.0", {"demo/__init__.py": BIG, "demo/a.py": "a = 22\n"})
RELEASE = make_wheel("demo", "3.0", {"demo/__init__.py": BIG, "demo/a.py": "a = 333\n"})
HELPER = make_wheel("helper", "1.0", {"helper.py": "h = 1\n"})
#: Its file is one that demo has: neither package has it alone.
TWIN = make_wheel("twin", "1.0", {"twin.py": BIG})


@pytest.fixture
def fleet(nixgen: Cli) -> Cli:
    """Three projects: two have demo 1.0, the third demo 2.0, with a package that it shares a file with."""
    for directory, wheels in {"a": [OLD, HELPER], "deep/b": [OLD], "c": [NEW, TWIN]}.items():
        lock_wheels(nixgen.directory / directory, *wheels, python="3.11")
    return nixgen


def report(cli: Cli, *arguments: str, code: int = 0) -> Any:
    return json.loads(cli("fleet", "--json", *arguments, code=code).stdout)


def test_each_content_counts_once_and_somewhere(fleet: Cli) -> None:
    """Sums by lock, by sharing and by package come to the same, and to what a hand counts."""
    found = report(fleet)
    paths = [lock["path"] for lock in found["locks"]]
    assert paths == ["a/nixgen.lock", "c/nixgen.lock", "deep/b/nixgen.lock"]
    a, c, b = found["locks"]
    demo = next(package for package in found["packages"] if package["name"] == "demo")
    assert demo is found["packages"][0] and demo["locks"] == 3
    assert [(one["version"], one["locks"]) for one in demo["versions"]] == [("1.0", [0, 2]), ("2.0", [1])]
    # Big is in two versions, and in another package too; the empty file is nothing.
    assert demo["between_bytes"] == 0 and found["several_bytes"] >= len(BIG)
    assert b["own_files"] == 0 and a["own_files"] > 0
    assert found["unique_bytes"] == a["own_bytes"] + c["own_bytes"]
    assert found["unique_bytes"] + found["shared_bytes"] == found["bytes"]
    assert found["unique_bytes"] + sum(one["bytes"] for one in found["sharing"]) == found["bytes"]
    every = found["several_files"] + sum(
        package["between_files"] + sum(one["own_files"] for one in package["versions"]) for package in found["packages"]
    )
    assert every == found["files"] and found["versions"] == 4 == found["wheels"]
    assert {tuple(one["locks"]) for one in found["sharing"]} == {(0, 1, 2), (0, 2)}
    assert found["copied"] > found["bytes"] and found["fetch"] == sum(map(len, (OLD[1], NEW[1], HELPER[1], TWIN[1])))
    assert found["problems"] == []


def test_a_lock_alone_shares_nothing(fleet: Cli) -> None:
    """What is named is what counts, once, however it is named."""
    found = report(fleet, "deep", "deep/b/nixgen.lock", "./deep/../deep/b")
    assert [lock["path"] for lock in found["locks"]] == ["deep/b/nixgen.lock"]
    assert found["shared_files"] == 0 and found["unique_bytes"] == found["bytes"] > len(BIG)
    said = fleet("fleet", "deep").stdout
    assert "1 lock, 1 package in 1 version, 1 wheel" in said and "in several locks:  0, 0 B" in said


def test_what_an_installation_of_targets_takes(fleet: Cli) -> None:
    """Copies count for each target that has the wheel; what only builds need is held, and copied nowhere."""
    lock = fleet.directory / "deep/b/nixgen.lock"
    before = report(fleet, "deep")["copied"]
    data = json.loads(lock.read_text())
    data["targets"].append({**data["targets"][0], "python": "3.12", "fullVersion": "3.12.0"})
    data["packages"][0].pop("targets")
    lock.write_text(json.dumps(data))
    assert report(fleet, "deep")["copied"] == 2 * before
    change_package(lock, OLD[0], targets=[])
    found = report(fleet, "deep")
    assert found["copied"] == 0 and found["files"] > 0
    assert report(fleet, "deep", "--has", "demo")["holders"][0]["targets"] == []
    assert "(for builds only)" in fleet("fleet", "deep", "--has", "demo").stdout


def test_who_holds_a_version(fleet: Cli) -> None:
    """The exit code says whether somebody has it; names are normalized, several requirements are one question."""
    assert fleet("fleet", "--has", "Demo<2").stdout.split() == [
        *("a/nixgen.lock", "demo", "1.0"),
        *("deep/b/nixgen.lock", "demo", "1.0"),
    ]
    assert fleet("fleet", "--has", "demo<1", code=8).stdout == ""
    assert fleet("fleet", "--has", "nothing", "-q", code=8).stderr == ""
    found = report(fleet, "--has", "demo>1", "--has", "helper")
    assert found["locks"] == 3
    assert [(one["path"], one["name"], one["versions"]) for one in found["holders"]] == [
        ("a/nixgen.lock", "helper", ["1.0"]),
        ("c/nixgen.lock", "demo", ["2.0"]),
    ]


@pytest.mark.parametrize("text", ["demo[extra]", "demo; python_version > '3'", "<2", "demo @ file:///x", ""])
def test_what_is_no_question_is_a_usage_error(text: str) -> None:
    """It is said what can be asked for."""
    for parse in (parse_question, parse_upgrade):
        with pytest.raises(UsageError, match="write it such as"):
            parse(text)


def test_questions_are_read_before_locks(nixgen: Cli) -> None:
    """An empty one is none, and is not taken for no question."""
    assert "write it such as" in nixgen("fleet", "--has=", code=2).stderr
    assert "write it such as" in nixgen("fleet", "--upgrade=", code=2).stderr


def test_an_upgrade_over_all(fleet: Cli, serve: Callable[..., WheelServer]) -> None:
    """Locks with older versions change; what the store has already is not new; what nobody needs then is told."""
    index = ("--default-index", serve(OLD, NEW, RELEASE).index)
    found = report(fleet, "--upgrade", "demo", *index)["upgrade"]
    assert found["versions"] == ["3.0"] and found["replaced"] == {"1.0": 2, "2.0": 1}
    assert found["locks"] == ["a/nixgen.lock", "c/nixgen.lock", "deep/b/nixgen.lock"] and found["newer"] == 0
    assert (found["wheels"], found["fetch"]) == (1, len(RELEASE[1]))
    # a.py, METADATA and RECORD are new; __init__.py and WHEEL are there, and stay.
    assert (found["files"], found["new_files"], found["gone_files"]) == (5, 3, 6)
    assert found["new_bytes"] < len(BIG) < found["bytes"]
    found = report(fleet, "--upgrade", "demo==2.0", *index)["upgrade"]
    assert found["newer"] == 1 and found["wheels"] == found["new_files"] == 0 and found["gone_files"] == 3
    said = fleet("fleet", "--upgrade", "demo==1.0", *index).stdout
    assert "demo 1.0: 1 lock of 3 would change\n  2.0  1 lock\n" in said and "to fetch: 0 wheels, 0 B" in said
    assert "no lock has nothing" in fleet("fleet", "--upgrade", "nothing", *index, code=3).stderr
    assert "9" in fleet("fleet", "--upgrade", "demo==9", *index, code=3).stderr
    assert "to which version" in fleet("fleet", "--upgrade", "demo>1", *index, code=2).stderr


def test_what_cannot_be_read_is_named_and_the_others_count(fleet: Cli) -> None:
    """Broken, foreign and old locks, directories that are closed, pipes: each with where and what to do."""
    bad = {
        "broken": '{"nixgen": 2, "targets": [',
        "conflict": '{"nixgen": 2,\n<<<<<<< ours\n',
        "foreign": '{"_meta": {"hash": {}}}',
        "format1": '{"nixgen": 1, "targets": [], "wheels": {}}',
        "future": '{"nixgen": 77}',
        "number": '{"nixgen": 2, "targets": 3}',
        "endless": "[" * 100_000,
        "bytes": "\udcff",
    }
    for name, text in bad.items():
        (fleet.directory / "bad" / name).mkdir(parents=True)
        (fleet.directory / "bad" / name / "nixgen.lock").write_text(text, errors="surrogateescape")
    (fleet.directory / "bad/directory/nixgen.lock").mkdir(parents=True)
    (fleet.directory / "bad/pipe").mkdir()
    os.mkfifo(fleet.directory / "bad/pipe/nixgen.lock")
    (fleet.directory / "bad/dangling").mkdir()
    (fleet.directory / "bad/dangling/nixgen.lock").symlink_to("nowhere")
    names = {*bad, "directory", "pipe", "dangling"}
    done = fleet("fleet", "--json", ".", "missing", code=3)
    found = json.loads(done.stdout)
    assert len(found["locks"]) == 3 and found["bytes"] == report(fleet, "a", "c", "deep")["bytes"]
    assert {one["path"] for one in found["problems"]} == {"missing", *(f"bad/{name}/nixgen.lock" for name in names)}
    assert all(one["what"] and one["todo"] for one in found["problems"])
    said = done.stderr
    assert "the lock has format 1, and this nixgen reads format 2\n  where: bad/format1/nixgen.lock" in said
    assert "conflict of a merge" in said and "unexpected" not in said and said.count("what to do: ") == len(names) + 1
    # With the question of who has it: found is found, and where it is not found, nobody can be sure.
    fleet("fleet", "--has", "demo", code=0)
    fleet("fleet", "--has", "demo>77", code=3)
    assert "no lock could be read" in fleet("fleet", "bad", code=3).stderr


def test_nothing_at_all_is_an_error(nixgen: Cli) -> None:
    """Where there is no lock, it is said what to give."""
    assert "there is no nixgen.lock" in nixgen("fleet", code=3).stderr


@as_root
def test_a_closed_directory_is_named() -> None:
    """What lies beside it counts, for a user who may not read it."""
    with open_directory() as top:
        for name in ("open", "closed"):
            lock_wheels(top / name, OLD, python="3.11")
        (top / "closed").chmod(0)
        found = list(_as_user(top))
    assert found == ["open/nixgen.lock", "closed"]


def _as_user(top: Path) -> list[str]:
    """Return what a user finds who is not root: locks, and what cannot be read."""
    code = (
        f"import os, sys\nfrom pathlib import Path\nfrom nixgen.fleet.search import find_locks\nos.setuid({UID})\n"
        "for found in sorted(find_locks(['.'], Path(sys.argv[1])), key=lambda one: not isinstance(one, str)):\n"
        "    print(found if isinstance(found, str) else found.path)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, top], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_links_lead_into_no_circle(fleet: Cli) -> None:
    """A link below is not followed, one that is named is; what is not searched holds no projects."""
    (fleet.directory / "deep/circle").symlink_to("..")
    (fleet.directory / "entry").symlink_to("deep")
    lock_wheels(fleet.directory / ".git/old", OLD, python="3.11")
    lock_wheels(fleet.directory / "store/0000-source", OLD, python="3.11")
    assert len(report(fleet)["locks"]) == 4
    found = json.loads(fleet("fleet", "--json", environment={"NIX_STORE_DIR": str(fleet.directory / "store")}).stdout)
    assert len(found["locks"]) == 3
    assert [lock["path"] for lock in report(fleet, "entry")["locks"]] == ["entry/b/nixgen.lock"]


def test_a_wheel_that_cannot_be_read_again_costs_no_other(fleet: Cli) -> None:
    """It is named, and so is its package in the lock; without one that is not known, all is counted."""
    (fleet.directory / "c/wheels" / NEW[0]).unlink()
    done = fleet("fleet", "--json", code=3)
    found = json.loads(done.stdout)
    assert [one["path"] for one in found["problems"]] == [NEW[0]] and NEW[0] in done.stderr
    assert [lock["unknown"] for lock in found["locks"]] == [[], ["demo"], []]
    assert found["several_bytes"] >= len(BIG)  # twin's


def test_hostile_names(nixgen: Cli) -> None:
    """Names and versions that are none are no way out of the page, and no crash; generated."""
    strange = ["", "\x00", "..", "\u202e", EVIL, "1" * 5000, "v</script>", "ü"]
    for number, (name, version) in enumerate(itertools.product(strange, strange)):
        lock = lock_wheels(nixgen.directory / str(number), OLD, python="3.11")
        change_package(lock, OLD[0], name=name, version=version)
    found = json.loads(nixgen("fleet", "--json", "--html", "page.html").stdout)
    assert len(found["locks"]) == len(strange) ** 2 and len(found["packages"]) == len(strange)
    page = (nixgen.directory / "page.html").read_text()
    assert page.count("<script") == page.count("</script>") == 1
    nixgen("fleet", "--has", "demo", code=8)


def test_the_page_holds_all_and_asks_for_nothing(fleet: Cli) -> None:
    """Each content is in one node; nothing in the page leads anywhere, and no name gets out of it."""
    change_package(fleet.directory / "a/nixgen.lock", HELPER[0], name=EVIL)
    assert locked_wheels(fleet.directory / "a/nixgen.lock")[HELPER[0]]["name"] == EVIL
    assert fleet("fleet", "--html", "page.html", "--quiet").stdout == ""
    page = (fleet.directory / "page.html").read_text()
    shown = _data(page)["fleet"]
    nodes = [(name, *version) for name, versions in shown["packages"] for version in versions]
    assert sum(node[2] for node in nodes) == shown["bytes"] == report(fleet)["bytes"]
    assert {node[0] for node in nodes} == {"demo", "twin", EVIL, "in several packages"}
    assert [node[5] for node in nodes if node[:2] == ("demo", "1.0")] == [[0, 2]]
    assert page.count("<script") == page.count("</script>") == 1
    assert not re.search(r"https?:|//[a-z]|\bsrc=|\bhref=|url\(|@import|\bfetch\(|XMLHttpRequest|import\(", page)
    assert "default-src 'none'" in page
    assert "shows the whole fleet" in fleet("fleet", "--html", "page.html", "--has", "demo", code=2).stderr


def _data(page: str) -> Any:
    found = re.search(r"^const DATA = (.*);$", page, re.MULTILINE)
    assert found is not None
    return json.loads(found[1])


def test_help_says_the_exit_codes(nixgen: Cli) -> None:
    """A script needs them."""
    assert "where none has, 8" in nixgen("fleet", "--help").stdout


def test_an_interrupted_page_leaves_the_old_one(fleet: Cli, tmp_path: Path) -> None:
    """Where the new one cannot be written, the old one stays, and it is said why."""
    (fleet.directory / "page.html").mkdir()
    assert "is a directory" in fleet("fleet", "--html", "page.html", code=7).stderr
    assert (fleet.directory / "page.html").is_dir()
