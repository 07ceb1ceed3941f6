"""The corpus of npm, on packages that are made: one that works in each form, one that looks where links do not lead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from corpus.environments import Store
from corpus.npm.entries import Entry
from corpus.npm.releases import Pair, compare, two_newest
from corpus.npm.report import page, unexplained
from corpus.npm.result import Result, read
from corpus.npm.runner import Runner
from corpus.npm.sides import FORMS, Workshop
from corpus.processes import Processes
from corpus.result import DEFECT, EQUAL, UPSTREAM
from tests.support.node import node_programs
from tests.support.npm import NpmRegistry, npm_package, tgz

WORKS = npm_package(
    "works",
    files={
        "index.js": "exports.needed = require('needed');",
        "part.mjs": "export const part = 1; export default 2;",
        "more/one.cjs": "exports.one = 1;",
        "ends.cjs": "process.exit(3);",
        "fails.cjs": "require('nowhere');",
        "say.js": "#!/usr/bin/env node\nconsole.log(__filename, process.argv[2]);\n",
    },
    exports={".": "./index.js", "./part": "./part.mjs", "./more/*": "./more/*.cjs", "./ends": "./ends.cjs"}
    | {"./fails": "./fails.cjs", "./style": "./style.css"},
    bin={"say": "say.js"},
    dependencies={"needed": "1"},
)

#: Looks for a neighbour that it does not need: npm lays them side by side.
LOOKING = "exports[require('fs').existsSync(__dirname + '/../works') ? 'there' : 'missing'] = 1;"
LOOKS = npm_package(
    "looks", files={"index.js": LOOKING, "two.js": LOOKING}, exports={".": "./index.js", "./two": "./two.js"}
)

ENTRY = Entry(
    name="works",
    group="made",
    manifest={"name": "works", "version": "1.0.0", "dependencies": {"works": "*"}},
    roots=("works",),
    commands=("mkdir made && date > /dev/null && say > made/said && say again",),
    made=("made",),
)
OTHER = Entry(
    name="looks",
    group="made",
    manifest={"name": "looks", "version": "1.0.0", "dependencies": {"looks": "*"}},
    roots=("looks",),
    differs={"store: require looks/two": "it looks where no link leads."},
)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[Result], Runner]]:
    """Run both entries once, in one project, in each form that the machine can have."""
    root = tmp_path_factory.mktemp("corpus-npm")
    (root / "cache").mkdir()
    with NpmRegistry(packages=[WORKS, LOOKS, npm_package("needed")]) as registry:
        settings = {
            "PATH": f"{node_programs()}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(root / "home"),
            "npm_config_registry": registry.url,
            "npm_config_globalconfig": str(root / "none"),
        }
        store = Store(root / "nix")
        workshop = Workshop(processes=Processes(), store=store, cache=root / "cache", settings=tuple(settings.items()))
        forms = FORMS if os.geteuid() == 0 else ("store",)
        runner = Runner(workshop=workshop, work=root / "work", out=root / "out", forms=forms)
        yield runner.run_together([ENTRY, OTHER]), runner
        store.remove()


@pytest.mark.nix
def test_what_is_the_same(found: tuple[list[Result], Runner]) -> None:
    """Files, entry points, programs and what commands make are compared in each form, and what only fails with both is
    no defect; nothing is left of the environments."""
    (result, other), runner = found
    assert result.trouble == other.trouble == ""
    for form, probes in result.compared.items():
        verdicts = {one.probe: one.verdict for one in probes}
        broken = {f"{kind} works/{name}" for kind in ("require", "import") for name in ("ends", "fails")}
        assert {probe for probe, verdict in verdicts.items() if verdict == UPSTREAM} == broken
        same = {probe for probe, verdict in verdicts.items() if verdict == EQUAL}
        expected = {"files", "require works", "import works", "import works/part", "require works/more/one"}
        expected |= {"say --help", ENTRY.commands[0], "files made"}
        assert expected | ({"npm ls --all --json"} if form == "mounted" else set()) <= same
        assert "require works/style" not in verdicts
    assert (result.packages, other.packages) == (2, 1)
    assert read(runner.out, "works") == result
    assert not (runner.work / "made").exists()


@pytest.mark.nix
def test_what_is_not(found: tuple[list[Result], Runner]) -> None:
    """What a form of nixgen's does otherwise is a defect, but for what the list explains; the page says both."""
    (works, result), _ = found
    assert unexplained(works, {}) == []
    assert unexplained(result, OTHER.differs) == ["store: require looks"]
    for probes in result.compared.values():
        assert [one.probe for one in probes if one.verdict == DEFECT] in (["require looks", "require looks/two"], [])
    text = page([result], listed=[OTHER], releases=[])
    assert "* looks: `store: require looks`: npm says …" in text
    assert "* looks (`store: require looks/two`): it looks where no link leads." in text
    assert "**defect**: `store: require looks`; differs: `store: require looks/two` |" in text


def test_a_page_keeps_what_was_not_run_again(found: tuple[list[Result], Runner]) -> None:
    """Rows, days, what releases share and what projects share stay where they have no new result."""
    result = replace(found[0][0], compared={})
    listed = [ENTRY, replace(ENTRY, name="other"), *(replace(ENTRY, name=name, group="projects") for name in "ab")]
    others = [replace(result, name="other", date="2026-01-01")]
    others += [replace(result, name=name, group="projects", contents={"1": 10, name: 5}) for name in "ab"]
    pair = Pair(name="next", newer="2", older="1", files=4, size=1000, same_files=3, same_size=700)
    whole = page([result, *others], listed=listed, releases=[pair])
    assert "| a | 2 | 15 B | 1 | 10 B | 67% |" in whole
    assert "| next | 2 | 1 | 4 | 3 | 1.0 kB | 700 B | 70% |" in whole
    assert whole == page([result], listed=listed, releases=[], before=whole)
    assert "* 2026-01-01 to " in whole


def test_releases(tmp_path: Path) -> None:
    """The release before the latest is no prerelease and no later one; a file is the same wherever it lies."""
    assert two_newest("2.0.0", ["1.9.0", "1.10.0", "2.0.0-rc.1", "2.0.0", "3.0.0"]) == ("2.0.0", "1.10.0")
    for name, files in {"new": {"a": "1", "b": "22", "c": "x"}, "old": {"z": "22", "a": "0"}}.items():
        (tmp_path / name).write_bytes(tgz({f"package/{path}": text for path, text in files.items()}))
    pair = compare("demo", ("2", tmp_path / "new"), ("1", tmp_path / "old"))
    assert (pair.files, pair.size, pair.same_files, pair.same_size) == (3, 4, 1, 2)
