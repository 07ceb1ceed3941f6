"""Wheels that bring different files for one path: who wins, and why."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Container, Iterable, Iterator, Mapping
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixgen.access import Access
from nixgen.errors import NixgenError
from nixgen.lock import Lock
from nixgen.metadata import fetch_metadata, find_metadata, requires_dist
from nixgen.model import WheelIndex
from nixgen.plan import installed_paths
from nixgen.temporary import temporary_directory


def requirements_of(
    names: Collection[str], indexes: Iterable[WheelIndex], *, base: Path, access: Access
) -> dict[str, frozenset[str]]:
    """Return what some packages ask for, with any of their extras: the names in their METADATA.

    It decides who wins, and nothing else: a wheel whose METADATA cannot be read is taken to ask for nothing.

    Args:
        names: the packages.
        indexes: those of a lock's wheels.
        base: the directory that relative paths of wheels refer to.
        access: how servers are reached.
    """
    import asyncio

    wheels = [index for index in indexes if index.name in names]
    found: dict[str, set[str]] = {name: set() for name in names}
    with temporary_directory() as directory:
        for number, index in enumerate(wheels):
            try:
                content = find_metadata(index) or asyncio.run(
                    fetch_metadata(index, base, directory / f"{number}.whl", access)
                )
            except (NixgenError, OSError, zipfile.BadZipFile, KeyError, ValueError, NotImplementedError):
                continue
            for line in requires_dist(content):
                try:
                    found[index.name].add(canonicalize_name(Requirement(line).name))
                except InvalidRequirement:
                    continue
    return {name: frozenset(required) for name, required in found.items()}


def notes(
    lock: Lock, indexes: Mapping[str, WheelIndex], prefer: Iterable[str], asked: Mapping[str, Container[str]]
) -> Iterator[str]:
    """Yield a line for each package that wins over another by the rule, and not by what the user says.

    Args:
        lock: the lock.
        indexes: those of its wheels, by file name.
        prefer: the paths that the user settled.
        asked: what the packages ask for, as ``requirements_of`` has it.
    """
    said = set(prefer)
    told: set[tuple[str, str]] = set()
    for locked in lock.targets:
        ruled = {path: winner for path, winner in locked.prefer.items() if path not in said}
        if not ruled:
            continue
        fold = str.casefold if locked.target.system.endswith("-darwin") else str
        keys = {fold(path): path for path in ruled}
        lost: dict[tuple[str, str], list[str]] = {}
        for package in locked.packages:
            if package.wheel.filename not in indexes:
                continue
            for place, _ in installed_paths(indexes[package.wheel.filename], locked.target.python):
                path = keys.get(fold(place))
                if path is not None and ruled[path] != package.name:
                    lost.setdefault((ruled[path], package.name), []).append(path)
        for (winner, loser), paths in sorted(lost.items()):
            if (winner, loser) not in told:
                told.add((winner, loser))
                distinct = sorted(set(paths))
                where = distinct[0] + (f" and {len(distinct) - 1} more" if len(distinct) > 1 else "")
                why = f"asks for {loser}" if loser in asked.get(winner, ()) else f"has the later name than {loser}"
                yield (
                    f"{winner} wins over {loser}, since it {why}, where both bring other files: {where} "
                    '([tool.nixgen.prefer] decides otherwise, [tool.nixgen] overlaps = "refuse" refuses)'
                )
