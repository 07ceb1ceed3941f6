"""What is asked of the store: where it is, what it holds, and what that needs."""

from __future__ import annotations

import functools
import itertools
import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nixgen.store.configuration import said
from nixgen.store.nix import Nix

#: Linux takes 2 MiB of arguments and environment; a store path is 60 characters.
_PATHS_A_CALL = 8000


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What Nix's database says of a store path.

    Attributes:
        path: the store path.
        nar_hash: SHA-256 of its serialisation, hexadecimal.
        nar_size: size of that, in bytes.
        deriver: the derivation that made it, "" where none is known.
        references: store paths that it needs, itself among them where it names itself.
    """

    path: str
    nar_hash: str
    nar_size: int
    deriver: str
    references: tuple[str, ...]

    def lines(self) -> list[str]:
        """Return it as ``nix-store --dump-db`` prints it."""
        return [self.path, self.nar_hash, str(self.nar_size), self.deriver, str(len(self.references)), *self.references]


class Queries(Nix):
    """Questions to the store, which change nothing."""

    @functools.cached_property
    def directory(self) -> str:
        """The directory that store paths begin with, usually ``/nix/store``."""
        # Where a variable says it, and nothing names another store, Nix need not be started: 25 ms.
        given, theirs = os.environ.get("NIX_STORE_DIR"), said()
        elsewhere = os.environ.get("NIX_REMOTE") or theirs is None or "store" in {*theirs, *self._options}
        if given and os.path.normpath(given) == given and not elsewhere:
            return given
        found: str = json.loads(self._run("nix-instantiate", "--eval", "--json", "--expr", "builtins.storeDir"))
        return found

    def invalid(self, paths: Iterable[str]) -> set[str]:
        """Return those of some store paths that the store does not hold."""
        found: set[str] = set()
        for batch in batches(paths):
            found.update(self._run("nix-store", "--check-validity", "--print-invalid", *batch).split())
        return found

    def registrations(self, paths: Iterable[str] | None = None) -> dict[str, Registration]:
        """Return what Nix's database says of some valid store paths, by path.

        Args:
            paths: the paths; None for every one that is valid.

        Raises:
            NixError: one of them is not valid.
        """
        found: dict[str, Registration] = {}
        for batch in [[]] if paths is None else batches(paths):
            lines = iter(self._run("nix-store", "--dump-db", *batch).splitlines())
            for path in lines:
                nar_hash, nar_size, deriver, count = (next(lines) for _ in range(4))
                references = tuple(next(lines) for _ in range(int(count)))
                found[path] = Registration(
                    path=path, nar_hash=nar_hash, nar_size=int(nar_size), deriver=deriver, references=references
                )
        return found

    def evaluate(self, expression: str) -> Any:
        """Evaluate an expression of the Nix language, and return its value; nothing is built or written.

        Raises:
            NixError: with what Nix said.
        """
        return json.loads(self._run("nix-instantiate", "--eval", "--strict", "--json", "--expr", expression))

    def requisites(self, path: Path) -> list[str]:
        """Return the store paths that a valid one needs, itself among them, sorted."""
        return sorted(self._run("nix-store", "--query", "--requisites", str(path)).split())

    def referrers(self, path: Path) -> list[str]:
        """Return the valid store paths that name one themselves, but for itself, sorted."""
        found = self._run("nix-store", "--query", "--referrers", str(path)).split()
        return sorted(set(found) - {str(path)})

    def dead(self) -> list[str]:
        """Return the store paths that nothing keeps from garbage collection, sorted; what is no valid path too."""
        return sorted(self._run("nix-store", "--gc", "--print-dead").split())


def batches(items: Iterable[str]) -> Iterator[list[str]]:
    """Yield store paths in lists of which each fits a command line."""
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _PATHS_A_CALL)):
        yield batch
