"""Installing projects so that an edit shows."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.conftest import BUILDERS, INTERPRETER
from tests.support.projects import write_project


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a project, what its build needs, and a directory to install into."""
    write_project(tmp_path / "project", script="own", says="one")
    (tmp_path / "tools" / "bin").mkdir(parents=True)
    (tmp_path / "tools" / "bin" / "python").symlink_to(INTERPRETER)
    (tmp_path / "venv").mkdir()
    return tmp_path


def install(place: Path, *names: str, code: int = 0) -> str:
    """Install the projects of some names, and return what is said."""
    package = {
        "directory": "project",
        "environment": str(place / "tools"),
        "backend": "backend",
        "backendPath": ["."],
        "configSettings": [],
        "needs": [],
        "env": [],
    }
    (place / "asked.json").write_text(json.dumps({"packages": [{"name": name, **package} for name in names]}))
    command = [sys.executable, "-B", str(BUILDERS / "editable.py"), "venv", "asked.json", "."]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    return done.stderr


def files(place: Path) -> set[str]:
    """Return the names of what is installed."""
    found = (path for path in (place / "venv").rglob("*") if path.is_file() and ".nixgen" not in path.parts)
    return {path.name for path in found}


def test_a_project_is_installed_once_and_removed(place: Path) -> None:
    """Its files, its command and where it comes from are there; again nothing is done; left out, nothing is left."""
    assert "own is editable" in install(place, "own")
    assert {"__editable__.own.pth", "own", "direct_url.json", "INSTALLER", "RECORD"} <= files(place)
    (origin,) = (place / "venv").rglob("direct_url.json")
    assert json.loads(origin.read_bytes())["url"] == (place / "project").as_uri()
    assert os.access(place / "venv" / "bin" / "own", os.X_OK)
    assert install(place, "own") == ""
    (place / "project" / "src" / "own" / "__init__.py").write_text("edited = True\n")
    assert install(place, "own") == ""
    assert install(place) == "" and files(place) == set()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('f"__editable__.{NAME}.pth"', '"../../escaped"', "its wheel has a member that escapes: '../../escaped'"),
        (".dist-info", ".other", "its wheel has no .dist-info directory"),
        (
            "def build_editable(",
            "raise SystemExit('no')\ndef build_editable(",
            "its build backend fails:\nno",
        ),
    ],
)
def test_a_project_that_cannot_be_installed_is_named(place: Path, old: str, new: str, said: str) -> None:
    """What its backend does wrong is said, without a traceback of ours; nothing is installed."""
    backend = place / "project" / "backend.py"
    backend.write_text(backend.read_text().replace(old, new))
    told = install(place, "own", code=1)
    assert f"own cannot be made editable, from {place / 'project'}: {said}" in told and "editable.py" not in told
    assert files(place) == set() and not list(place.rglob("escaped"))
