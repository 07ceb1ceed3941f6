"""Tools that show or follow a package's source say in the environment what they say in pip's."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from corpus.environments import Store, Workshop
from corpus.processes import Processes
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME
from tests.support.cli import Cli
from tests.support.wheels import make_wheel, write_wheel
from tests.whole.conftest import MACHINE_PYTHON

pytestmark = [pytest.mark.nix, pytest.mark.registry]

INNER = '''\
"""Functions.

>>> double(3)
6
"""
def double(number):
    """Double."""
    if number < 0:
        return None
    return number * 2

def fail():
    raise ValueError("on purpose")
'''

PLUGIN = """\
import pytest
@pytest.fixture
def check():
    def check(found, wanted):
        assert found == wanted
    return check
"""

TESTS = """\
import sample
def test_double(check):
    check([sample.double(1)], [3])
def test_fails():
    assert sample.double(2) == 5
"""

SAMPLE = make_wheel(
    "sample",
    "1.0",
    {
        "sample/__init__.py": "from sample.inner import double, fail\n",
        "sample/inner.py": INNER,
        "sample/plugin.py": PLUGIN,
        "sample/tests/__init__.py": "",
        "sample/tests/test_inner.py": TESTS,
    },
    entry_points={"pytest11": {"sample": "sample.plugin"}},
)

#: The directory of packages, as commands below name it.
SITE = "lib/python3.11/site-packages"


@dataclass(frozen=True, kw_only=True)
class Environments:
    """The environments of one lock: pip's, nixgen's, and nixgen's with the sample as real files."""

    pip: Path
    rules: Path
    solid: Path
    store: Store

    def run(self, environment: Path, directory: Path, *words: str) -> str:
        """Run Python in a directory of its own, without the right to write to the store; return what it says."""
        scratch = directory / environment.parent.name
        scratch.mkdir(exist_ok=True)
        (scratch / "script.py").write_text("import sample\nprint(sample.double(2))\n")
        command = [*self.store.read_only(), environment / "bin" / "python", *words]
        done = subprocess.run(command, cwd=scratch, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        said = f"{done.stdout}{done.stderr}exit code {done.returncode}".replace(str(environment), "ENV")
        said = said.replace(os.path.relpath(environment, scratch), "ENV").replace(str(scratch), "HERE")
        return re.sub(r" at 0x[0-9a-f]+|\d+\.\d+s", "", said)


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environments]:
    """Make the three of them."""
    root = tmp_path_factory.mktemp("tools")
    write_wheel(root / "wheels", SAMPLE)
    processes, store = Processes(), Store(root / "nix")
    for name, pyproject in (("rules", ""), ("solid", "[tool.nixgen.placement]\nsample = { solid = true }\n")):
        (root / name).mkdir()
        (root / name / "requirements.in").write_text("sample\npytest\ncoverage\n")
        (root / name / "pyproject.toml").write_text(pyproject)
        cli = Cli(directory=root / name, environment=store.env)
        cli("lock", "requirements.in", "--find-links", root / "wheels", "--python", MACHINE_PYTHON)
        cli("build", "--python", MACHINE_PYTHON, "--out-link", "env")
    workshop = Workshop(processes=processes, store=store, find_links=(root / "wheels",))
    workshop.pip(Lock.from_file(root / "rules" / LOCK_NAME), str(MACHINE_PYTHON), root / "pip" / "env")
    yield Environments(pip=root / "pip/env", rules=root / "rules/env", solid=root / "solid/env", store=store)
    processes.stop()
    store.remove()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-c", "import sample; sample.fail()"], f'File "ENV/{SITE}/sample/inner.py", line 13, in fail'),
        (
            ["-c", "import inspect as i, sample; print(i.getsource(sample.double), i.getsourcefile(sample.double))"],
            f"ENV/{SITE}/sample/inner.py",
        ),
        (["-m", "doctest", "-v", "SITE/sample/inner.py"], "Test passed."),
        (
            [
                "-m",
                "pdb",
                *("-c", "b SITE/sample/inner.py:10", "-c", "c", "-c", "w", "-c", "l", "-c", "q"),
                "script.py",
            ],
            f"> ENV/{SITE}/sample/inner.py(10)double()",
        ),
        (["-m", "pytest", "-q", "--pyargs", "sample"], "assert [2] == [3]"),
        (["-m", "pytest", "-q", "--doctest-modules", "--pyargs", "sample"], "2 failed, 1 passed"),
    ],
    ids=["traceback", "inspect", "doctest", "pdb", "pytest", "pytest-doctest"],
)
def test_tools_say_the_same(words: list[str], expected: str, environments: Environments, tmp_path: Path) -> None:
    """Tracebacks, sources, the debugger, doctests and rewritten assertions are those of pip's."""
    said = []
    for environment in (environments.pip, environments.rules):
        site = str(environment / SITE)
        said.append(environments.run(environment, tmp_path, *(word.replace("SITE", site) for word in words)))
    assert said[1] == said[0]
    assert expected in said[1]
    assert "warning" not in said[1].lower()


def _coverage(environments: Environments, environment: Path, directory: Path, source: str) -> dict[str, object]:
    """Return the lines that coverage.py saw run, by file."""
    for words in (["run", f"--source={source}", "script.py"], ["json", "-q", "-o", "c.json"]):
        said = environments.run(environment, directory, "-m", "coverage", *words)
        assert said.endswith("exit code 0"), said
    files = json.loads((directory / environment.parent.name / "c.json").read_text())["files"]
    return {name: (found["executed_lines"], found["missing_lines"]) for name, found in files.items()}


def test_coverage(environments: Environments, tmp_path: Path) -> None:
    """coverage.py sees the same lines of a package that it is given by name, in files that it names by their leaves.

    It resolves the path of each file. With ``solid`` a directory does as well, and each file has its name.
    """
    theirs = _coverage(environments, environments.pip, tmp_path, "sample")
    ours = _coverage(environments, environments.rules, tmp_path, "sample")
    assert sorted(map(str, ours.values())) == sorted(map(str, theirs.values()))
    assert ([6, 8, 10, 12], [9, 13]) in ours.values()
    for source in ("sample", f"{environments.solid}/{SITE}/sample"):
        solid = _coverage(environments, environments.solid, tmp_path, source)
        assert _in_site(solid) == _in_site(theirs)


def _in_site(files: dict[str, object]) -> dict[str, object]:
    return {name.rpartition("site-packages/")[2]: lines for name, lines in files.items()}


def test_compileall_leaves_the_store_alone(environments: Environments, tmp_path: Path) -> None:
    """``compileall`` finds all bytecode up to date, by time and size of the sources, and it stays as it was."""
    (tree,) = {path.resolve().parents[3] for path in environments.rules.glob(f"{SITE}/sample")}
    before = {path: path.read_bytes() for path in tree.rglob("*.pyc")}
    said = environments.run(
        environments.rules, tmp_path, "-m", "compileall", "-q", str(environments.rules / SITE / "sample")
    )
    assert said.endswith("exit code 0") and "***" not in said
    assert {path: path.read_bytes() for path in tree.rglob("*.pyc")} == before
