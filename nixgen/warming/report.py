"""What became of a run: what is kept, what could not be had, what is new and what was dropped."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from nixgen.ingest.lacking import Lacking
from nixgen.warming.ledger import Totals
from nixgen.warming.lists import Entry
from nixgen.warming.record import KeptWheel
from nixgen.warming.resolving import Failure


@dataclass(frozen=True, kw_only=True)
class Report:
    """What became of it.

    Attributes:
        root: the store path that the root leads to; "" for a run that changes nothing.
        entries: how many were asked for.
        kept: how many of them are there for every place, or as far as they can be.
        failures: what could not be had.
        carried: keys of entries that failed, and of which what was there before is kept.
        left_out: entries that the budget left out.
        totals: what is kept; of a dry run, what would be.
        added, dropped: wheels that are kept now and were not, and the other way round.
        downloaded: bytes read over the network for leaves.
        npm: bytes of the store path of each package of npm that is kept.
        lacking: of a dry run, what the store lacks.
    """

    root: str
    entries: int
    kept: int
    failures: Sequence[Failure]
    carried: Sequence[str]
    left_out: Sequence[Entry]
    totals: Totals
    added: Sequence[KeptWheel]
    dropped: Sequence[KeptWheel]
    downloaded: int
    npm: Mapping[str, int] = field(default_factory=dict)
    lacking: Lacking | None = None

    @property
    def exit_code(self) -> int:
        """0 where all could be had, else that of the gravest failure."""
        return max((failure.error.exit_code for failure in self.failures), default=0)
