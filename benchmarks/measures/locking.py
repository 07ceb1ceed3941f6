"""What locking costs beside the resolution."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.clock import Sample
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from benchmarks.subjects import Project


def lock(round: Round) -> Iterator[Reading]:
    """What locking downloads of the wheels, and what it takes on top of uv's resolution."""
    bench = round.bench
    tf = bench.wheels.name == "tf"
    total = sum(path.stat().st_size for path in bench.directory.glob("*.whl"))
    resolver, project = round.resolver, round.project
    before = bench.index.sent()
    sample = project.lock(resolver.env, "pylock.toml")
    read = bench.index.sent() - before
    subject, peer = "nixgen lock pylock.toml, bytes read of wheels", "the wheels' bytes"
    yield Reading(subject=subject, value=read, peer=peer, peer_value=total, goal=0.03 if tf else None)
    yield Reading(subject="nixgen lock pylock.toml", value=sample)

    roots = Project(directory=round.root / "roots", python=bench.version, wheels=len(bench.wheels.pins))
    resolver.resolve(bench.wheels.roots, bench.index.url, roots.directory)  # fills the cache
    alone = resolver.resolve(bench.wheels.roots, bench.index.url, roots.directory)
    sample = roots.lock(resolver.env, "requirements.in", "--default-index", bench.index.url)
    on_top = Sample(seconds=max(0.0, sample.seconds - alone.seconds), cpu=max(0.0, sample.cpu - alone.cpu))
    subject, peer = "nixgen lock requirements.in, on top of uv", "uv pip compile alone, resolution cached"
    yield Reading(subject=subject, value=on_top, peer=peer, peer_value=alone, limit=2.0 if tf else None)
    yield from _one_added(round)


def _one_added(round: Round) -> Iterator[Reading]:
    """Lock all but one package, then all: what is read beside what that one takes by itself."""
    bench, resolver = round.bench, round.resolver
    added = bench.wheels.roots[-1]
    pins = bench.wheels.pins
    before = bench.index.sent()
    round.locked("only", tuple(pin for pin in pins if pin.partition("==")[0] == added))
    only = bench.index.sent() - before
    project = round.locked("growing", bench.wheels.without(1))
    resolver.resolve(pins, bench.index.url, project.directory, pinned=True)
    before = bench.index.sent()
    project.lock(resolver.env, "pylock.toml", anew=False)
    read = bench.index.sent() - before
    subject, peer = f"nixgen lock with {added} added, bytes read of wheels", "locking it alone"
    yield Reading(subject=subject, value=read, peer=peer, peer_value=only, goal=1.0)
