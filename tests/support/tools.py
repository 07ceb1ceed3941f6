"""The tools whose locks are read, each in a virtual environment of its own."""

from __future__ import annotations

import functools
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


@functools.cache
def tool(name: str) -> Path:
    """Return the path of a tool: ``poetry``, ``poetry-1.8``, ``pdm`` or ``pipenv``."""
    directory = _ROOT / ".cache" / "tools"
    done = subprocess.run([_ROOT / "script" / "python-tools", directory, name], capture_output=True, text=True)
    assert done.returncode == 0, f"script/python-tools failed; it needs PyPI:\n{done.stderr}"
    return directory / name / "bin" / name.partition("-")[0]


def run_tool(name: str, *arguments: str, directory: Path, home: Path, **more: str) -> str:
    """Run a tool in a project, with caches and virtual environments below ``home``, and return what it prints."""
    environment: Mapping[str, str] = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("UV_", "PIP_", "VIRTUAL_ENV"))},
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_STATE_HOME": str(home / "state"),
        "PIP_CONFIG_FILE": os.devnull,
        "POETRY_VIRTUALENVS_PATH": str(home / "poetry"),
        "WORKON_HOME": str(home / "pipenv"),
        "PDM_CHECK_UPDATE": "false",
        "PIPENV_VERBOSITY": "-1",
        "NO_COLOR": "1",
        **more,
    }
    done = subprocess.run(
        [tool(name), *arguments], cwd=directory, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, f"{name} {' '.join(arguments)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
