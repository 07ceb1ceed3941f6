"""What a run of the model says, as tables: by themselves, or in a page between marks."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence

from benchmarks.fleet.catalogue import STEP, Catalogue
from benchmarks.fleet.model import Assumptions, Day, Held, Hits
from nixgen.cli.console import size

#: Of Nix's database for a leaf, in bytes, and seconds that a collection takes for one: a store of 1,000,000 leaves had
#: 346 MB, and a collection of a tenth of it took 43 s.
DATABASE, COLLECTION = 346, 43e-6

#: Inodes for a leaf, with the links and directories of the trees: 2,000,000 leaves of popular packages had 6,000,000.
INODES = 3

#: Of a wheel's bytes, how many are copies in its tree (docs/sharing.md).
COPIES = 0.086

#: Of an environment for each of its wheels, in bytes on disk: 94 kB for 12 and 220 kB for 30 (docs/benchmarks.md).
ENVIRONMENT = 7_500


def growth(rows: Sequence[Held]) -> str:
    """Return what there is after so many environments: real files, uv's cache, and the store."""
    cells = (
        f"{one.environments:,} | {one.brought / one.environments:.0f} | {size_of(one.copied)} | "
        f"{size_of(one.unpacked)} | {size_of(stored(one))} | {size_of(one.bytes)} | {size_of(one.fetched)}"
        for one in rows
    )
    return _table(
        "environments | wheels of one | real files | uv's cache | store | of it leaves | wheels fetched", cells
    )


def strain(rows: Sequence[Held]) -> str:
    """Return what so many environments cost Nix: leaves, inodes, database, collections."""
    cells = (
        f"{one.environments:,} | {one.wheels:,} | {one.leaves:,} | {one.leaves * INODES / 1e6:.1f} million | "
        f"{size_of(one.leaves * DATABASE)} | {duration(one.leaves * COLLECTION)} | {one.copies / 1e6:,.0f} million"
        for one in rows
    )
    return _table("environments | wheels | leaves | inodes | database | a collection | files as copies", cells)


def hits(rows: Sequence[tuple[int, Hits]]) -> str:
    """Return what a warm store has of what is asked for, by how many dates' versions it keeps."""
    cells = (
        f"{one.names:,} | {'today' if dates == 1 else f'today and {STEP} days ago'} | {one.leaves:,} | "
        f"{size_of(one.bytes)} | {one.whole:.1%} | {one.wheels:.1%} | {one.fetched:.1%}"
        for dates, one in rows
    )
    return _table(
        "names | versions of | leaves | bytes | environments all there | wheels there | bytes there",
        cells,
        text={"versions of"},
    )


def days(rows: Sequence[Day]) -> str:
    """Return what a host fetches a day."""
    cells = (
        f"{one.builds:,} | {size_of(one.needed)} | {size_of(one.fetched)} ({one.fetched / one.needed:.2%}) | "
        f"{size_of(one.collected)} ({one.collected / one.needed:.2%}) | {one.wheels:,}"
        for one in rows
    )
    return _table("builds a day | needed | fetched, all kept | fetched, 30 days kept | wheels then", cells)


def variations(rows: Sequence[tuple[Assumptions, Held]]) -> str:
    """Return how much depends on what is assumed."""
    cells = (
        f"{one.exponent} | {one.roots:,} | {one.older} | {held.environments:,} | {size_of(held.unpacked)} | "
        f"{size_of(stored(held))} | {held.leaves:,}"
        for one, held in rows
    )
    return _table("exponent | names | a date back | environments | uv's cache | store | leaves", cells)


def _table(heads: str, rows: Iterable[str], text: Container[str] = ()) -> str:
    """Return a table of numbers.

    Args:
        heads: of its columns, with bars between them.
        rows: likewise.
        text: the columns that have words.
    """
    marks = " | ".join("---" if head in text else "---:" for head in heads.split(" | "))
    return "\n".join(f"| {line} |" for line in (heads, marks, *rows))


def measured(catalogue: Catalogue, dates: Sequence[str]) -> str:
    """Return what the catalogue is, as a list."""
    wheels, steps = catalogue.wheels, catalogue.roots
    brought = sum(len(step[-1]) for step in steps) / len(steps)
    listed, distinct = sum(wheel.installed for wheel in wheels), sum(catalogue.sizes)
    return "\n".join(
        [
            f"* {len(steps)} packages of the [comparison](compatibility.md), for Python 3.12 on Linux, as the index "
            f"had them at {len(dates)} dates {STEP} days apart, {dates[0]} to {dates[-1]};",
            f"* {len(wheels):,} wheels of {catalogue.packages} packages: {size_of(sum(one.size for one in wheels))} as "
            f"wheels, {size_of(listed)} of files, {len(catalogue.sizes):,} distinct contents of {size_of(distinct)};",
            f"* one brings {brought:.1f} wheels on average, itself among them.",
        ]
    )


def stored(held: Held) -> float:
    """Return the bytes of a store: leaves, copies in trees, and environments."""
    return held.bytes + COPIES * held.unpacked + ENVIRONMENT * held.brought


def size_of(count: float) -> str:
    """Return bytes as a person reads them, in terabytes and petabytes too."""
    for unit, name in ((1e15, "PB"), (1e12, "TB")):
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return size(round(count))


def duration(seconds: float) -> str:
    """Return a time as a person reads it."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def replaced(text: str, tables: Mapping[str, str]) -> str:
    """Return a page with tables between their marks: ``<!-- NAME -->`` and ``<!-- end -->``, each on a line.

    Raises:
        KeyError: the page lacks a mark.
    """
    for name, table in tables.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(\n<!-- end -->)", re.DOTALL)
        if not pattern.search(text):
            raise KeyError(name)
        text = pattern.sub(lambda found, table=table: f"{found[1]}\n{table}\n{found[2]}", text)
    return text
