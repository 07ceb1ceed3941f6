"""``nixgen show``, and placement from pyproject.toml to the built environment."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nixgen.pythons import machine_python
from nixgen.targets import default_python
from tests.support.cli import Cli
from tests.support.nix import NixInstallation
from tests.support.server import WheelServer
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

Serve = Callable[..., WheelServer]

RESOLVING = "import os\nHERE = os.path.realpath(__file__)\n"
DEMO = make_wheel(
    "demo",
    "1.0",
    {"demo/__init__.py": RESOLVING, "demo/a.py": RESOLVING, "demo/data.txt": "12345", "demo/lib.txt": "x"},
)
HELPER = make_wheel("helper", "1.0", {"helper.py": "x = 1\n"})


@pytest.fixture
def in_store(nixgen: Cli, nix_store: NixInstallation) -> Cli:
    """The command line with a store of the tests' own."""
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    return replace(nixgen, environment={**nixgen.environment, **kept})


@pytest.fixture
def locked(in_store: Cli, serve: Serve) -> Callable[..., str]:
    """Lock both wheels with some text as pyproject.toml; gives what is said."""
    index = serve(DEMO, HELPER).index

    def lock(pyproject: str = "", code: int = 0) -> str:
        (in_store.directory / "requirements.in").write_text("demo\nhelper\n")
        (in_store.directory / "pyproject.toml").write_text(pyproject)
        said: str = in_store("lock", "requirements.in", "--default-index", index, code=code).stderr
        return said

    return lock


def _copies(cli: Cli) -> dict[str, list[str]]:
    report: dict[str, Any] = json.loads(cli("show", "demo", "--copies", "--json").stdout)
    (package,) = report["packages"]
    return {copy["path"].partition("site-packages/")[2]: copy["reasons"] for copy in package["copies"]}


RULES = {"demo/__init__.py": ["resolves-itself", "package"], "demo/a.py": ["resolves-itself"]}


def test_overrides_reach_the_environment(in_store: Cli, locked: Callable[..., str]) -> None:
    """Placement is overridden both ways and by wheel, and a lock made without the override has the rules again."""
    said = {}
    for name, table in (
        ("rules", ""),
        ("copy", 'copy = ["demo/data.*"]'),
        ("link", 'link = ["demo/a.py"]'),
        ("solid", "solid = true"),
        ("rules again", ""),
    ):
        locked(f"[tool.nixgen.placement.demo]\n{table}\n" if table else "")
        in_store("build")
        said[name] = _copies(in_store)
    assert said["rules"] == said["rules again"] == RULES
    assert said["copy"] == {**RULES, "demo/data.txt": ["override"]}
    assert said["link"] == {"demo/__init__.py": RULES["demo/__init__.py"]}
    assert all("override" in reasons for reasons in said["solid"].values())
    assert {"demo/lib.txt", "demo-1.0.dist-info/METADATA"} < said["solid"].keys()


def test_an_override_is_checked(locked: Callable[..., str], in_store: Cli) -> None:
    """What is not understood stops the lock, and what meets nothing is a note."""
    assert "solid is neither" in locked("[tool.nixgen.placement.demo]\nsolid = 1\n", code=3)
    assert not (in_store.directory / "nixgen.lock").exists()
    said = locked('[tool.nixgen.placement]\nother = { solid = true }\ndemo = { copy = ["x"] }\n')
    assert "note: [tool.nixgen.placement.other]" in said
    assert "note: [tool.nixgen.placement.demo]: copy has 'x'" in said


def test_an_override_leaves_other_trees_alone(locked: Callable[..., str], in_store: Cli) -> None:
    """Only the package that is overridden gets another tree, and both ways of ingest still agree on it."""
    trees = {}
    for name, text in (("rules", ""), ("solid", "[tool.nixgen.placement.demo]\nsolid = true\n")):
        locked(text)
        in_store("build")
        report = json.loads(in_store("show", "--json").stdout)
        trees[name] = {package["name"]: package["tree"] for package in report["packages"]}
    assert trees["rules"]["helper"] == trees["solid"]["helper"]
    assert trees["rules"]["demo"] != trees["solid"]["demo"]


def test_packages_are_listed(locked: Callable[..., str], in_store: Cli) -> None:
    """A line for each package says its version, wheel and number of files, and whether it is built."""
    locked()
    first, *before = in_store("show").stdout.splitlines()
    assert first.split() == ["Python", default_python(), str(machine_python(default_python()))]
    assert [line.split()[:3] for line in before] == [
        ["demo", "1.0", "demo-1.0-py3-none-any.whl"],
        ["helper", "1.0", "helper-1.0-py3-none-any.whl"],
    ]
    assert all(line.endswith("not built") for line in before)
    in_store("build")
    after = in_store("show", "helper").stdout.splitlines()
    assert len(after) == 1 and after[0].endswith("4 files  built")


def test_copies_are_listed_with_totals(locked: Callable[..., str], in_store: Cli) -> None:
    """Each copy stands with its size and reasons, and at the end the sums by reason and of all."""
    locked()
    in_store("build")
    said = in_store("show", "--copies").stdout
    lines = [" ".join(line.split()) for line in said.splitlines()]
    size = len(RESOLVING)
    assert lines[0] == "demo 1.0"
    assert lines[1].endswith(f"site-packages/demo/__init__.py {size} B resolves-itself, package")
    assert f"package 1 file {size} B" in lines
    assert f"resolves-itself 2 files {2 * size} B" in lines
    assert lines[-1].startswith("2 of ") and f"are copies: {2 * size} B of " in lines[-1]
    report = json.loads(in_store("show", "--copies", "--json").stdout)
    assert report["reasons"]["resolves-itself"] == {"files": 2, "size": 2 * size}


def test_copies_need_a_build(locked: Callable[..., str], in_store: Cli, tmp_path: Path) -> None:
    """Where nothing is built, or something else, copies cannot be shown, and the error says what to run."""
    locked()
    assert "run `nixgen build`" in in_store("show", "--copies", code=3).stderr
    in_store("build", "-o", tmp_path / "elsewhere")
    assert "package" in in_store("show", "--copies", "-o", tmp_path / "elsewhere").stdout
    in_store("venv")
    assert "package" in in_store("show", "--copies").stdout  # of what .venv stands on
    assert "no package named nonsense" in in_store("show", "nonsense", code=3).stderr
