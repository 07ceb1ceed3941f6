"""The requirement sets that tools lock."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import InvalidRequirement, Requirement

_KEYS = frozenset(["requirements", "development", "short"])


class SetsError(Exception):
    """A list of sets is wrong; the text says what and where."""


@dataclass(frozen=True, kw_only=True)
class RequirementSet:
    """What a project asks for.

    Attributes:
        name: what the command line and the page call it.
        requirements: what it needs.
        development: its group ``dev``.
        short: whether it belongs to the part that the tests run.
    """

    name: str
    requirements: tuple[Requirement, ...]
    development: tuple[Requirement, ...] = ()
    short: bool = False


def read(path: Path) -> list[RequirementSet]:
    """Read a list of sets.

    Raises:
        SetsError: it is not understood.
    """
    try:
        return [_from_table(f"{path.name}: {name}", name, table) for name, table in _load(path).items()]
    except ValueError as error:
        raise SetsError(f"{path.name}: {error}") from error


def _load(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def _from_table(where: str, name: str, table: Any) -> RequirementSet:
    if not isinstance(table, Mapping) or not table.keys() <= _KEYS or not table.get("requirements"):
        raise SetsError(f"{where} is no table of {', '.join(sorted(_KEYS))}, with requirements")
    try:
        requirements, development = (
            tuple(map(Requirement, table.get(key, []))) for key in ("requirements", "development")
        )
    except InvalidRequirement as error:
        raise SetsError(f"{where}: {error}") from error
    return RequirementSet(
        name=name, requirements=requirements, development=development, short=bool(table.get("short", False))
    )
