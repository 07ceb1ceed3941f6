"""The list for npm: packages to load, and projects whose programs run."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from corpus.entries import ListError

_KEYS = frozenset(["dependencies", "roots", "commands", "made", "differs"])

#: The heading of what has a directory below ``projects``.
PROJECTS = "projects"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line of the list.

    Attributes:
        name: what the command line and the table call it.
        group: the heading it stands under.
        manifest: the project's ``package.json``.
        roots: the packages whose entry points and programs are probed; of a project none.
        sources: the directory with the project's files; None where there is nothing but ``package.json``.
        commands: lines of shell that run in the project, in this order.
        made: directories that they make, whose files have to be the same.
        differs: by ``FORM: PROBE``, why that differs from npm's and has to.
    """

    name: str
    group: str
    manifest: Mapping[str, Any]
    roots: tuple[str, ...] = ()
    sources: Path | None = None
    commands: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    differs: Mapping[str, str] = field(default_factory=dict)

    @property
    def scripts(self) -> tuple[str, ...]:
        """The packages whose install scripts run, in all environments."""
        return tuple(self.manifest.get("nixgen", {}).get("scripts", ()))

    @property
    def wanted(self) -> dict[str, str]:
        """What its package.json wants, by range."""
        return {**self.manifest.get("dependencies", {}), **self.manifest.get("devDependencies", {})}

    @property
    def shown(self) -> str:
        """The package whose version stands for all of it: that of its name, else the first of its dependencies."""
        return self.name if self.name in self.wanted else next(iter(self.wanted), "")


def read(path: Path) -> list[Entry]:
    """Read the list; what stands under ``projects`` has its files in ``projects/NAME`` beside it.

    Raises:
        ListError: it is not understood.
    """
    try:
        groups = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ListError(f"{path.name}: {error}") from error
    entries = [
        _entry(f"{path.name}: {group}.{name}", group, name, table, path.parent / PROJECTS / name)
        for group, tables in groups.items()
        for name, table in tables.items()
    ]
    names = [entry.name for entry in entries]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ListError(f"{path.name} has twice: {', '.join(twice)}")
    return entries


def choose(entries: Iterable[Entry], names: Iterable[str]) -> list[Entry]:
    """Return the entries that are named, or all.

    Raises:
        ListError: a name is not in the list.
    """
    known = {entry.name: entry for entry in entries}
    wanted = list(names)
    if unknown := [name for name in wanted if name not in known]:
        raise ListError(f"not in the list: {', '.join(unknown)}")
    return [known[name] for name in wanted] if wanted else list(known.values())


def together(entries: Sequence[Entry]) -> Entry:
    """Return one entry that wants what some packages of a heading want, and probes none of them."""
    wanted = {name: version for entry in entries for name, version in entry.wanted.items()}
    return Entry(name=entries[0].group, group=entries[0].group, manifest=_manifest(entries[0].group, wanted))


def _manifest(name: str, wanted: Mapping[str, str]) -> dict[str, Any]:
    return {"name": f"corpus-{name}", "version": "1.0.0", "private": True, "dependencies": dict(wanted)}


def _entry(where: str, group: str, name: str, table: Any, sources: Path) -> Entry:
    if not isinstance(table, Mapping) or not table.keys() <= _KEYS:
        raise ListError(f"{where} is no table of {', '.join(sorted(_KEYS))}")
    if "/" in name:
        raise ListError(f"{where}: the name becomes a file name, and this one cannot")
    wanted = table.get("dependencies", {name: "*"})
    manifest = _manifest(name, wanted)
    if group == PROJECTS:
        manifest = json.loads((sources / "package.json").read_text(encoding="utf-8"))
    return Entry(
        name=name,
        group=group,
        manifest=manifest,
        roots=() if group == PROJECTS else tuple(table.get("roots", wanted)),
        sources=sources if group == PROJECTS else None,
        commands=tuple(table.get("commands", [])),
        made=tuple(table.get("made", [])),
        differs=dict(table.get("differs", {})),
    )
