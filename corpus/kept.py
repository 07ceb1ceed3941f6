"""Results as JSON files, one each, so that a run can go on where another stopped."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


def keep(directory: Path, name: str, number: int, result: Mapping[str, Any]) -> None:
    """Keep a result below a directory; a reader never meets half of it.

    Args:
        directory: made where it is not there.
        name: of the file, without its ending.
        number: of the format; another one is not read as this one.
        result: what JSON can say.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps({"format": number, **result}, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def kept(directory: Path, name: str, number: int, read: Callable[[dict[str, Any]], T]) -> T | None:
    """Return what was kept, as ``read`` makes it of the JSON; None where there is nothing, or nothing that compares."""
    try:
        data = json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))
        return read(data) if data.pop("format") == number else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
