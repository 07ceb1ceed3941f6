"""Locks that tools make of requirement sets: kept, so that a rerun goes on where another stopped."""

from __future__ import annotations

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from conformance.sets import RequirementSet
from conformance.tools import Tool, Workshop

#: How the record of a lock is called, beside it.
_RECORD = "locked.json"

#: Prints the version of a tool: its own command takes a second for that.
_VERSION = "import importlib.metadata, sys; print(importlib.metadata.version(sys.argv[1].partition('-1')[0]))"

#: How much of what a tool says where it fails is kept, in characters.
_KEPT = 4000


@dataclass(frozen=True, kw_only=True)
class Made:
    """How a tool locked a set.

    Attributes:
        directory: its project, with the lock.
        tool, version: of the tool.
        seconds: how long it took.
        failure: what it said where it could not; empty where it could.
        files: what its project consisted of.
    """

    directory: Path
    tool: str
    version: str
    seconds: float
    failure: str
    files: dict[str, str]


def make(wanted: RequirementSet, tool: Tool, workshop: Workshop, root: Path, *, seconds: float, again: bool) -> Made:
    """Have a tool lock a set, or return what it made of the same project before.

    Args:
        wanted: the set.
        tool: who locks.
        workshop: runs it.
        root: where projects are kept.
        seconds: how long it may take.
        again: whether what it could not lock before is tried again.
    """
    directory = root / wanted.name / tool.name
    files = tool.files(wanted)
    kept = _kept(directory)
    if kept is not None and kept.files == files and not (again and kept.failure):
        return kept
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir(parents=True)
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")
    said = workshop.run(tool, "-c", _VERSION, tool.name, directory=directory, seconds=60, python=True)
    start = time.monotonic()
    done = workshop.run(tool, *tool.command, directory=directory, seconds=seconds)
    took = time.monotonic() - start
    failure = ""
    if done.code is None:
        failure = f"it was not done after {seconds / 60:.0f} minutes"
    elif done.code != 0 or not (directory / tool.lock).is_file():
        failure = f"{done.out}\n{done.err}".strip()[-_KEPT:] or f"it ended with {done.code}"
    made = Made(
        directory=directory,
        tool=tool.name,
        version=said.out.strip(),
        seconds=round(took, 1),
        failure=failure,
        files=files,
    )
    record = {**asdict(made), "directory": ""}
    (directory / _RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return made


def _kept(directory: Path) -> Made | None:
    try:
        record = json.loads((directory / _RECORD).read_text(encoding="utf-8"))
        return Made(**{**record, "directory": directory})
    except (OSError, ValueError, TypeError):
        return None
