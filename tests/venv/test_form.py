"""Which form a project needs."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixgen.venv.form import form_of


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
