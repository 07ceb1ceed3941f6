"""What a user sees: lines on standard error, progress where a terminal shows it."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Container, Iterator, Sequence
from typing import TYPE_CHECKING

from nixgen.observer import Observer, Progress

if TYPE_CHECKING:
    from nixgen.ingest import IngestReport
    from nixgen.npm.supply import Supplied
    from nixgen.targets import Target


class Console(Observer):
    """Say things to the user, on standard error, so that standard output holds results only.

    Args:
        quiet: say nothing but errors.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def say(self, line: str) -> None:
        """Print a line."""
        if not self._quiet:
            print(without_secrets(line), file=sys.stderr)

    def working(self) -> None:
        """Show what is logged from now on, where that is not shown yet."""
        # Imported here: it takes a tenth of the time of a build where nothing has changed.
        from nixgen.cli.logs import show_log

        show_log(debug=False, quiet=self._quiet)

    def note(self, text: str) -> None:
        """Print a note."""
        self.say(f"note: {text}")

    def warning(self, text: str) -> None:
        """Print a warning."""
        self.say(f"warning: {text}")

    def read(self, origin: str, targets: Sequence[Target]) -> None:
        """Say what is being read and for which targets."""
        self.say(f"reading {origin} for {_listed(targets)}")

    def fetched(self, report: IngestReport) -> None:
        """Say what came into the store, if anything did."""
        if report.added:
            self.say(
                f"added {count(report.added, 'file')} of {report.leaves:,} to the store, from "
                f"{count(report.wheels, 'wheel')} ({size(report.downloaded)} downloaded)"
            )
        elif report.tied:
            self.say(
                f"compared {count(report.tied, 'wheel')} with the lock, once ({size(report.downloaded)} downloaded)"
            )

    def supplied(self, report: Supplied) -> None:
        """Say which archives came into the store."""
        self.say(
            f"added {count(report.added, 'archive')} of {report.archives:,} to the store "
            f"({size(report.downloaded)} downloaded)"
        )

    @contextlib.contextmanager
    def counting(self, work: str) -> Iterator[Callable[[Progress], None] | None]:
        """Show a bar while something runs."""
        if self._quiet or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
        from rich.progress import Progress as Bar

        columns = (TextColumn(work), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[read]}"))
        with Bar(*columns, console=Terminal(stderr=True), transient=True) as bar:
            task, began = bar.add_task(work, total=None, read=""), time.monotonic()

            def show(state: Progress) -> None:
                rate = state.read / max(time.monotonic() - began, 0.1)
                read = f"{size(state.read)}, {size(round(rate))}/s" if state.read else ""
                bar.update(task, total=state.total, completed=state.done, read=read)

            yield show

    @contextlib.contextmanager
    def waiting(self, work: str) -> Iterator[Callable[[str], None] | None]:
        """Show what is being done, with the name of what it is done to."""
        if self._quiet or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console as Terminal

        with Terminal(stderr=True).status(work) as status:
            yield lambda name: status.update(f"{work} {name}")


def print_table(rows: Sequence[tuple[str, ...]], right: Container[int] = ()) -> None:
    """Print rows with their columns under each other.

    Args:
        rows: of as many cells each.
        right: numbers of the columns whose cells end under each other.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if number in right else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip())


def without_secrets(text: str) -> str:
    """Return a text without the secrets of the URLs in it."""
    # Imported here, with the HTTP client that it brings: most runs say nothing that has a URL.
    if "://" not in text:
        return text
    from nixgen.credentials import redacted

    return redacted(text)


def size(count: int) -> str:
    """Return a number of bytes as a person reads it, in powers of ten."""
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "wheel"), count(2, "wheel")
    ('1 wheel', '2 wheels')
    """
    plural = {"leaf": "leaves", "entry": "entries"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"


def _listed(targets: Sequence[Target]) -> str:
    """Name some targets in a message: one by one while they are few, else by system."""
    if len(targets) < 4:
        return ", ".join(map(str, targets))
    by_system: dict[str, list[str]] = {}
    for target in targets:
        by_system.setdefault(target.system, []).append(target.python)
    return "; ".join(f"Python {', '.join(pythons)} on {system}" for system, pythons in by_system.items())
