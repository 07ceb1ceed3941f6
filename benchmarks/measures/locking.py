"""What locking costs beside the resolution."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from benchmarks.clock import Sample
from benchmarks.peers import Uv
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


#: How many pins are locked beside uv, and how many may take how much memory, in bytes.
_BESIDE_UV, _MOST, _MEMORY = 200, 300, 250e6


def pinned(round: Round) -> Iterator[Reading]:
    """What locking a poetry.lock takes beside ``uv pip compile`` of the same pins, with empty and with warm caches."""
    bench = round.bench
    pins = bench.wheels.pins[:_BESIDE_UV]
    project = _poetry_project(round, "poetry", pins)
    theirs, ours = (Uv(round.root / f"pinned-{name}", bench.python) for name in ("uv", "nixgen"))
    env = {**ours.env, "XDG_CACHE_HOME": str(round.root / "pinned-cache")}
    for state in ("cold", "warm"):
        peer_value = theirs.resolve(pins, bench.index.url, round.root / "pinned", pinned=True)
        value = _lock_pinned(project, env, bench.index.url)
        subject, peer = f"nixgen lock, {len(pins)} of a poetry.lock, {state}", f"uv pip compile, {state}"
        yield Reading(subject=subject, value=value, peer=peer, peer_value=peer_value, goal=1.3)
    for state in ("cold", "warm"):
        peer_value = theirs.lock(pins, bench.index.url, f"uv-lock-{state}")
        project = Project(
            directory=ours.write_project(pins, f"nixgen-lock-{state}"), python=bench.version, wheels=len(pins)
        )
        value = project.lock(env, "pyproject.toml", "--default-index", bench.index.url)
        # What the pins before have left is known to both, but for what resolving asks.
        subject, peer = f"nixgen lock, {len(pins)} of a pyproject.toml, {state}", f"uv lock, {state}"
        yield Reading(subject=subject, value=value, peer=peer, peer_value=peer_value)
    pins = bench.wheels.pins[:_MOST]
    sample = _lock_pinned(_poetry_project(round, "poetry-most", pins), env, bench.index.url)
    subject = f"nixgen lock, {len(pins)} of a poetry.lock, memory of the largest process"
    yield Reading(subject=subject, value=sample.peak, limit=_MEMORY)


def _lock_pinned(project: Project, env: Mapping[str, str], index: str) -> Sample:
    return project.lock(env, "poetry.lock", "--default-index", index)


def _poetry_project(round: Round, name: str, pins: Sequence[str]) -> Project:
    """Write a project that wants some wheels of the server, and the lock that Poetry would make of it (format 2.1)."""
    bench = round.bench
    directory: Path = round.root / name
    directory.mkdir()
    names = [pin.partition("==")[0] for pin in pins]
    (directory / "pyproject.toml").write_text(
        f'[project]\nname = "many"\nversion = "1"\nrequires-python = ">={bench.version}"\n'
        f"dependencies = {json.dumps(names)}\n[tool.poetry]\npackage-mode = false\n"
    )
    hashes = {wheel["filename"]: wheel["sha256"] for wheel in bench.index.wheels()}
    lines = []
    for pin in pins:
        name, _, version = pin.partition("==")
        file = bench.wheel(pin).name
        lines += ["[[package]]", f'name = "{name}"', f'version = "{version}"', 'groups = ["main"]', "optional = false"]
        lines += ['python-versions = "*"', f'files = [{{file = "{file}", hash = "sha256:{hashes[file]}"}}]', ""]
    lines += ["[metadata]", 'lock-version = "2.1"', f'python-versions = ">={bench.version}"', ""]
    (directory / "poetry.lock").write_text("\n".join(lines))
    return Project(directory=directory, python=bench.version, wheels=len(pins))
