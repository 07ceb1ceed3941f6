"""What people use today, on the same wheels: pip, uv, and one derivation per wheel with real files."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks import disk
from benchmarks.clock import Sample
from benchmarks.measures.builds import COLD
from benchmarks.peers import Uv
from benchmarks.per_wheel import PerWheel
from benchmarks.readings import Reading
from benchmarks.rounds import Round

_MODES = {"hardlink": "hard links", "copy": "copies", "symlink": "symlinks"}


def peers(round: Round) -> Iterator[Reading]:
    """pip and uv, with and without bytecode, with their caches cold and warm; of a large set pip in one round."""
    yield from _uv(round)
    if round.first:
        yield from _pip(round)


def _uv(round: Round) -> Iterator[Reading]:
    lock = round.project.directory / "pylock.toml"
    filled, first = round.uv
    for mode, links in _MODES.items():
        for bytecode in (True, False):
            title = f"uv pip install{' --compile-bytecode' if bytecode else ''}, {{}}, {links}"
            cold = first if mode == "hardlink" and bytecode else _cold(round, mode, bytecode)
            words = ("--link-mode", mode)
            warm = filled.install(lock, f"warm-{mode}-{bytecode}", *words, bytecode=bytecode)
            for state, sample in (("cold", cold), ("warm", warm)):
                # The chart shows environments with bytecode alone: all of ours have it.
                yield Reading(subject=title.format(state), value=sample, panel=state if bytecode else "")
            if mode == "copy" and bytecode:
                size = disk.allocated(filled.venv(f"warm-{mode}-{bytecode}"))
                yield Reading(subject="the environment of copies, with bytecode, allocated", value=size)
            round.drop(filled.venv(f"warm-{mode}-{bytecode}"))
    yield Reading(subject="uv's cache, allocated", value=disk.allocated(filled.cache))


def _cold(round: Round, mode: str, bytecode: bool) -> Sample:
    uv = Uv(round.root / f"uv-{mode}-{bytecode}", round.bench.python)
    lock = round.project.directory / "pylock.toml"
    sample = uv.install(lock, "cold", "--link-mode", mode, bytecode=bytecode)
    round.drop(uv.root)
    return sample


def _pip(round: Round) -> Iterator[Reading]:
    pip, cold = round.pip
    yield Reading(subject="pip install, cold", value=cold, panel="cold")
    ways: dict[str, tuple[str, ...]] = {"pip install, warm": (), "pip install --no-compile, warm": ("--no-compile",)}
    if not round.bench.wheels.large:
        ways["pip install --no-compile, cold"] = ("--no-compile", "--no-cache-dir")
    for number, (subject, options) in enumerate(ways.items()):
        sample = pip.install(round.bench.wheels.pins, f"other-{number}", *options)
        yield Reading(subject=subject, value=sample, panel="warm" if not options else "")
        round.drop(pip.venv(f"other-{number}"))


def per_wheel(round: Round) -> Iterator[Reading]:
    """One derivation per wheel with real files, and an environment that links to them: time and space."""
    store = round.store("per-wheel")
    built = PerWheel(round.root / "per-wheel-project", round.bench, round.bench.wheels.pins)
    sample = built.build(store)
    built.check(store, round.bench.wheels.imports if round.first else ())
    subject = "one derivation per wheel, nix-build"
    yield Reading(subject=subject, value=sample, peer=COLD, peer_value=round.uv[1], panel="cold")
    yield Reading(subject="one derivation per wheel, the same again", value=built.build(store))
    if round.number > 0:
        round.drop(store.root)
        return
    ours = round.quick[0]
    reading = partial(Reading, peer="nixgen build")
    yield reading(
        subject="one derivation per wheel, closure of the environment",
        value=built.closure(store, round.root / "per-wheel-project" / "result"),
        peer_value=built.closure(ours, round.project.directory / "result"),
    )
    before = disk.allocated(store.path)
    another = PerWheel(round.root / "per-wheel-less", round.bench, round.bench.wheels.without(1))
    again = another.build(store)
    grown = disk.allocated(store.path) - before
    yield Reading(subject="one derivation per wheel, one more environment", value=again, panel="warm")
    yield Reading(subject="one derivation per wheel, one more environment, all that the store gains", value=grown)
