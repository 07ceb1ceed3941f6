"""Discovery: which file is the input, and what kind it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.errors import InputError, NixgenError, UsageError
from nixgen.inputs.discover import Kind, NothingWantedError, beside, find_input, kind_of, passed_over, read_text


def fill(directory: Path, *names: str, project: str = "[project]\n") -> None:
    for name in names:
        (directory / name).write_text(project if name == "pyproject.toml" else "")


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["pylock.toml", "pylock.a.toml", "pyproject.toml", "requirements.in"], "pylock.toml"),
        (["pylock.a.toml", "pyproject.toml"], "pylock.a.toml"),
        (["pyproject.toml", "requirements.in"], "pyproject.toml"),
        (["pyproject.toml", "uv.lock", "poetry.lock"], "pyproject.toml"),
        (["pyproject.toml", "pdm.lock", "poetry.lock"], "poetry.lock"),
        (["pyproject.toml", "Pipfile.lock", "pdm.lock"], "pdm.lock"),
        (["pyproject.toml", "Pipfile.lock", "Pipfile"], "Pipfile.lock"),
        (["pylock.toml", "pyproject.toml", "poetry.lock"], "pylock.toml"),
        (["requirements.txt", "requirements.in"], "requirements.in"),
        (["requirements.txt", "pylock.a.b.toml"], "requirements.txt"),
    ],
)
def test_the_most_exact_input_is_found(tmp_path: Path, names: list[str], found: str) -> None:
    """A lock comes before a project, a project before requirements."""
    fill(tmp_path, *names)
    assert find_input(tmp_path) == tmp_path / found


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("requirements-dev.txt", "`nixgen lock requirements-dev.txt`"),
        ("requirements/base.in", "`nixgen lock requirements/base.in`"),
        ("pyproject.toml", "it has no [project]"),
    ],
)
def test_what_could_be_meant_is_named(tmp_path: Path, name: str, said: str) -> None:
    """Where nothing is found, the error names the file that is there, and the way to have it read."""
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("[tool.flit.metadata]\n" if name == "pyproject.toml" else "six\n")
    with pytest.raises(NothingWantedError) as caught:
        find_input(tmp_path)
    assert said in str(caught.value) and name in str(caught.value)


def test_a_uv_lock_alone_is_no_project(tmp_path: Path) -> None:
    """A uv.lock whose project is not there is not called a missing file."""
    fill(tmp_path, "uv.lock")
    with pytest.raises(InputError, match=r"uv\.lock says nothing without its pyproject\.toml"):
        beside(find_input(tmp_path))


def test_a_file_of_powershell_is_read(tmp_path: Path) -> None:
    """What `pip freeze > requirements.txt` writes there is UTF-16 with its mark, which pip and uv read."""
    (tmp_path / "requirements.txt").write_text("six==1.0\n", encoding="utf-16", newline="\r\n")
    assert read_text(tmp_path / "requirements.txt") == "six==1.0\n"


def test_a_pyproject_without_dependencies_is_none(tmp_path: Path) -> None:
    """A pyproject.toml that only configures tools is passed over; dependency groups alone are enough."""
    fill(tmp_path, "pyproject.toml", "requirements.txt", project="[tool.ruff]\n")
    assert find_input(tmp_path).name == "requirements.txt"
    fill(tmp_path, "pyproject.toml", project="[dependency-groups]\n")
    assert find_input(tmp_path).name == "pyproject.toml"


def test_without_any_input_the_error_says_what_to_create(tmp_path: Path) -> None:
    """An empty directory is an error that names the files nixgen takes."""
    with pytest.raises(InputError, match=r"create requirements\.in"):
        find_input(tmp_path)


def test_several_named_locks_are_ambiguous(tmp_path: Path) -> None:
    """Two named locks without pylock.toml are an error that lists them."""
    fill(tmp_path, "pylock.a.toml", "pylock.b.toml")
    with pytest.raises(InputError, match=r"pylock\.a\.toml, pylock\.b\.toml"):
        find_input(tmp_path)


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (["pylock.toml"], Kind.PYLOCK),
        (["pylock.dev.toml"], Kind.PYLOCK),
        (["pyproject.toml"], Kind.PROJECT),
        (["uv.lock"], Kind.PROJECT),
        (["poetry.lock"], Kind.POETRY),
        (["pdm.lock"], Kind.PDM),
        (["Pipfile.lock"], Kind.PIPENV),
        (["dev.in", "more.txt"], Kind.REQUIREMENTS),
    ],
)
def test_a_file_name_says_the_kind(tmp_path: Path, names: list[str], kind: Kind) -> None:
    """Locks and projects have their names, requirements their suffixes."""
    fill(tmp_path, *names)
    assert kind_of([tmp_path / name for name in names]) is kind


@pytest.mark.parametrize(
    ("names", "error"),
    [
        (["setup.py"], InputError),
        (["other.toml"], UsageError),
        (["pylock.toml", "requirements.in"], UsageError),
        (["pylock.toml", "pylock.a.toml"], UsageError),
        (["missing.in"], InputError),
    ],
)
def test_inputs_that_cannot_be_used_are_refused(tmp_path: Path, names: list[str], error: type[NixgenError]) -> None:
    """Other files, mixed kinds, several locks and missing files are errors of their class."""
    fill(tmp_path, *(name for name in names if not name.startswith("missing")))
    with pytest.raises(error):
        kind_of([tmp_path / name for name in names])


def test_a_file_that_is_no_text_is_an_input_error(tmp_path: Path) -> None:
    """What is not UTF-8 is refused by name."""
    (tmp_path / "pylock.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="not in UTF-8"):
        read_text(tmp_path / "pylock.toml")


def test_the_lock_beside_a_project_is_read_with_it(tmp_path: Path) -> None:
    """A project leads to the lock beside it, a uv.lock to its project; a lock that is not there leads nowhere else."""
    fill(tmp_path, "pyproject.toml", "poetry.lock", "pdm.lock")
    assert beside(tmp_path / "pyproject.toml") == tmp_path / "poetry.lock"
    assert beside(tmp_path / "pdm.lock") == tmp_path / "pdm.lock"
    assert beside(tmp_path / "uv.lock") == tmp_path / "uv.lock"
    assert passed_over(tmp_path / "poetry.lock") == ["pdm.lock"]
    fill(tmp_path, "uv.lock")
    assert beside(tmp_path / "uv.lock") == beside(tmp_path / "pyproject.toml") == tmp_path / "pyproject.toml"
    assert passed_over(tmp_path / "pyproject.toml") == ["poetry.lock", "pdm.lock"]
