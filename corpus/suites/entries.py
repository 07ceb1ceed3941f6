"""The list of suites."""

from __future__ import annotations

import shlex
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.entries import ListError

_KEYS = frozenset(["requirements", "run", "options", "without"])

#: Modules are named otherwise than the distributions that have them.
_MODULES = {"scikit-learn": "sklearn"}


@dataclass(frozen=True, kw_only=True)
class Suite:
    """The tests of one package.

    Attributes:
        name: of the distribution.
        requirements: what is locked: the package, pytest, and what the tests need.
        run: the packages and modules whose tests are run.
        options: of pytest.
        without: what of the package is left out; empty where nothing is.
    """

    name: str
    requirements: tuple[str, ...]
    run: tuple[str, ...]
    options: tuple[str, ...] = ()
    without: str = ""

    @property
    def words(self) -> str:
        """What pytest is given, as a shell reads it."""
        return shlex.join([*self.options, *self.run])


def read(path: Path) -> list[Suite]:
    """Read a list.

    Raises:
        ListError: it is not understood.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ListError(f"{path.name}: {error}") from error
    return [_suite(f"{path.name}: {name}", name, table) for name, table in tables.items()]


def choose(suites: Iterable[Suite], names: Iterable[str]) -> list[Suite]:
    """Return the suites that are named, else all.

    Raises:
        ListError: a name is not in the list.
    """
    known = {suite.name: suite for suite in suites}
    wanted = list(names) or list(known)
    if unknown := [name for name in wanted if name not in known]:
        raise ListError(f"not in the list: {', '.join(unknown)}")
    return [known[name] for name in wanted]


def _suite(where: str, name: str, table: Any) -> Suite:
    if not isinstance(table, dict) or not table.keys() <= _KEYS:
        raise ListError(f"{where} is no table of {', '.join(sorted(_KEYS))}")
    return Suite(
        name=name,
        requirements=(name, "pytest", *table.get("requirements", [])),
        run=tuple(table.get("run", [_MODULES.get(name, name)])),
        options=tuple(table.get("options", [])),
        without=str(table.get("without", "")),
    )
