"""How far a run is, told to one observer: of the work on each batch, nothing but the bytes that arrive."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from nixgen.observer import Observer, Progress

if TYPE_CHECKING:
    from nixgen.ingest import IngestReport


class Telling(Observer):
    """Tells an observer how many entries are done, and sums up what is downloaded.

    Args:
        observer: is told.
        total: how many entries there are.

    Attributes:
        downloaded: bytes read over the network for leaves.
    """

    def __init__(self, observer: Observer, total: int) -> None:
        self._observer = observer
        self._total = total
        self._done = 0
        self._show: Callable[[Progress], None] | None = None
        self._read = 0
        self.downloaded = 0

    @property
    def done(self) -> int:
        """How many entries are done."""
        return self._done

    @done.setter
    def done(self, number: int) -> None:
        self._done = number
        self._tell(0)

    @contextlib.contextmanager
    def shown(self, work: str) -> Iterator[None]:
        """Show how far it is as long as the context lasts."""
        with self._observer.counting(work) as show:
            self._show = show
            self._tell(0)
            yield
        self._show = None

    def note(self, text: str) -> None:
        """Pass a note on."""
        self._observer.note(text)

    def warning(self, text: str) -> None:
        """Pass a warning on."""
        self._observer.warning(text)

    def fetched(self, report: IngestReport) -> None:
        """Pass on what came into the store, and add it up."""
        self.downloaded += report.downloaded
        self._observer.fetched(report)

    @contextlib.contextmanager
    def counting(self, work: str) -> Iterator[Callable[[Progress], None] | None]:
        """Show the bytes that arrive meanwhile."""
        arrived = 0

        def tell(state: Progress) -> None:
            nonlocal arrived
            arrived = state.read
            self._tell(arrived)

        yield tell
        self._read += arrived

    def _tell(self, arriving: int) -> None:
        if self._show is not None:
            self._show(Progress(total=self._total, done=self._done, read=self._read + arriving))
