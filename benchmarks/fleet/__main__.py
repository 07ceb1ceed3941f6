"""Let environments come, and say what a store, uv's cache and copies have of them by then.

The files are those of real wheels, read once and kept below .cache/benchmarks/fleet. The same catalogue and the same
assumptions give the same figures. 1,000,000 environments take three minutes of a core and 330 MB, with all tables.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.fleet.catalogue import Catalogue, dates_before, measure
from benchmarks.fleet.model import Assumptions, Model, day, grow, warm
from benchmarks.fleet.page import days, growth, hits, measured, replaced, strain, variations
from corpus.entries import read

ROOT = Path(__file__).resolve().parent.parent.parent

#: How many dates the catalogue has.
_DATES = 5

#: How many environments there are when it is looked.
_COUNTS = tuple(10**power * step for power in range(2, 7) for step in (1, 3))

#: How many names are warmed, and how many builds a host has a day.
_NAMES, _BUILDS = (100, 1000, 10_000), (10, 100, 1000)

#: What is assumed differently, one after another, and with how many environments.
_VARIED = 30_000
_OTHERS = ({"exponent": 0.9}, {"exponent": 1.3}, {"roots": 10_000}, {"older": 0.25}, {"older": 0.75})


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; see ``python -m benchmarks.fleet --help``."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fleet", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument(
        "--environments", type=int, default=10_000, metavar="N", help="up to how many (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the random numbers (default: %(default)s)")
    parser.add_argument("--measure", action="store_true", help="read the wheels again: minutes, from the package index")
    parser.add_argument("--until", default=str(datetime.date.today()), metavar="DATE", help="the newest date of these")
    parser.add_argument("--packages", type=int, metavar="N", help="the first N packages of the list only")
    parser.add_argument("--write", type=Path, metavar="FILE", help="put the tables into this page (docs/fleet.md)")
    options = parser.parse_args(arguments)
    catalogue, dates = _catalogue(options)
    page = options.write.read_text(encoding="utf-8") if options.write else ""
    for name, table in _tables(catalogue, dates, options.environments, options.seed):
        print(f"\n{name}:\n\n{table}", flush=True)
        page = replaced(page, {name: table}) if page else ""
    if page:
        options.write.write_text(page, encoding="utf-8")
    return 0


def _tables(catalogue: Catalogue, dates: Sequence[str], most: int, seed: int) -> Iterator[tuple[str, str]]:
    """Yield the name of each table and what is in it."""
    assumptions = Assumptions(seed=seed)
    model = Model(catalogue, assumptions)
    yield "measured", measured(catalogue, dates)
    grown = list(grow(model, [count for count in _COUNTS if count <= most] or [most]))
    yield "growth", growth(grown)
    yield "strain", strain(grown)
    yield "hits", hits([(age, one) for age in (1, 2) for one in warm(model, _NAMES, dates=age)])
    yield "days", days([day(model, builds) for builds in _BUILDS if builds * 100 <= most])
    others = (assumptions, *(replace(assumptions, **fields) for fields in _OTHERS))
    yield "variations", variations([(one, *grow(Model(catalogue, one), [min(most, _VARIED)])) for one in others])


def _catalogue(options: argparse.Namespace) -> tuple[Catalogue, list[str]]:
    """Return what there is to install, and the dates, of what is kept or measured now."""
    directory = ROOT / ".cache" / "benchmarks" / "fleet"
    path, about = directory / "catalogue.json", directory / "dates.json"
    if options.measure or options.packages or not (path.is_file() and about.is_file()):
        entries = [entry for entry in read(ROOT / "corpus" / "packages.toml") if not entry.optional]
        dates = dates_before(options.until, _DATES)
        catalogue = measure(entries[: options.packages], dates)
        if options.packages:
            return catalogue, dates
        directory.mkdir(parents=True, exist_ok=True)
        catalogue.write(path)
        about.write_text(json.dumps(dates), encoding="utf-8")
    return Catalogue.read(path), json.loads(about.read_text(encoding="utf-8"))


if __name__ == "__main__":
    sys.exit(main())
