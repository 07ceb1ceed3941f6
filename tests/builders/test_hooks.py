"""Calling the hooks of a build backend."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.builders.conftest import BUILDERS

BACKEND = """
import sys

class Nested:
    @staticmethod
    def get_requires_for_build_wheel(settings):
        return ["wanted; python_version>'3'"]

    @staticmethod
    def get_requires_for_build_editable(settings):
        return ["editables"]

    @staticmethod
    def build_wheel(directory, settings):
        assert not any("builders" in path for path in sys.path)
        return f"made-{(settings or {}).get('name')}.whl"

class Least:
    build_wheel = Nested.build_wheel
"""


def answer(tmp_path: Path, **asked: Any) -> dict[str, Any]:
    """Return what the program answers in a project with a backend of its own."""
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "backend.py").write_text(BACKEND)
    defaults = {"backend": "backend:Nested", "backendPath": ["own"], "configSettings": {}, "needs": []}
    said = {**defaults, "editable": False, "wheels": "wheels", "answer": "answer.json", **asked}
    (tmp_path / "asked.json").write_text(json.dumps(said))
    subprocess.run([sys.executable, BUILDERS / "hooks.py", "asked.json"], cwd=tmp_path, check=True)
    found: dict[str, Any] = json.loads((tmp_path / "answer.json").read_bytes())
    return found


def test_what_a_backend_asks_for_is_the_answer(tmp_path: Path) -> None:
    """Nothing is built as long as something lacks; what was known stays before it."""
    assert answer(tmp_path, needs=["first"]) == {"needs": ["first", "wanted; python_version>'3'"]}


def test_an_editable_build_may_ask_for_more(tmp_path: Path) -> None:
    """Its own hook is asked too."""
    assert answer(tmp_path, editable=True)["needs"] == ["wanted; python_version>'3'", "editables"]


@pytest.mark.parametrize("backend", ["backend:Nested", "backend:Least"])
def test_a_wheel_is_built(tmp_path: Path, backend: str) -> None:
    """What it asks for may be written otherwise; hooks but one are optional; settings arrive; the program is hidden."""
    made = answer(tmp_path, backend=backend, needs=['Wanted;python_version > "3"'], configSettings={"name": "x"})
    assert made == {"wheel": "made-x.whl"}
