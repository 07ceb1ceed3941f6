"""Locks that the tools themselves wrote: nixgen takes what they would install."""

from __future__ import annotations

import os
import re
import shlex
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from nixgen import inputs
from nixgen.inputs import ResolverOptions
from nixgen.targets import Target, default_system
from tests.support.cli import Cli
from tests.support.console import blocks, commands, fits
from tests.support.nix import NixInstallation
from tests.support.server import WheelServer
from tests.support.tools import run_tool
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.registry

MACHINE = Target.parse(".".join(map(str, sys.version_info[:3])), default_system())

POETRY = """
[tool.poetry]
name = "me"
version = "1"
description = ""
authors = []
package-mode = false
[tool.poetry.dependencies]
python = ">=3.10,<4"
base = {{version = "^1.0", extras = ["more-of"]}}
multi = [{{version = "<2", python = "<3.11"}}, {{version = ">=2", python = ">=3.11"}}]
windows = {{version = "*", markers = "sys_platform == 'win32'"}}
server = {{version = "*", optional = true}}
[tool.poetry.extras]
web = ["server"]
[tool.poetry.group.dev.dependencies]
checker = "*"
[tool.poetry.group.docs]
optional = true
[tool.poetry.group.docs.dependencies]
writer = "*"
[[tool.poetry.source]]
name = "here"
url = "{index}"
priority = "primary"
"""

PEP621 = """
[project]
name = "me"
version = "1"
requires-python = ">=3.10,<4"
dependencies = ["base[more-of]>=1,<2", "multi>=2; python_version>='3.11'", "windows; sys_platform=='win32'"]
[project.optional-dependencies]
web = ["server"]
[dependency-groups]
dev = ["checker"]
"""

PDM = """
[tool.pdm]
distribution = false
[tool.pdm.dev-dependencies]
docs = ["writer"]
[[tool.pdm.source]]
name = "pypi"
url = "{index}"
verify_ssl = false
"""

POETRY_OF_PEP621 = """
[tool.poetry]
package-mode = false
[[tool.poetry.source]]
name = "here"
url = "{index}"
priority = "primary"
"""

PIPFILE = """
[[source]]
name = "here"
url = "{index}"
verify_ssl = false
[packages]
base = {{version = "<2", extras = ["more-of"]}}
core = "==1.0"
windows = {{version = "*", sys_platform = "== 'win32'"}}
[dev-packages]
checker = "*"
"""


@pytest.fixture
def index(serve: Callable[..., WheelServer]) -> Iterator[str]:
    """Serve the packages that the projects name."""

    def wheel(name: str, version: str, *requires: str) -> tuple[str, bytes]:
        metadata = ["Requires-Python: >=3.8", *(f"Requires-Dist: {one}" for one in requires)]
        metadata += [f"Provides-Extra: {extra}" for extra in ("more-of", "other")]
        return make_wheel(name, version, {}, metadata=metadata)

    yield serve(
        wheel("base", "1.0", "core>=1", "more; extra == 'more-of'", "never; extra == 'other'"),
        wheel("base", "2.0"),
        wheel("checker", "1.0", "core<2", "shared", "old; python_version<'3.11'"),
        *(wheel("core", version) for version in ("1.0", "1.5", "2.0")),
        *(wheel("multi", version) for version in ("1.0", "2.0")),
        *(wheel(name, "1.0") for name in ("more", "never", "old", "windows")),
        wheel("server", "1.0", "shared"),
        wheel("shared", "1.0", "core!=1.5"),
        wheel("writer", "1.0", "core"),
    ).index


#: Of each case: the tool, the file that it reads, and its text.
CASES = {
    "poetry-1.8": ("poetry-1.8", "pyproject.toml", POETRY),
    "poetry": ("poetry", "pyproject.toml", POETRY),
    "poetry, [project]": ("poetry", "pyproject.toml", PEP621 + POETRY_OF_PEP621),
    "pdm": ("pdm", "pyproject.toml", PEP621 + PDM),
    "pdm, no_inherit_metadata": ("pdm", "pyproject.toml", PEP621 + PDM),
    "pipenv": ("pipenv", "Pipfile", PIPFILE),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_tool_would_install(case: str, index: str, tmp_path: Path) -> None:
    """By default, and with every extra and group, the names and versions are those that the tool would install."""
    name, file, text = CASES[case]
    directory, home = tmp_path / "project", tmp_path / "home"
    directory.mkdir()
    home.mkdir()
    (directory / file).write_text(text.format(index=index))
    options = ["-G", ":all", "-S", "no_inherit_metadata"] if "no_" in case else ["-G", ":all"] if name == "pdm" else []
    run_tool(name, "lock", *options, directory=directory, home=home)
    found = inputs.read(
        [], targets=[MACHINE], base=directory, options=ResolverOptions(default_index=index, index_strategy=None)
    )
    assert found.origin == {"poetry-1.8": "poetry.lock", "pipenv": "Pipfile.lock"}.get(name, f"{name}.lock")
    selection = found.selections[MACHINE.key]
    everything = {f"extra:{one}" for one in selection.extras} | {f"group:{one}" for one in selection.groups}
    default = {f"group:{one}" for one in selection.default_groups}
    for chosen, asked in ((default, False), (everything, True)):
        ours = {
            f"{one.name} {one.version}"
            for one in selection.packages
            if any(chosen.issuperset(when) for when in one.when)
        }
        assert ours == INSTALLED[name.partition("-")[0]](asked, directory, home), case


def _poetry(everything: bool, directory: Path, home: Path) -> set[str]:
    options = ["--all-extras", "--with", "docs"] if everything else []
    if "group.docs" not in (directory / "pyproject.toml").read_text():
        options = options[:1]
    version = (directory / "poetry.lock").read_text().partition("Poetry ")[2]
    name = "poetry-1.8" if version.startswith("1.8") else "poetry"
    said = run_tool(name, "install", "--dry-run", "--no-root", *options, directory=directory, home=home)
    return {f"{name} {version}" for name, version in re.findall(r"- Installing (\S+) \(([^)]+)\)(?!.*Skipped)", said)}


def _pdm(everything: bool, directory: Path, home: Path) -> set[str]:
    # Where nothing is said, PDM takes all that is in the lock, extras too.
    options = ["-G", ":all"] if everything else ["--dev"]
    run_tool("pdm", "use", "-f", sys.executable, directory=directory, home=home)
    said = run_tool("pdm", "sync", "--dry-run", "--no-self", *options, directory=directory, home=home)
    return {f"{name} {version}" for name, version in re.findall(r"^\s+- (\S+) (\S+)$", said, re.MULTILINE)}


def _pipenv(everything: bool, directory: Path, home: Path) -> set[str]:
    options = ["--dev"] if everything else []
    said = run_tool("pipenv", "requirements", *options, directory=directory, home=home)
    found = set()
    for line in said.splitlines():
        if line and not line.startswith(("-", "#")):
            requirement = Requirement(line)
            # Without a version: Pipenv has not resolved what this machine does not need.
            if requirement.specifier and (requirement.marker is None or requirement.marker.evaluate()):
                found.add(f"{requirement.name} {next(iter(requirement.specifier)).version}")
    return found


INSTALLED: dict[str, Callable[[bool, Path, Path], set[str]]] = {"poetry": _poetry, "pdm": _pdm, "pipenv": _pipenv}


@pytest.mark.nix
def test_the_example_of_the_page(
    serve: Callable[..., WheelServer], nixgen: Cli, nix_store: NixInstallation, tmp_path: Path
) -> None:
    """What docs/inputs/poetry.md shows is what comes out, with wheels of those names for those of PyPI.

    Poetry asks PyPI's JSON interface, which mirrors do not have.
    """
    page = (Path(__file__).parents[2] / "docs" / "inputs" / "poetry.md").read_text()
    toml, shown = [block.text for block in blocks(page)]
    files = [("idna", "3.20"), ("six", "1.17"), ("iniconfig", "2.0")]
    wheels = [
        make_wheel(name, version, {f"{name}.py": f"__version__ = {version!r}\n"}, metadata=["Requires-Python: >=3.8"])
        for name, version in files
    ]
    index = serve(*wheels).index
    source = f'[[tool.poetry.source]]\nname = "here"\nurl = "{index}"\n'
    (nixgen.directory / "pyproject.toml").write_text(toml + source)
    home = tmp_path / "home"
    home.mkdir()
    kept = {name: value for name, value in nix_store.env.items() if os.environ.get(name) != value}
    cli = replace(nixgen, environment={**nixgen.environment, **kept})
    for command in commands(shown):
        words = shlex.split(command.line)
        if words[0] == "poetry":
            said = run_tool("poetry", *words[1:], directory=nixgen.directory, home=home)
        else:
            done = cli(*words[1:])
            said = done.stderr + done.stdout
        assert fits("\n".join(command.output), said), f"{command.line}\n{said}"
