"""The list of packages: what is installed, and what is tried beside the probes that every package gets."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_KEYS = frozenset(["requirements", "roots", "probes", "nasty", "memory", "optional"])

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")


class ListError(Exception):
    """A list of packages is wrong; the text says what and where."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the list.

    Attributes:
        name: what the command line and the table call it.
        group: the heading it stands under.
        requirements: what is locked and installed; the name where the list has none.
        roots: the distributions whose modules and commands are probed; those of the requirements by default.
        probes: programs of ``corpus/probes`` to run beside the usual probes, each with arguments after ``:``.
        nasty: whether it belongs to the part that the tests run.
        memory: GiB that its probes may need.
        optional: why it is run only when it is named; empty where it is not.
    """

    name: str
    group: str = ""
    requirements: tuple[str, ...]
    roots: tuple[str, ...]
    probes: tuple[str, ...] = ()
    nasty: bool = False
    memory: float = 2.0
    optional: str = ""


def read(path: Path) -> list[Entry]:
    """Read a list: a table of tables (``.toml``), or a requirement a line (anything else).

    Raises:
        ListError: it is not understood.
    """
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".toml":
        lines = (line.partition("#")[0].strip() for line in text.splitlines())
        return [_from_requirement(line) for line in lines if line]
    try:
        groups = tomllib.loads(text)
    except ValueError as error:
        raise ListError(f"{path.name}: {error}") from error
    entries = [
        _from_table(f"{path.name}: {group}.{name}", group, name, table)
        for group, tables in groups.items()
        for name, table in tables.items()
    ]
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ListError(f"{path.name} has twice: {', '.join(twice)}")
    return entries


def choose(entries: Iterable[Entry], names: Iterable[str], *, nasty: bool) -> list[Entry]:
    """Return the entries that are meant: those named, else all that are not optional.

    Raises:
        ListError: a name is not in the list.
    """
    known = {entry.name: entry for entry in entries}
    wanted = list(names)
    if unknown := [name for name in wanted if name not in known]:
        raise ListError(f"not in the list: {', '.join(unknown)}")
    chosen = [known[name] for name in wanted] if wanted else [one for one in known.values() if not one.optional]
    return [entry for entry in chosen if entry.nasty or not nasty]


def _from_requirement(line: str) -> Entry:
    name = canonicalize_name(Requirement(line).name)
    return Entry(name=name, requirements=(line,), roots=(name,))


def _from_table(where: str, group: str, name: str, table: Any) -> Entry:
    if not isinstance(table, Mapping) or not table.keys() <= _KEYS:
        raise ListError(f"{where} is no table of {', '.join(sorted(_KEYS))}")
    if not _NAME.fullmatch(name):
        raise ListError(f"{where}: the name becomes a file name, and this one cannot")
    requirements = tuple(table.get("requirements", [name]))
    roots = table.get("roots", [Requirement(line).name for line in requirements])
    return Entry(
        name=name,
        group=group,
        requirements=requirements,
        roots=tuple(sorted(map(canonicalize_name, roots))),
        probes=tuple(table.get("probes", [])),
        nasty=bool(table.get("nasty", False)),
        memory=float(table.get("memory", 2.0)),
        optional=str(table.get("optional", "")),
    )
