"""What one package or project gave: values that are kept as JSON, so that a run can go on where another stopped."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from corpus.kept import keep, kept
from corpus.result import Compared, Outcome

#: Changes when older results do not compare with newer ones.
FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Result:
    """One package or project.

    Attributes:
        name, group: as in the list.
        version: of the package that stands for it.
        node, npm: versions of Node.js and npm.
        date: day of the run.
        seconds: how long it took.
        trouble: what kept it from being compared; empty where nothing did.
        defect: whether that trouble is nixgen's: npm made its environment.
        packages, files, size: of npm's ``node_modules``; in bytes.
        compared: every probe, by nixgen's form.
        contents: the size of each different file of npm's ``node_modules``, by the begin of its SHA-256.
    """

    name: str
    group: str
    version: str
    node: str
    npm: str
    date: str
    seconds: float
    trouble: str = ""
    defect: bool = False
    packages: int = 0
    files: int = 0
    size: int = 0
    compared: Mapping[str, tuple[Compared, ...]] = field(default_factory=dict)
    contents: Mapping[str, int] = field(default_factory=dict)

    def write(self, directory: Path) -> None:
        """Keep it below a directory; a reader never meets half of it."""
        keep(directory, self.name, FORMAT, asdict(self))


def read(directory: Path, name: str) -> Result | None:
    """Return what was kept of one; None where there is nothing, or nothing that compares."""
    return kept(directory, name, FORMAT, _from_json)


def _from_json(data: dict[str, Any]) -> Result:
    compared = {
        form: tuple(
            Compared(
                probe=one["probe"],
                verdict=one["verdict"],
                peer=Outcome(**one["peer"]),
                nixgen=Outcome(**one["nixgen"]),
            )
            for one in probes
        )
        for form, probes in data.pop("compared").items()
    }
    return Result(**data, compared=compared)
