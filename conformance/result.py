"""What comparing one lock gave: values that are kept as JSON, so that a page can be made of several runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from corpus.kept import keep, kept

#: Changes when older results do not compare with newer ones.
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Side:
    """One target.

    Attributes:
        target: its key.
        packages: how many the tool would install, with all groups.
        differences: between nixgen and the tool, a line each; empty where they are equal.
        alike: different files of one version that fit equally well: nixgen's and pip's.
        added: what a list of pins lacks for this target, and nixgen takes, as pip would.
        refused: what has no wheel for it, where that is so: both refuse then.
    """

    target: str
    packages: int
    differences: Sequence[str] = ()
    alike: Sequence[str] = ()
    added: Sequence[str] = ()
    refused: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Result:
    """One lock of one tool.

    Attributes:
        set, tool, version: what was locked, by whom.
        date: day of the run.
        lock_seconds: how long the tool took to lock.
        unlocked: what the tool said where it could not lock; empty where it could.
        silent: what it said where it did not tell what it would install; empty where it did.
        packages: the versions in its lock that some target has.
        dry_run: whether its own dry run was asked on this machine.
        with_itself: how that differs from what its library says for this machine.
        sides: what was compared, by target.
        seconds: how long nixgen took to lock for the targets that can be.
    """

    set: str
    tool: str
    version: str
    date: str
    lock_seconds: float
    unlocked: str = ""
    silent: str = ""
    packages: int = 0
    dry_run: bool = False
    with_itself: Sequence[str] = ()
    sides: Sequence[Side] = ()
    seconds: float = 0.0

    @property
    def differs(self) -> bool:
        """Whether there is anything to explain."""
        return bool(self.silent or self.with_itself or any(side.differences for side in self.sides))

    def write(self, directory: Path) -> None:
        """Keep it below a directory; a reader never meets half of it."""
        keep(directory, f"{self.set}.{self.tool}", FORMAT, asdict(self))


def read(directory: Path, name: str, tool: str) -> Result | None:
    """Return what was kept of a set and a tool; None where there is nothing, or nothing that compares."""
    return kept(directory, f"{name}.{tool}", FORMAT, _from_json)


def _from_json(data: dict[str, Any]) -> Result:
    return Result(**{**data, "sides": [Side(**side) for side in data["sides"]]})
