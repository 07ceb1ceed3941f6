"""Which form a project needs."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from nixgen.venv.form import form_of
from tests.venv.conftest import Venv


@pytest.mark.parametrize(
    ("name", "text", "form"),
    [
        ("uv.lock", "", "farm"),
        ("pyproject.toml", "[tool.uv]\npackage = false\n", "farm"),
        ("pyproject.toml", "[tool.uv.sources]\n", "farm"),
        ("pyproject.toml", "[tool.poetry]\nname = 'x'\n", None),
        ("poetry.lock", "", None),
        ("pyproject.toml", "no TOML", None),
        ("requirements.in", "uv\n", None),
    ],
)
def test_form_of_a_project(tmp_path: Path, name: str, text: str, form: str | None) -> None:
    """uv needs a farm; whatever else a project has, it may have an overlay."""
    (tmp_path / name).write_text(text)
    assert form_of(tmp_path) == form


@pytest.mark.parametrize(
    ("lock", "named", "form"),
    [
        (True, None, "farm"),
        (False, "{directory}", "farm"),
        (False, "{relative}", "farm"),
        (False, "{directory}-other", "overlay"),
        (False, "", "overlay"),
        (False, None, "overlay"),
    ],
)
def test_form_of_a_new_directory(venv: Venv, lock: bool, named: str | None, form: str) -> None:
    """The program of an environment knows nothing of projects but what uv would make its own."""
    venv.directory.parent.mkdir()
    if lock:
        (venv.directory.parent / "uv.lock").touch()
    if named is not None:
        relative = os.path.relpath(venv.directory)
        venv.environment = {"UV_PROJECT_ENVIRONMENT": named.format(directory=venv.directory, relative=relative)}
    venv()
    assert f"form {form}\n" in (venv.directory / ".nixgen/state").read_text()


@pytest.mark.parametrize(("made", "form"), [("--overlay", "overlay"), ("--farm", "farm")])
def test_a_directory_keeps_its_form(venv: Venv, made: str, form: str) -> None:
    """What uv would do does not change what is there, nor what is asked for."""
    venv(made)
    lock = venv.directory.parent / "uv.lock"
    for there in True, False:
        lock.touch() if there else lock.unlink()
        venv()
        assert f"form {form}\n" in (venv.directory / ".nixgen/state").read_text()
    lock.touch()
    new = replace(venv, directory=venv.directory.parent / "new")
    new(made)
    assert f"form {form}\n" in (new.directory / ".nixgen/state").read_text()
