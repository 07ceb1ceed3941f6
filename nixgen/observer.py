"""Who is told what goes on while something long runs: here nobody, in the command line the user."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nixgen.ingest import IngestReport
    from nixgen.npm.supply import Supplied
    from nixgen.targets import Target


class Progress(NamedTuple):
    """How far some work is.

    Attributes:
        total: how many wheels there are in all.
        done: how many are done.
        read: bytes read over the network so far.
        finished: file name of the wheel that was just done, None where only bytes arrived.
    """

    total: int
    done: int
    read: int
    finished: str | None = None


class Observer:
    """Is told what goes on, and keeps it to itself.

    Every method may be overridden; none of them may raise.
    """

    def note(self, text: str) -> None:
        """Take what a user should know, though it stops nothing; one line."""

    def warning(self, text: str) -> None:
        """Take an oddity that may be a fault of a package's; one line."""

    def read(self, origin: str, targets: Sequence[Target]) -> None:
        """Take which inputs were read, and what is locked for."""

    def fetched(self, report: IngestReport) -> None:
        """Take what was put into the store, before a build goes on."""

    def supplied(self, report: Supplied) -> None:
        """Take which archives of npm's packages were put into the store, before a build goes on."""

    def working(self) -> None:
        """Take that there is something to do; nobody says so where all is as it was."""

    def counting(self, work: str) -> AbstractContextManager[Callable[[Progress], None] | None]:
        """Watch work that knows how far it is, as long as the context lasts.

        Args:
            work: what is done, as "fetching".

        Returns:
            what takes the progress; None where nobody wants it.
        """
        return contextlib.nullcontext()

    def waiting(self, work: str) -> AbstractContextManager[Callable[[str], None] | None]:
        """Watch work that does not know how far it is; what it gives takes the name of what is worked on."""
        return contextlib.nullcontext()


#: Tells nobody.
SILENT = Observer()
