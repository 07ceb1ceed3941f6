"""Which form a project's environment needs: an overlay, or a farm for installers that do not read .pth files."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

Form = Literal["overlay", "farm"]


def form_of(project: Path) -> Form | None:
    """Return the form that a project's installer needs; None where either serves it.

    uv takes for installed what lies in site-packages itself: in an overlay, ``uv sync`` would install every package a
    second time. Poetry and pip ask Python where packages are, and see those below an overlay.

    Args:
        project: its directory.
    """
    if (project / "uv.lock").exists():
        return "farm"
    try:
        tables = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return "farm" if "uv" in tables.get("tool", {}) else None
