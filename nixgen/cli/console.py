"""What a user sees: lines on standard error, progress where a terminal shows it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any


class Console:
    """Say things to the user, on standard error, so that standard output holds results only.

    Args:
        quiet: say nothing but errors.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def say(self, line: str) -> None:
        """Print a line."""
        if not self._quiet:
            print(line, file=sys.stderr)

    @contextlib.contextmanager
    def progress(self, title: str) -> Iterator[Callable[[Any], None] | None]:
        """Show a bar while something runs.

        Gives a callback that takes anything with ``total``, ``done`` and ``read`` (bytes); None where nobody watches.
        """
        if self._quiet or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console as Terminal
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[size]}"))
        with Progress(*columns, console=Terminal(stderr=True), transient=True) as progress:
            task = progress.add_task(title, total=None, size="")

            def update(state: Any) -> None:
                progress.update(task, total=state.total, completed=state.done, size=size(state.read))

            yield update

    @contextlib.contextmanager
    def status(self, title: str) -> Iterator[Callable[[str], None] | None]:
        """Show what is being done; gives a callback that takes its name, or None where nobody watches."""
        if self._quiet or not sys.stderr.isatty():
            yield None
            return
        from rich.console import Console as Terminal

        with Terminal(stderr=True).status(title) as status:
            yield lambda name: status.update(f"{title} {name}")


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
    plural = {"leaf": "leaves"}.get(noun, f"{noun}s")
    return f"{number:,} {noun if number == 1 else plural}"
