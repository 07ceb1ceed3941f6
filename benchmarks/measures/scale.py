"""Many files, and many builds at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from benchmarks.clock import Sample, timed
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from benchmarks.stores import PrivateStore
from benchmarks.subjects import Project

#: What "linear" allows: a file among the most may cost so much more than one among the fewest.
_LINEAR = 1.25


def files(round: Round) -> Iterator[Reading]:
    """A quarter, a half and all of the wheels from an empty store: whether time is linear, and memory."""
    pins = round.bench.wheels.pins
    quarter, half = max(1, len(pins) // 4), max(1, len(pins) // 2)
    # Stock Nix takes minutes for each; its two ends show what there is to see.
    ways = {"nixgen build": [quarter, half, len(pins)], "nix-build nix": [quarter, len(pins)]}
    for way, counts in ways.items():
        first: tuple[int, float] | None = None
        for count in dict.fromkeys(counts):
            name = f"{way.partition(' ')[0]}-{count}"
            project, store = round.locked(name, pins[:count]), round.store(f"{name}-store")
            steps: dict[str, Callable[[PrivateStore], Sample]] = {way: project.nix_build}
            if way == "nixgen build":
                steps = {"nixgen fetch": project.nixgen_fetch, "nixgen build after it": project.nixgen_build}
            samples = {step: run(store) for step, run in steps.items()}
            project.check(store, ())
            round.drop(store.root)
            number, last = project.files(), count == len(pins)
            title = f"{way}, {number:,} files"
            whole = Sample(
                seconds=sum(sample.seconds for sample in samples.values()),
                cpu=sum(sample.cpu for sample in samples.values()),
                peak=max(sample.peak for sample in samples.values()),
            )
            if first is None:
                first = (number, whole.seconds)
                yield Reading(subject=title, value=whole)
            else:
                linear = Sample(seconds=first[1] * number / first[0], cpu=0.0)
                peer = f"{number / first[0]:.3g} times {first[0]:,} files"
                yield Reading(subject=title, value=whole, peer=peer, peer_value=linear, goal=_LINEAR)
            for step, sample in samples.items() if len(samples) > 1 else ():
                ingest = last and step == "nixgen fetch"
                yield Reading(subject=f"{step}, {number:,} files", value=sample, limit=180.0 if ingest else None)
            memory = f"{title}, memory of the largest process"
            yield Reading(subject=memory, value=whole.peak, limit=600e6 if last else None)


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
    # Nix makes its database when it is used first, and two who do that at once may find the other one's half made.
    timed(store.command("nix-store", "--init"), env=store.env, cwd=projects[0].directory)
    return timed(store.command("sh", "-c", script, "sh", *places), env=store.env, cwd=projects[0].directory)
