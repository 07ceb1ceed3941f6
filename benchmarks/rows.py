"""Readings of several rounds as one row: medians, spreads, ratios, and whether a goal is met."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from benchmarks.clock import Sample
from benchmarks.readings import Reading, Result


@dataclass(frozen=True, kw_only=True)
class Row:
    """All readings of one thing beside one peer, by one version of Nix.

    Attributes:
        set, measure, nix: where they come from.
        readings: one for each round.
    """

    set: str
    measure: str
    nix: str
    readings: Sequence[Reading]

    @property
    def first(self) -> Reading:
        """What all have in common is read from this one."""
        return self.readings[0]

    @property
    def values(self) -> list[float]:
        """The values, in seconds or in the unit of the reading."""
        return [number(reading.value) for reading in self.readings]

    @property
    def ratios(self) -> list[float]:
        """The ratios to the peer, each of one round."""
        pairs = [(reading.value, reading.peer_value) for reading in self.readings]
        return [number(mine) / number(other) for mine, other in pairs if other is not None and number(other)]

    @property
    def met(self) -> bool | None:
        """Whether the goal is met by the median; None where there is none."""
        if self.first.limit is not None:
            return statistics.median(self.values) <= self.first.limit
        if self.first.goal is not None and self.ratios:
            return statistics.median(self.ratios) <= self.first.goal
        return None

    def goal(self) -> str:
        """Return the goal as a cell: a ratio, or a value."""
        if self.first.limit is not None:
            return f"≤ {self._shown(self.first.limit)}"
        return "" if self.first.goal is None else f"≤ {self.first.goal:g}"

    def against_goal(self) -> str:
        """Return what a goal is compared with: the median of the ratios, or of the values."""
        return self.value() if self.first.limit is not None else self.ratio()

    def value(self) -> str:
        """Return the median and the spread."""
        return self._spread(self.values)

    def peer_value(self) -> str:
        """Return the peer's median and spread, "" where there is none."""
        found = [number(reading.peer_value) for reading in self.readings if reading.peer_value is not None]
        return self._spread(found) if found else ""

    def cpu(self) -> str:
        """Return the processors' seconds, and the peer's after a stroke."""
        cells = [_cpu([reading.value for reading in self.readings])]
        cells.append(_cpu([reading.peer_value for reading in self.readings]))
        return " / ".join(cell for cell in cells if cell)

    def ratio(self) -> str:
        """Return the median and the spread of the ratios, "" where there is no peer."""
        found = self.ratios
        if not found:
            return ""
        return f"{statistics.median(found):.3g}" + _range([f"{min(found):.3g}", f"{max(found):.3g}"])

    def _spread(self, values: Sequence[float]) -> str:
        shown = self._shown
        return shown(statistics.median(values)) + _range([shown(min(values)), shown(max(values))])

    def _shown(self, value: float) -> str:
        if isinstance(self.first.value, Sample):
            return _seconds(value)
        return _bytes(value) if self.first.unit == "bytes" else f"{value:,.0f}"


def rows(results: Iterable[Result]) -> list[Row]:
    """Return one row for each thing measured and each of its peers, in the order of the results."""
    found = []
    for result in results:
        grouped: dict[tuple[str, str], list[Reading]] = {}
        for reading in result.readings:
            grouped.setdefault((reading.subject, reading.peer), []).append(reading)
        found += [
            Row(set=result.set, measure=result.measure, nix=result.nix, readings=readings)
            for readings in grouped.values()
        ]
    return found


def number(value: Sample | int) -> float:
    """Return the seconds of a sample, or the number."""
    return value.seconds if isinstance(value, Sample) else float(value)


def _cpu(values: Sequence[Sample | int | None]) -> str:
    used = [value.cpu for value in values if isinstance(value, Sample)]
    return _seconds(statistics.median(used)) if any(used) else ""


def _range(ends: Sequence[str]) -> str:
    return "" if ends[0] == ends[1] else f" ({ends[0]} to {ends[1]})"


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 0.1 or value <= 0 else f"{value * 1000:.1f} ms"


def _bytes(value: float) -> str:
    return f"{value / 1e6:.2f} MB" if value >= 1e5 else f"{value / 1e3:.0f} kB"
