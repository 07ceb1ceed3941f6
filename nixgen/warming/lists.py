"""What is to be there: requirements, names with counts of downloads, locks of a fleet."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixgen.credentials import redacted
from nixgen.errors import InputError
from nixgen.inputs.discover import read_text
from nixgen.inputs.hashes import included_file, joined_lines
from nixgen.names import LOCK_NAME

#: How the columns of download statistics are called: of BigQuery's tables, of the usual extracts of them, of others.
_NAMES = ("project", "name", "package", "distribution")
_COUNTS = ("download_count", "downloads", "count", "num_downloads")

#: Lines of a requirements file that say something of all others.
_OPTIONS = ("-i", "--", "-f", "-c")

#: What other tools call their locks; a list names packages.
_OTHER_LOCKS = frozenset(["uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pyproject.toml"])


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One thing to have: a requirement, which is resolved by itself, or a lock.

    Attributes:
        text: the requirement as its line has it, or the lock's path.
        options: lines of its file that say something of all requirements: indexes, constraints.
        where: the file and its line, for messages.
        lock: the lock; None for a requirement.
    """

    text: str
    options: tuple[str, ...] = ()
    where: str = ""
    lock: Path | None = None

    @property
    def key(self) -> str:
        """What it is known by from one run to the next: what it says, and of a lock its content."""
        said = self.lock.read_bytes() if self.lock is not None else "\n".join(self.options).encode()
        shown = redacted(self.text)  # everybody may read the record
        return f"{shown} {hashlib.sha256(said).hexdigest()[:16]}" if said else shown


def read_lists(paths: Iterable[Path], top: int | None = None) -> list[Entry]:
    """Return what some lists ask for, each entry once: the lists in their order, in each the most popular first.

    Args:
        paths: requirements files, JSON (``{"rows": [{"project": …, "download_count": …}]}``, or the rows alone), CSV
            with a header, locks, and directories, of which every lock below is taken.
        top: how many of each list are taken; None for all. Locks count, too, where a directory has several.

    Raises:
        InputError: a file cannot be read, or is no list.
    """
    found: dict[tuple[str, tuple[str, ...], Path | None], Entry] = {}
    for path in paths:
        for entry in _read(path)[:top]:
            found.setdefault((entry.text, entry.options, entry.lock), entry)
    return [*found.values()]


def _read(path: Path) -> list[Entry]:
    if path.is_dir():
        locks = sorted(file for file in path.rglob(LOCK_NAME) if file.is_file())
        if not locks:
            raise InputError("there is no lock", where=str(path), todo=f"name a directory with {LOCK_NAME}, or below")
        return [_of_lock(lock) for lock in locks]
    if path.name == LOCK_NAME:
        return [_of_lock(path)]
    if path.name in _OTHER_LOCKS or path.name.startswith("pylock."):
        raise InputError(
            f"{path.name} is no list", where=str(path), todo=f"run `nixgen lock` there, and name its {LOCK_NAME}"
        )
    if path.suffix == ".json":
        return _popular(_rows_of_json(path), path)
    if path.suffix == ".csv":
        return _popular(_rows_of_csv(path), path)
    return [*_of_requirements(path, ())]


def _of_lock(path: Path) -> Entry:
    if not path.is_file():
        raise InputError("there is no lock", where=str(path), todo="run `nixgen lock`")
    return Entry(text=str(path), where=str(path), lock=path.resolve())


def _of_requirements(path: Path, seen: tuple[Path, ...]) -> Iterator[Entry]:
    """Yield the requirements of a file; its options count for all of them, and for the files that it includes."""
    lines = [*joined_lines(path)]
    options: list[str] = []
    inner: dict[int, Path] = {}
    for number, line in lines:
        included = included_file(line, path, number)
        if included is not None and line.startswith(("-c", "--constraint")):
            options.append(f"-c {included.absolute()}")
        elif included is not None:
            inner[number] = included
        elif line.startswith(_OPTIONS):
            options.append(line)
    for number, line in lines:
        if number in inner:
            if inner[number].resolve() not in seen:
                for entry in _of_requirements(inner[number], (*seen, path.resolve())):
                    yield Entry(text=entry.text, options=(*options, *entry.options), where=entry.where)
        elif not line.startswith(_OPTIONS):
            yield Entry(text=line, options=tuple(options), where=f"{path}:{number}")


def _popular(rows: Sequence[tuple[str, int, str]], path: Path) -> list[Entry]:
    """Return the most popular first: rows of name, count and place, in their own order where counts are equal."""
    if not rows:
        raise InputError("the list has no rows", where=str(path), todo="give it rows with project and download_count")
    return [Entry(text=name, where=where) for name, _, where in sorted(rows, key=lambda row: -row[1])]


def _rows_of_json(path: Path) -> list[tuple[str, int, str]]:
    try:
        data = json.loads(read_text(path))
    except ValueError as error:
        raise InputError(f"it is no JSON: {error}", where=str(path), todo="correct it, or fetch it again") from error
    rows = data.get("rows") if isinstance(data, dict) else data
    if not isinstance(rows, list):
        raise InputError("the list has no rows", where=str(path), todo='give it "rows", a list')
    return [_row(row, f"{path}, row {number}") for number, row in enumerate(rows, 1)]


def _rows_of_csv(path: Path) -> list[tuple[str, int, str]]:
    reader = csv.DictReader(io.StringIO(read_text(path).removeprefix("\ufeff")), skipinitialspace=True)
    try:
        return [_row(row, f"{path}:{reader.line_num}") for row in reader]
    except csv.Error as error:
        raise InputError(f"it is no CSV: {error}", where=f"{path}:{reader.line_num}", todo="correct it") from error


def _row(row: Any, where: str) -> tuple[str, int, str]:
    """Return name, count and place of a row; without a column of counts, the order of the rows is what counts."""
    said: Mapping[str, Any] = row if isinstance(row, Mapping) else {}
    name = next((said[column] for column in _NAMES if said.get(column)), None)
    count = next((said[column] for column in _COUNTS if said.get(column) not in (None, "")), 0)
    if not isinstance(name, str) or not name.strip():
        raise InputError(
            "a row names no package", where=where, todo=f"give it one of the columns {', '.join(_NAMES)}, with a header"
        )
    try:
        return name.strip(), int(count), where
    except (TypeError, ValueError):
        raise InputError(f"{count!r} is no count of downloads", where=where, todo="give a number") from None
