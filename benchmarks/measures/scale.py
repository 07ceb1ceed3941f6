"""Many files, and many builds at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from benchmarks.clock import Sample, timed
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from benchmarks.stores import PrivateStore
from benchmarks.subjects import Project

#: What "linear" allows: a file among the most may cost so much more than one among the fewest.
_LINEAR = 1.25


def files(round: Round) -> Iterator[Reading]:
    """A quarter, a half and all of the wheels from an empty store: time for each file, and memory."""
    pins = round.bench.wheels.pins
    counts = sorted({max(1, len(pins) // 4), max(1, len(pins) // 2), len(pins)})
    for way in ("nixgen build", "nix-build nix"):
        nixgen = way == "nixgen build"
        base: tuple[int, float] | None = None
        for count in counts:
            project = round.locked(f"{way.partition(' ')[0]}-{count}", pins[:count])
            store = round.store(f"{way.partition(' ')[0]}-{count}-store")
            sample = project.nixgen_build(store) if nixgen else project.nix_build(store)
            project.check(store, ())
            round.drop(store.root)
            number = project.files()
            base = base or (number, sample.seconds)
            last = count == counts[-1]
            linear = Sample(seconds=base[1] * number / base[0], cpu=0.0)
            reading = partial(Reading, subject=f"{way}, {number:,} files")
            if count == counts[0]:
                yield reading(value=sample)
            else:
                peer = f"{number / base[0]:.3g} times {base[0]:,} files"
                yield reading(value=sample, peer=peer, peer_value=linear, goal=_LINEAR)
            if last and nixgen:
                yield Reading(subject=f"{way}, {number:,} files, against the clock", value=sample, limit=180.0)
            memory = f"{way}, {number:,} files, memory of the largest process"
            yield Reading(subject=memory, value=sample.peak, limit=600e6 if last else None)


#: How many builds meet in one store.
_BUILDS = 10


def together(round: Round) -> Iterator[Reading]:
    """Ten ``nixgen build`` of overlapping locks at once in one store, against the same one after another."""
    projects = [_part(round, number) for number in range(_BUILDS)]
    first, second = round.store("in-turn"), round.store("at-once")
    in_turn = _build_all(first, projects, at_once=False)
    paths = [(project.directory / "result").readlink() for project in projects]
    for project in projects:
        (project.directory / "result").unlink()
    at_once = _build_all(second, projects, at_once=True)
    if [(project.directory / "result").readlink() for project in projects] != paths:
        raise AssertionError("builds at once have other results than builds one after another")
    for project in projects:
        round.check(project, second, ())
    subject, peer = f"{_BUILDS} nixgen build at once", "the same, one after another"
    yield Reading(subject=subject, value=at_once, peer=peer, peer_value=in_turn, goal=2.0)


def _part(round: Round, number: int) -> Project:
    """Lock the set without every tenth of its wheels, another tenth for each number."""
    pins = round.bench.wheels.pins
    kept = tuple(pin for place, pin in enumerate(pins) if place % min(_BUILDS, len(pins)) != number % len(pins))
    return round.like_project(f"part-{number}", kept or pins)


def _build_all(store: PrivateStore, projects: Sequence[Project], *, at_once: bool) -> Sample:
    """Run ``nixgen build`` in each project from one shell; all must end well."""
    build = " ".join(f"'{word}'" for word in projects[0].nixgen_build_words())
    script = f'for place; do ( cd "$place" && {build} ) || exit; done'
    if at_once:
        script = f'jobs=; for place; do ( cd "$place" && {build} ) & jobs="$jobs $!"; done; '
        script += "for job in $jobs; do wait $job || exit; done"
    places = [str(project.directory) for project in projects]
    return timed(store.command("sh", "-c", script, "sh", *places), env=store.env, cwd=projects[0].directory)
