"""One release after another, in one store: what the second one costs where the first one is."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import disk

if TYPE_CHECKING:
    from benchmarks.rounds import Round


@dataclass(frozen=True, kw_only=True)
class Step:
    """A release that was built where the one before it was there already.

    Attributes:
        grown: what the store gained, in allocated bytes.
        parts: the same by what it is for.
        downloaded: bytes of wheels.
        wheel: bytes of the wheel.
        differing: bytes of the wheel's files that are not in the one before.
        files: bytes of all of its files.
    """

    grown: int
    parts: dict[str, int]
    downloaded: int
    wheel: int
    differing: int
    files: int


def step(round: Round, name: str, settings: str = "") -> Step:
    """Build the two releases of the round's set one after another with ``nixgen build``.

    Args:
        round: its set is two releases of one distribution.
        name: of the store and the projects to make.
        settings: further lines of Nix's configuration.
    """
    store = round.store(name, settings)
    old, new = (round.locked(f"{name}-{number}", (pin,)) for number, pin in enumerate(round.bench.wheels.pins))
    old.nixgen_build(store)
    size, parts, sent = disk.allocated(store.path), disk.shares(store.path), round.bench.index.sent()
    new.nixgen_build(store)
    after = disk.shares(store.path)
    known, files = (_files(_wheel(round, pin)) for pin in round.bench.wheels.pins)
    there = set(known)
    differing = [file[1] for file in files if file not in there]
    return Step(
        grown=disk.allocated(store.path) - size,
        parts={part: after[part] - parts[part] for part in after},
        downloaded=round.bench.index.sent() - sent,
        wheel=_wheel(round, round.bench.wheels.pins[1]).stat().st_size,
        differing=sum(differing),
        files=sum(size for _, size in files),
    )


def _wheel(round: Round, pin: str) -> Path:
    """Return where the wheel of a pin lies."""
    return next(round.bench.directory.glob(f"{pin.replace('==', '-')}-*.whl"))


def _files(wheel: Path) -> list[tuple[int, int]]:
    """Return checksum and size of each file of a wheel, as its directory says."""
    with zipfile.ZipFile(wheel) as archive:
        return [(member.CRC, member.file_size) for member in archive.infolist()]
