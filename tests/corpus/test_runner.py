"""The runner on made wheels: one that works, one that breaks under links, one that breaks everywhere."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from corpus.entries import Entry
from corpus.environments import Store, Workshop
from corpus.probing import Limits
from corpus.processes import Processes
from corpus.report import page
from corpus.result import DEFECT, EQUAL, NOTE, UPSTREAM, Result, read
from corpus.room import Room
from corpus.runner import Runner, run_all
from tests.support.owner import as_root
from tests.support.wheels import make_wheel, write_wheel

pytestmark = pytest.mark.nix

#: Resolves its own path in a way that no rule can read, and opens its neighbour there.
BREAKS = """\
import os, os.path
resolve = getattr(os.path, "real" + "path")
text = open(os.path.join(os.path.dirname(resolve(globals()["__fi" + "le__"])), "data.txt")).read()
"""

#: The same in words that the rules know.
RESOLVES = """\
import os.path
text = open(os.path.join(os.path.dirname(os.path.realpath(__file__)), "data.txt")).read()
def main(): print("it runs")
"""

#: Works where it lies in the store, and nowhere else.
ONLY_IN_STORE = "assert __import__('os').path.islink(__file__)\n"


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workshop]:
    """A workshop that has five wheels and no index."""
    root = tmp_path_factory.mktemp("corpus")
    for wheel in (
        make_wheel(
            "works",
            "1.0",
            {"works/__init__.py": "", "works/core.py": RESOLVES, "works/data.txt": "data", "single.py": ""},
            entry_points={"console_scripts": {"works": "works.core:main"}},
            metadata=["Requires-Dist: needed"],
        ),
        make_wheel("needed", "2.0", {"needed.py": ""}),
        make_wheel(
            "breaks",
            "1.0",
            {"breaks/__init__.py": "import breaks.core\n", "breaks/core.py": BREAKS, "breaks/data.txt": "data"},
        ),
        make_wheel("below", "1.0", {"below/__init__.py": "", "below/sub.py": BREAKS, "below/data.txt": "data"}),
        make_wheel("upstream", "1.0", {"upstream.py": "import no_such_module\n", "only.py": ONLY_IN_STORE}),
    ):
        write_wheel(root / "wheels", wheel)
    store = Store(root / "nix")
    yield Workshop(processes=Processes(), store=store, find_links=(root / "wheels",), index=("--no-index",))
    store.remove()


@pytest.fixture
def runner(workshop: Workshop, tmp_path: Path) -> Runner:
    """A runner with results of its own."""
    return Runner(workshop=workshop, work=tmp_path / "work", out=tmp_path / "out", limits=Limits(module=30, command=30))


def _entry(name: str, *requirements: str) -> Entry:
    return Entry(name=name, requirements=requirements or (name,), roots=(name,))


def _verdicts(result: Result) -> dict[str, str]:
    return {one.probe: one.verdict for one in result.compared}


def test_equal(runner: Runner) -> None:
    """A package that works is compared in every way, and its copies are counted."""
    result = runner.run(_entry("works"))
    assert result.sound, result
    assert _verdicts(result) == dict.fromkeys(
        (
            "importlib.metadata",
            "pip check",
            "import single",
            "import works",
            "resources works",
            "submodules",
            "works --help",
        ),
        EQUAL,
    )
    assert (result.version, result.python, len(result.trees)) == ("1.0", "3.11", 2)
    tree = next(tree for tree in result.trees if tree.name == "works")
    assert tree.copies == {"resolves-itself": (1, len(RESOLVES))}
    assert list(tree.copied) == ["lib/python3.11/site-packages/works/core.py"]
    assert not list(runner.work.iterdir())


def test_an_environment_of_many_files(workshop: Workshop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every tree is found, however long the list of an environment's store paths is."""
    tree = tmp_path / "tree"
    (tree / "nix-support").mkdir(parents=True)
    (tree / "nix-support" / "nixgen.json").write_text("{}")
    add = ["nix-store", "--add", str(tree)]
    added = subprocess.run(add, env=workshop.store.env, capture_output=True, text=True, check=True).stdout.strip()
    monkeypatch.setattr("corpus.processes._KEPT", len(added) - 1)  # instead of 12,000 paths, which are a megabyte
    assert workshop.trees(Path(added)) == [Path(added)]


def test_what_breaks_under_links_is_a_defect(runner: Runner) -> None:
    """An import that fails under nixgen alone is a defect, and is named with what it said."""
    result = runner.run(_entry("breaks"))
    assert [one.probe for one in result.defects] == ["import breaks", "resources breaks"]
    assert "FileNotFoundError" in result.defects[0].nixgen.said
    assert not result.sound
    text = page([result], listed=[result.name])
    assert "1 package with a defect" in text and "* breaks: `import breaks`: FileNotFoundError" in text


@as_root
@pytest.mark.parametrize("name", ["works", "breaks"])
def test_mounted(runner: Runner, workshop: Workshop, name: str) -> None:
    """Without links nothing breaks: the files are pip's, there is no copy, and nothing stays mounted."""
    runner.mounted = True
    result = runner.run(_entry(name))
    assert result.sound and result.mounted, result
    assert _verdicts(result)["files"] == EQUAL
    assert not any(tree.copies for tree in result.trees)
    assert not list(runner.work.iterdir())
    assert str(workshop.store.path.parent) not in Path("/proc/self/mountinfo").read_text()
    text = page([result], listed=[result.name], mounted=True)
    assert "# Compatibility of mounted environments" in text and "## Copies" not in text


def test_a_submodule_that_breaks(runner: Runner) -> None:
    """So is the import of a submodule, which the package itself does not import."""
    result = runner.run(_entry("below"))
    assert [one.probe for one in result.defects] == ["submodules"]
    assert result.defects[0].nixgen.said.startswith("below.sub: FileNotFoundError")


def test_both_fail(runner: Runner) -> None:
    """What fails under pip, too, is no defect; what fails under pip alone is noted."""
    result = runner.run(_entry("upstream"))
    verdicts = _verdicts(result)
    assert (verdicts["import upstream"], verdicts["import only"]) == (UPSTREAM, NOTE)
    assert DEFECT not in verdicts.values() and result.sound


def test_what_cannot_be_locked(runner: Runner) -> None:
    """A package without a wheel is not compared, with the reason; it is no defect."""
    result = runner.run(_entry("absent"))
    assert "absent" in result.trouble and not result.defect and not result.sound
    assert "## Not compared" in page([result], listed=[result.name])


def test_an_environment_that_only_pip_can_make(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nixgen builds no environment and pip does, that is a defect."""
    monkeypatch.setitem(runner.workshop.store.env, "NIX_CONFIG", "no such setting")
    monkeypatch.setitem(runner.workshop.store.env, "NIX_STORE_DIR", "/dev/null/store")
    result = runner.run(_entry("needed"))
    assert result.defect and result.trouble and not result.compared


def test_resuming(runner: Runner, capsys: pytest.CaptureFixture[str]) -> None:
    """What has a result does not run again; what has none does; results are in the list's order."""
    room, entries = Room(2, 4), [_entry("works"), _entry("needed")]
    first = run_all(runner, entries[1:], room, jobs=2, resume=True)
    capsys.readouterr()
    both = run_all(runner, entries, room, jobs=2, resume=True)
    assert [one.name for one in both] == ["works", "needed"] and both[1] == first[0]
    said = capsys.readouterr().err
    assert said.startswith("[1/1] works 1.0") and "needed" not in said
    assert read(runner.out, "works") == both[0]


def test_the_command_line(tmp_path: Path) -> None:
    """``python -m corpus`` says what it can, and refuses a name that the list does not have."""
    words = [sys.executable, "-m", "corpus"]
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([*words, "--help"], cwd=root, capture_output=True, text=True, check=True)
    assert "--resume" in done.stdout
    done = subprocess.run([*words, "no-such"], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "not in the list: no-such" in done.stderr
