"""What environments and releases occupy on disk, and what an upgrade downloads."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks import disk
from benchmarks.readings import Reading
from benchmarks.rounds import Round

_LIMITS = {"tf": 1e6, "small": 100e3}


def space(round: Round) -> Iterator[Reading]:
    """What environments occupy on disk, in allocated blocks."""
    uv, _ = round.uv
    store, _ = round.quick
    lock, another = round.project.directory / "pylock.toml", round.smaller_project(2)
    uv.install(lock, "copies", "--link-mode", "copy")
    peer, real = "a virtual environment of real files, as pip makes it", disk.allocated(uv.venv("copies"))
    round.drop(uv.venv("copies"))
    first = disk.shares(store.path)
    for subject, size in {"the store with the first environment": sum(first.values()), **first}.items():
        yield Reading(subject=subject, value=size, peer=peer, peer_value=real)
    before = disk.allocated(store.path)
    another.nixgen_build(store)
    grown = disk.allocated(store.path) - before
    subject = "one more environment, all that the store gains"
    limit = _LIMITS.get(round.bench.wheels.name)
    yield Reading(subject=subject, value=grown, peer=peer, peer_value=real, limit=limit)
    uv.install(another.directory / "pylock.toml", "linked")
    linked = disk.allocated(uv.venv("linked"), beside=uv.cache)
    round.drop(uv.venv("linked"))
    yield Reading(subject=subject, value=grown, peer="one more by uv, hard links and bytecode", peer_value=linked)
    alone = disk.allocated(store.outside(str((another.directory / "result").readlink())))
    yield Reading(subject="one more environment, its output path alone", value=alone)


def release(round: Round) -> Iterator[Reading]:
    """What a release adds to a store that holds the one before it, in allocated blocks."""
    old, new = round.bench.wheels.pins
    title = f"{new} beside {old.partition('==')[2]}"
    step = round.step
    grown = step.grown
    reading = partial(Reading, peer="the bytes of the files that differ", peer_value=step.differing)
    yield reading(subject=f"{title}, all that the store gains", value=grown, goal=1.0)
    for part, size in step.parts.items():
        yield reading(subject=f"{title}, {part}", value=size)
    subject = f"{title}, all that the store gains"
    yield Reading(subject=subject, value=grown, peer="the bytes of all its files", peer_value=step.files)
    if not round.bench.wheels.large:
        optimised = round.step_in("optimised", "auto-optimise-store = true\n")
        yield reading(subject=f"{title}, with auto-optimise-store", value=optimised.grown)


def upgrade(round: Round) -> Iterator[Reading]:
    """What ``nixgen build`` downloads of a release where the one before it is in the store."""
    step = round.step
    new = round.bench.wheels.pins[1]
    subject = f"nixgen build of {new}, bytes downloaded"
    yield Reading(subject=subject, value=step.downloaded, peer="the wheel", peer_value=step.wheel, goal=0.999)
    compressed = "the bytes of the files that differ, uncompressed"
    yield Reading(subject=subject, value=step.downloaded, peer=compressed, peer_value=step.differing)
