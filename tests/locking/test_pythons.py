"""Which Python a project asks for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nixgen.locking import pythons
from nixgen.locking.pythons import Asked, Pin, find_pin, project_python
from tests.support.interpreters import interpreters, manage
from tests.targets.test_machine import fake_interpreter

HERE = Path("x/.python-version")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.12", "3.12"),
        ("3.12.4", "3.12.4"),
        ("3.15.0a2", "3.15.0a2"),
        ("3.13t", "3.13t"),
        ("3.13+freethreaded", "3.13t"),
        ("cpython@3.12", "3.12"),
        ("cpython3.12", "3.12"),
        ("CPython-3.12.4-linux-x86_64-gnu", "3.12.4"),
        ("python3.12", "3.12"),
        ("python-3.12.4", "3.12.4"),
        ("312", "3.12"),
        ("cp313t", "3.13t"),
    ],
)
def test_a_version_as_uv_and_pyenv_write_it(text: str, version: str) -> None:
    """Every form of a version of CPython is read."""
    assert Pin.parse(text, HERE) == Pin(path=HERE, text=text, version=version)


@pytest.mark.parametrize(
    ("text", "specifiers"), [(">=3.12,<3.14", ">=3.12,<3.14"), ("cpython>=3.12", ">=3.12"), ("3", "==3.*")]
)
def test_specifiers(text: str, specifiers: str) -> None:
    """Specifiers and a major version leave several to choose from."""
    pin = Pin.parse(text, HERE)
    assert (pin.version, str(pin.specifiers)) == (None, str(pythons.SpecifierSet(specifiers)))


@pytest.mark.parametrize(
    "text", ["pypy3.10", "pypy@3.10", "my-project-env", "3.11.4/envs/mine", "system", "2.7", ">>3"]
)
def test_what_is_no_version_of_cpython(text: str) -> None:
    """Other implementations, and the names that pyenv has for environments, are neither."""
    assert Pin.parse(text, HERE) == Pin(path=HERE, text=text)


def test_the_first_line_counts(tmp_path: Path) -> None:
    """Comments and empty lines are passed over, of several versions the first is taken, as uv has it."""
    (tmp_path / ".python-version").write_text("# mine\n\n  3.12 # not yet 3.13\n3.11\n")
    pin = find_pin(tmp_path)
    assert pin is not None and (pin.text, pin.path) == ("3.12", tmp_path / ".python-version")
    (tmp_path / ".python-versions").write_text("3.14\n")
    assert (pin := find_pin(tmp_path)) is not None and pin.version == "3.12"


def test_directories_above(tmp_path: Path) -> None:
    """Above a project nothing counts, but for the root of its workspace; without a project, everything above."""
    member = tmp_path / "root" / "packages" / "one"
    member.mkdir(parents=True)
    (tmp_path / ".python-version").write_text("3.10\n")
    assert (pin := find_pin(member)) is not None and pin.version == "3.10"
    (member / "pyproject.toml").write_text("[project]\n")
    assert find_pin(member) is None
    (tmp_path / "root/pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["packages/*"]\n')
    assert find_pin(member) is None
    (tmp_path / "root/.python-versions").write_text("3.13\n")
    assert (pin := find_pin(member)) is not None and pin.version == "3.13"
    # A file that says nothing ends the search.
    (member / ".python-version").write_text("# to be decided\n")
    assert find_pin(member) is None


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose own Python is 3.11.2, and that has 3.12.9 beside it."""
    directory = tmp_path / "bin"
    directory.mkdir()
    for minor, patch in ((11, 2), (12, 9)):
        fake_interpreter(directory / f"python3.{minor}", version=f"3.{minor}.{patch}")
    monkeypatch.setattr("nixgen.pythons.MACHINE_DIRECTORIES", (str(directory),))
    monkeypatch.setattr(pythons, "MACHINE_DIRECTORIES", (str(directory),))
    monkeypatch.setattr(pythons, "default_version", lambda: "3.11.2")
    monkeypatch.setenv("UV_PYTHON_INSTALL_DIR", str(tmp_path / "managed"))
    (tmp_path / "project").mkdir()
    return tmp_path


def _of_project(machine: Path, requires: str) -> Asked:
    (machine / "project/pyproject.toml").write_text(f'[project]\nname = "x"\nrequires-python = "{requires}"\n')
    return project_python(machine / "project")


def test_what_a_project_is_for(machine: Path) -> None:
    """The default where it fits, else the newest of the machine that does, else the lowest that there is."""
    assert project_python(machine / "project").version == "3.11.2"
    assert _of_project(machine, ">=3.10").version == "3.11.2"
    assert _of_project(machine, ">=3.12").version == "3.12.9"
    assert _of_project(machine, ">3.11.2,<3.12").version == "3.11.3"
    assert _of_project(machine, "~=3.13.1").version == "3.13.1"
    # What cannot be met, or read, is said by who reads it all.
    assert _of_project(machine, "<3").version == "3.11.2"
    assert _of_project(machine, "new").version == "3.11.2"


def test_a_version_file_wins(machine: Path) -> None:
    """It decides before the project's own word; without a patch level it is the machine's Python, else the lowest."""
    file = machine / "project/.python-version"
    for text, version, exact in (("3.12", "3.12.9", False), ("3.12.4", "3.12.4", True), ("3.13", "3.13", False)):
        file.write_text(text)
        assert _of_project(machine, ">=3.10") == Asked(version=version, exact=exact)
    file.write_text(">=3.12")
    assert _of_project(machine, ">=3.10").version == "3.12.9"
    file.write_text("pypy3.10")
    asked = _of_project(machine, ">=3.12")
    assert asked.version == "3.12.9" and ".python-version asks for pypy3.10" in (asked.note or "")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", '[tool.poetry]\nname = "x"\nversion = "1"\n[tool.poetry.dependencies]\npython = "~3.12"\n'),
        ("last.py", '# /// script\n# requires-python = "==3.12.*"\n# dependencies = []\n# ///\n'),
        ("pylock.toml", 'lock-version = "1.0"\nrequires-python = "==3.12.*"\n'),
        (
            "Pipfile.lock",
            json.dumps(
                {"_meta": {"pipfile-spec": 6, "requires": {"python_version": "3.12"}, "hash": {}}, "default": {}}
            ),
        ),
    ],
)
def test_other_tools_words(name: str, content: str, machine: Path) -> None:
    """What Poetry, a script, a pylock.toml and Pipenv say of their Python counts as well."""
    path = machine / "project" / name
    path.write_text(content)
    assert project_python(machine / "project", [path]).version == "3.12.9"


def test_pythons_that_uv_manages(machine: Path) -> None:
    """Where the machine has none that fits, the one that uv manages does; other directories there are passed over."""
    version, path = next(iter(reversed(interpreters().items())))
    manage(machine / "managed", path)
    for link in (machine / "bin").iterdir():
        link.unlink()
    (machine / "managed/cpython-3.9-none").mkdir()
    asked = _of_project(machine, f"=={version}.*,!=3.11.2")
    assert asked.version.startswith(f"{version}.") and not asked.exact
