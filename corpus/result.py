"""What one package gave: values that are kept as JSON, so that a run can go on where another stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from corpus.kept import keep, kept

#: Changes when older results do not compare with newer ones.
FORMAT = 1

EQUAL = "equal"
UPSTREAM = "upstream"
DEFECT = "defect"
NOTE = "note"
DIFFERS = "differs"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How one probe ended in one environment.

    Attributes:
        status: ``pass``, ``fail`` or ``timeout``.
        output: what is compared, normalised.
        said: the end of what it printed, for people.
    """

    status: str
    output: str = ""
    said: str = ""


@dataclass(frozen=True, kw_only=True)
class Compared:
    """One probe in both environments.

    Attributes:
        probe: its name.
        verdict: ``equal``; ``upstream`` (both fail); ``defect`` (only nixgen fails, or what must be the same is not);
            ``note`` (only the peer fails); ``differs`` (both pass and print different text, which may be).
        peer, nixgen: how it ended: in the environment of pip or npm, and in nixgen's.
    """

    probe: str
    verdict: str
    peer: Outcome
    nixgen: Outcome


@dataclass(frozen=True, kw_only=True)
class Tree:
    """What one wheel's tree holds.

    Attributes:
        path: its name in the store.
        name, version: of the distribution.
        files, size: of the wheel as installed, without bytecode and launchers; in bytes.
        copies: by reason: how many files, and bytes.
        copied: path and size of each copy.
        programs: path and size of each program that is a store path of its own.
    """

    path: str
    name: str
    version: str
    files: int
    size: int
    copies: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    copied: Mapping[str, int] = field(default_factory=dict)
    programs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Result:
    """One package.

    Attributes:
        name, group: as in the list.
        version: of the distribution with that name, else of the first that was asked for.
        python: version of the Python of both environments.
        date: day of the run.
        seconds: how long it took.
        trouble: what kept it from being compared; empty where nothing did.
        defect: whether that trouble is nixgen's: pip made its environment.
        compared: every probe.
        trees: what the environment is made of.
        mounted: whether nixgen's environment had no links, but was mounted.
    """

    name: str
    group: str
    version: str
    python: str
    date: str
    seconds: float
    trouble: str = ""
    defect: bool = False
    compared: tuple[Compared, ...] = ()
    trees: tuple[Tree, ...] = ()
    mounted: bool = False

    @property
    def defects(self) -> tuple[Compared, ...]:
        """The probes that pass under pip and fail under nixgen."""
        return tuple(one for one in self.compared if one.verdict == DEFECT)

    @property
    def sound(self) -> bool:
        """Whether it was compared and has no defect."""
        return not self.trouble and not self.defects

    def write(self, directory: Path) -> None:
        """Keep it below a directory; a reader never meets half of it."""
        keep(directory, self.name, FORMAT, asdict(self))


def read(directory: Path, name: str) -> Result | None:
    """Return what was kept of a package; None where there is nothing, or nothing that compares."""
    return kept(directory, name, FORMAT, _from_json)


def _from_json(data: dict[str, Any]) -> Result:
    compared = tuple(
        Compared(
            probe=one["probe"],
            verdict=one["verdict"],
            peer=Outcome(**one.get("peer", one.get("pip"))),  # results of before npm had a corpus say pip
            nixgen=Outcome(**one["nixgen"]),
        )
        for one in data.pop("compared")
    )
    trees = tuple(
        Tree(**{**tree, "copies": {reason: (count, size) for reason, (count, size) in tree["copies"].items()}})
        for tree in data.pop("trees")
    )
    return Result(**data, compared=compared, trees=trees)
