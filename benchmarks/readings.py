"""Values that measures give, and how they are kept."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.clock import Sample


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One value, beside its peer's where it has one.

    Attributes:
        subject: what was measured.
        value: seconds with the processors' seconds, or a number of ``unit``.
        unit: of a number: ``bytes``, ``files`` or ``modules``.
        peer: what it is compared with, "" for nothing.
        peer_value: the peer's value in this very round.
        goal: the largest ratio to the peer that is good enough; None where there is no goal.
        limit: the largest value that is good enough, in seconds or numbers; None where there is none.
        panel: the part of the chart that shows it: ``cold``, ``warm`` or "" for none.
    """

    subject: str
    value: Sample | int
    unit: str = "bytes"
    peer: str = ""
    peer_value: Sample | int | None = None
    goal: float | None = None
    limit: float | None = None
    panel: str = ""


@dataclass(frozen=True, kw_only=True)
class Result:
    """What one run of the command learnt of one measure on one set.

    Attributes:
        set: the set's name.
        measure: the measure's name.
        nix: version of Nix, "" where the measure does not run Nix.
        conditions: what the page says of the run, line by line; ``date`` and ``runs`` among them.
        readings: of all its rounds.
    """

    set: str
    measure: str
    nix: str
    conditions: Mapping[str, str]
    readings: Sequence[Reading]

    def keep(self, directory: Path) -> None:
        """Write the result into a directory, in place of an older one of the same set, measure and Nix."""
        directory.mkdir(parents=True, exist_ok=True)
        name = re.sub(r"[^\w.-]+", "-", "_".join(part for part in (self.set, self.measure, self.nix) if part))
        text = json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False)
        fresh = directory / f"{name}.json.new"
        fresh.write_text(text + "\n", encoding="utf-8")
        fresh.replace(directory / f"{name}.json")


def kept(directory: Path) -> list[Result]:
    """Return every result in a directory, in the order of the files' names."""
    return [_result(json.loads(path.read_text(encoding="utf-8"))) for path in sorted(directory.glob("*.json"))]


def _result(fields: dict[str, Any]) -> Result:
    readings = [
        Reading(**{**reading, "value": _value(reading["value"]), "peer_value": _value(reading["peer_value"])})
        for reading in fields["readings"]
    ]
    return Result(**{**fields, "readings": readings})


def _value(value: Any) -> Any:
    return Sample(**value) if isinstance(value, dict) else value
