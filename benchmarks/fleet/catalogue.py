"""What there is to install: real packages with what they bring, at several dates, and the files of their wheels."""

from __future__ import annotations

import datetime
import json
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corpus.entries import Entry
from nixgen.comparison.contents import distinct_files
from nixgen.environments.fetch import access_of
from nixgen.errors import InputError, NixgenError
from nixgen.indexes import make_indexes
from nixgen.inputs import uv
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.pylock import choose
from nixgen.model import WheelSource
from nixgen.targets import Target, default_system

#: The Python that all is for.
PYTHON = "3.12"

#: How many days lie between two dates.
STEP = 91

#: How many wheels are read at once: what one of them has against it must not cost the others their work.
_BATCH = 50

#: How many resolutions run beside each other.
_RESOLVERS = 2


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A wheel.

    Attributes:
        package: number of its package.
        size: bytes of the wheel itself, which is what is fetched.
        installed: bytes of its files, as a copy has them.
        files: how many files that are not empty it has.
        contents: numbers of its distinct contents: what the store has one leaf for each.
    """

    package: int
    size: int
    installed: int
    files: int
    contents: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """All that can be installed.

    Attributes:
        dates: how many there are, the oldest first, ``STEP`` days apart.
        packages: how many packages the wheels are of.
        sizes: of each content, by its number, in bytes.
        wheels: by their numbers.
        roots: what environments are made of: for each date the wheels that a root brings, itself first.
    """

    dates: int
    packages: int
    sizes: Sequence[int]
    wheels: Sequence[Wheel]
    roots: Sequence[Sequence[Sequence[int]]]

    def write(self, path: Path) -> None:
        """Keep it in a file."""
        wheels = [[wheel.package, wheel.size, wheel.installed, wheel.files, wheel.contents] for wheel in self.wheels]
        data = {**vars(self), "wheels": wheels}
        fresh = path.with_name(f"{path.name}.new")
        fresh.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Catalogue:
        """Read what was kept."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        fields = ("package", "size", "installed", "files", "contents")
        wheels = [Wheel(**dict(zip(fields, values, strict=True))) for values in data["wheels"]]
        return cls(**{**data, "wheels": wheels})


def measure(entries: Sequence[Entry], dates: Sequence[str]) -> Catalogue:
    """Resolve packages as the index had them at some dates, and read what their wheels hold.

    What cannot be resolved at each date, or has a wheel that cannot be read, is left out, and said.

    Args:
        entries: the packages.
        dates: the oldest first.
    """
    target = Target.parse(PYTHON, default_system())
    sysconfig.get_config_vars()  # of Python 3.11: two threads that ask first, at once, get half of an answer
    with ThreadPoolExecutor(_RESOLVERS) as pool:
        found = list(pool.map(lambda entry: _resolve_at(entry, dates, target), entries))
    resolved = [steps for steps in found if steps]
    sources = {source.filename: (name, source) for steps in resolved for step in steps for name, source in step}
    reader = _Reader()
    for batch in _batches(list(sources.values())):
        reader.read(batch)
    named = [[[source.filename for _, source in step] for step in steps] for steps in resolved]
    whole = [steps for steps in named if all(name in reader.numbers for step in steps for name in step)]
    roots = [[[reader.numbers[name] for name in step] for step in steps] for steps in whole]
    _say(f"{len(roots)} of {len(entries)} packages, {len(reader.wheels)} wheels")
    return Catalogue(
        dates=len(dates), packages=len(reader.packages), sizes=reader.sizes, wheels=reader.wheels, roots=roots
    )


def dates_before(last: str, count: int) -> list[str]:
    """Return dates that are ``STEP`` days apart, the oldest first."""
    end = datetime.date.fromisoformat(last)
    return [str(end - datetime.timedelta(days=STEP * number)) for number in reversed(range(count))]


class _Reader:
    """Numbers packages, wheels and contents as they come."""

    def __init__(self) -> None:
        self.packages: dict[str, int] = {}
        self.numbers: dict[str, int] = {}
        self.wheels: list[Wheel] = []
        self.sizes: list[int] = []
        self._contents: dict[tuple[str, str], int] = {}

    def read(self, batch: Sequence[tuple[str, WheelSource]]) -> None:
        """Read some wheels; halve what does not go, until the one is found that is at fault."""
        try:
            indexes, _ = make_indexes([source for _, source in batch], base=Path(), access=access_of(Path()))
        except NixgenError as error:
            if len(batch) == 1:
                _say(f"{batch[0][1].filename}: {error.what.splitlines()[0]}")
                return
            for half in (batch[: len(batch) // 2], batch[len(batch) // 2 :]):
                self.read(half)
            return
        for (name, source), index in zip(batch, indexes, strict=True):
            files = distinct_files([index])
            self.numbers[source.filename] = len(self.wheels)
            self.wheels.append(
                Wheel(
                    package=self.packages.setdefault(name, len(self.packages)),
                    size=index.source.size or 0,
                    installed=sum(file.size for file in index.files.values()),
                    files=sum(file.size > 0 for file in index.files.values()),
                    contents=tuple(self._number(content, size) for content, size in files.items()),
                )
            )
        _say(f"{len(self.wheels)} wheels")

    def _number(self, content: tuple[str, str], size: int) -> int:
        number = self._contents.setdefault(content, len(self.sizes))
        if number == len(self.sizes):
            self.sizes.append(size)
        return number


def _resolve_at(entry: Entry, dates: Sequence[str], target: Target) -> list[list[tuple[str, WheelSource]]]:
    """Return what an entry brings at each date, the entry first; nothing where it does not go at each."""
    steps = []
    for date in dates:
        try:
            steps.append(_resolve(entry, date, target))
        except NixgenError as error:
            _say(f"{entry.name} at {date}: {error.what.splitlines()[0]}")
            return []
    _say(f"{entry.name}: {len(steps[-1])}")
    return steps


def _resolve(entry: Entry, date: str, target: Target) -> list[tuple[str, WheelSource]]:
    with tempfile.TemporaryDirectory(prefix="nixgen-") as scratch:
        base = Path(scratch).resolve()
        (base / "requirements.in").write_text("".join(f"{line}\n" for line in entry.requirements), encoding="utf-8")
        resolution = uv.compile_requirements(
            [str(base / "requirements.in")],
            python=target.full_version,
            cwd=base,
            where=entry.name,
            options=ResolverOptions(exclude_newer=date, no_build=True),
            system=target,
        )
        chosen = choose(resolution.lock, target, where=entry.name, directory=resolution.directory, base=base)
    if unusable := [*resolution.unusable, *chosen.unusable]:
        raise InputError(unusable[0].reason)
    packages = sorted(chosen.selection.packages, key=lambda package: (package.name not in entry.roots, package.name))
    return [(package.name, package.wheel) for package in packages if package.wheel.url is not None]


def _batches(sources: list[tuple[str, WheelSource]]) -> Iterator[list[tuple[str, WheelSource]]]:
    for start in range(0, len(sources), _BATCH):
        yield sources[start : start + _BATCH]


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
