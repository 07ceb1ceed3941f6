"""Many locks at once."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import sys
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path

from benchmarks.clock import Sample, timed
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from nixgen.indexes import keep_indexes
from nixgen.lock import Lock, TargetLock
from nixgen.model import LockedPackage, LockedWheel, WheelFile, WheelIndex, WheelSource
from nixgen.names import LOCK_NAME
from nixgen.targets import Target, default_system

#: As many packages, versions of each, files of a wheel and wheels of a lock as fleets have, by and large: the wheels
#: of the compared packages have 129 contents on average (docs/fleet.md).
_PACKAGES, _VERSIONS, _FILES, _WHEELS = 500, 4, 129, 100

#: How many of a wheel's files the version before has too, of ten.
_SAME = 6


def fleet(round: Round) -> Iterator[Reading]:
    """What `nixgen fleet` takes for 1,000 locks of 100 wheels out of 2,000, with 258,000 files."""
    whole = len(round.bench.wheels.pins) > 100
    directory, cache = round.root / "fleet", round.root / "fleet-cache"
    locks = write_fleet(directory, cache, locks=1000 if whole else 10, packages=_PACKAGES if whole else _WHEELS)
    env = {**round.resolver.env, "XDG_CACHE_HOME": str(cache)}
    limit = Sample(seconds=20.0, cpu=20.0)
    for subject, arguments in (
        ("nixgen fleet --json", ("--json",)),
        ("nixgen fleet --html", ("--html", "fleet.html")),
        ("nixgen fleet --has", ("--has", "package000")),
    ):
        sample = timed([sys.executable, "-m", "nixgen", "fleet", *arguments], env=env, cwd=directory)
        title = f"{subject}, {locks:,} locks"
        yield Reading(subject=title, value=sample, peer="20 s", peer_value=limit, goal=1.0)
        yield Reading(subject=f"{title}, memory", value=sample.peak, limit=500e6)
    yield Reading(subject=f"the page of {locks:,} locks", value=(directory / "fleet.html").stat().st_size)


def write_fleet(directory: Path, cache: Path, *, locks: int, packages: int) -> int:
    """Write locks of made wheels, and their indexes into a user's cache; return how many locks.

    Which packages a lock has follows Zipf's law with exponent 1, their versions are chosen evenly. Always the same.

    Args:
        directory: gets a directory for each lock.
        cache: the user's, as ``XDG_CACHE_HOME`` has it.
        locks, packages: how many.
    """
    chance = random.Random(f"fleet {packages}")
    target = Target.parse("3.11", default_system())
    before = os.environ.get("XDG_CACHE_HOME")
    os.environ["XDG_CACHE_HOME"] = str(cache)
    try:
        indexes = [_index(package, version, chance) for package in range(packages) for version in range(_VERSIONS)]
        kept = keep_indexes(indexes)
    finally:
        os.environ.pop("XDG_CACHE_HOME")
        if before is not None:
            os.environ["XDG_CACHE_HOME"] = before
    weights = list(accumulate(1 / (rank + 1) for rank in range(packages)))
    for number in range(locks):
        chosen: set[int] = set()
        while len(chosen) < min(_WHEELS, packages):
            chosen.update(chance.choices(range(packages), cum_weights=weights, k=_WHEELS - len(chosen)))
        held = [kept[package * _VERSIONS + chance.randrange(_VERSIONS)] for package in sorted(chosen)]
        wheels = {one.source.filename: LockedWheel(source=one.source, name=one.name, index=one.sha256) for one in held}
        locked = [
            LockedPackage(name=one.name, version=one.source.filename.split("-")[1], wheel=one.source) for one in held
        ]
        lock = Lock(targets=(TargetLock(target=target, packages=tuple(locked)),), wheels=wheels)
        path = directory / f"team{number % 20:02}" / f"project{number:04}" / LOCK_NAME
        path.parent.mkdir(parents=True)
        path.write_text(lock.to_text(), encoding="utf-8")
    return locks


def _index(package: int, version: int, chance: random.Random) -> WheelIndex:
    name = f"package{package:03}"
    filename = f"{name}-{version}.0-py3-none-any.whl"
    files = {}
    for number in range(_FILES):
        # What a file says changes with some versions, and not with others.
        edition = version if (number * 7 + package) % 10 >= _SAME else 0
        content = json.dumps([package, number, edition]).encode()
        digest = base64.b64encode(hashlib.sha256(content).digest()).decode()
        files[f"{name}/part{number // 40}/module{number}.py"] = WheelFile(
            sha256=digest, size=500 + (number * 997) % 20000
        )
    sha256 = hashlib.sha256(filename.encode()).hexdigest()
    url = f"https://example.invalid/{chance.getrandbits(120):030x}/{filename}"
    return WheelIndex(
        source=WheelSource(filename=filename, url=url, sha256=sha256, size=400_000),
        name=name,
        dist_info=f"{name}-{version}.0.dist-info",
        files=dict(sorted(files.items())),
    )
