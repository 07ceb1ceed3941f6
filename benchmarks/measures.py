"""The measures: each gives readings, one round after another."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from benchmarks import disk
from benchmarks.clock import Sample
from benchmarks.peers import Uv, pip_to_first_line
from benchmarks.server import LoopbackIndex
from benchmarks.sets import WheelSet
from benchmarks.stores import PrivateStore
from benchmarks.subjects import Project


@dataclass(frozen=True, kw_only=True)
class Reading:
    """One value beside its peer's.

    Attributes:
        measure: the measure's name.
        subject: what was measured.
        value: seconds with the processors' seconds, or bytes.
        peer: what it is compared with, "" for nothing.
        peer_value: the peer's value in this very round.
        goal: the largest ratio to the peer that is good enough; None where there is no goal.
    """

    measure: str
    subject: str
    value: Sample | int
    peer: str = ""
    peer_value: Sample | int | None = None
    goal: float | None = None


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all rounds share.

    Attributes:
        wheels: the set.
        directory: of its wheels.
        index: serves them.
        nix: the directory of ``nix-build`` and its like.
        python, version: the interpreter of the environments and its version, such as ``3.11``.
        scratch: a directory for everything that is made.
    """

    wheels: WheelSet
    directory: Path
    index: LoopbackIndex
    nix: Path
    python: str
    version: str
    scratch: Path


class Round:
    """One round: what its measures share is made once, when the first of them asks.

    Args:
        bench: what all rounds share.
        number: of the round, from 0.
    """

    def __init__(self, bench: Bench, number: int) -> None:
        self.bench = bench
        self.number = number
        self.root = bench.scratch / f"round-{number}"
        self.root.mkdir()
        self._stores: list[PrivateStore] = []

    def store(self, name: str) -> PrivateStore:
        """Make an empty store."""
        made = PrivateStore(self.root / name, self.bench.nix)
        self._stores.append(made)
        return made

    def remove(self) -> None:
        """Remove everything that the round has made.

        To be called when nothing is to be measured any more: an ext4 without a journal avoids inodes that were deleted
        in the last minutes, and looking for others makes each new file cost up to a millisecond.
        """
        for store in self._stores:
            store.remove()
        shutil.rmtree(self.root)

    @cached_property
    def project(self) -> Project:
        """The set, locked; what is measured and its peer read the same ``pylock.toml``."""
        return self._project("project", self.bench.wheels.pins)

    def smaller_project(self, less: int) -> Project:
        """Lock the set without the last of its roots: another environment of the same wheels."""
        project = self._project(f"less-{less}", self.bench.wheels.without(less))
        # The same library in all of a round, whatever happens in the checkout meanwhile: else trees are built anew.
        shutil.rmtree(project.directory / "nix")
        shutil.copytree(self.project.directory / "nix", project.directory / "nix")
        return project

    def _project(self, name: str, pins: tuple[str, ...]) -> Project:
        directory = self.root / name
        self.resolver.resolve(pins, self.bench.index.url, directory, pinned=True)
        project = Project(directory=directory, python=self.bench.version, wheels=len(pins))
        project.lock(self.resolver.env, "pylock.toml")
        return project

    @cached_property
    def resolver(self) -> Uv:
        """uv as it resolves, with another cache than the one that installs."""
        return Uv(self.root / "resolver", self.bench.python)

    @cached_property
    def uv(self) -> tuple[Uv, Sample]:
        """uv with the cache that its cold installation has filled, and what that took."""
        uv = Uv(self.root / "uv", self.bench.python)
        return uv, uv.install(self.project.directory / "pylock.toml", "cold")

    @cached_property
    def stock(self) -> tuple[PrivateStore, Sample]:
        """A store that stock ``nix-build`` has filled, and what that took."""
        return self._filled("stock", self.project.nix_build)

    @cached_property
    def quick(self) -> tuple[PrivateStore, Sample]:
        """A store that ``nixgen build`` has filled, and what that took."""
        return self._filled("quick", self.project.nixgen_build)

    def _filled(self, name: str, build: Callable[[PrivateStore], Sample]) -> tuple[PrivateStore, Sample]:
        store = self.store(name)
        sample = build(store)
        self.project.check(store, self.bench.wheels.imports)
        return store, sample


_COLD = "uv pip install --compile-bytecode, cold"
_WARM = "uv pip install --compile-bytecode, warm, hard links"
_BARE = "uv pip install, warm, hard links, no bytecode"


def cold(round: Round) -> Iterator[Reading]:
    """Stock ``nix-build`` from an empty store, with Nix's defaults and with all cores."""
    reading = partial(Reading, measure="cold", peer=_COLD, peer_value=round.uv[1], goal=4.0)
    yield reading(subject="nix-build nix", value=round.stock[1])
    store = round.store("all-cores")
    yield reading(subject="nix-build nix -j auto", value=round.project.nix_build(store, "-j", "auto"))


def cold_nixgen(round: Round) -> Iterator[Reading]:
    """``nixgen build`` from an empty store."""
    reading = partial(Reading, measure="cold-nixgen", peer=_COLD, peer_value=round.uv[1])
    yield reading(subject="nixgen build", value=round.quick[1])


def second(round: Round) -> Iterator[Reading]:
    """``nixgen build`` of a second environment of wheels that are all there."""
    uv, _ = round.uv
    store, _ = round.quick
    project = round.smaller_project(1)
    lock = project.directory / "pylock.toml"
    warm, bare = uv.install(lock, "warm"), uv.install(lock, "bare", bytecode=False)
    sample = project.nixgen_build(store)
    project.check(store, round.bench.wheels.imports[:-1])
    reading = partial(Reading, measure="second", subject="nixgen build, another environment", value=sample)
    yield reading(peer=_WARM, peer_value=warm, goal=1.0)
    yield reading(peer=_BARE, peer_value=bare)


def again(round: Round) -> Iterator[Reading]:
    """The same lock again."""
    uv, _ = round.uv
    peer = uv.install_again(round.project.directory / "pylock.toml", "cold")
    reading = partial(Reading, measure="again", peer="uv pip install, nothing to do", peer_value=peer)
    yield reading(subject="nixgen build", value=round.project.nixgen_build(round.quick[0]))
    yield reading(subject="nix-build nix", value=round.project.nix_build(round.stock[0]))


def lock(round: Round) -> Iterator[Reading]:
    """What locking downloads of the wheels, and what it takes on top of uv's resolution."""
    bench = round.bench
    total = sum(path.stat().st_size for path in bench.directory.glob("*.whl"))
    resolver, project = round.resolver, round.project
    before = bench.index.sent()
    project.lock(resolver.env, "pylock.toml")
    read = bench.index.sent() - before
    subject, peer = "nixgen lock pylock.toml, bytes read of wheels", "the wheels' bytes"
    yield Reading(measure="lock", subject=subject, value=read, peer=peer, peer_value=total, goal=0.05)

    roots = Project(directory=round.root / "roots", python=bench.version, wheels=len(bench.wheels.pins))
    resolver.resolve(bench.wheels.roots, bench.index.url, roots.directory)  # fills the cache
    alone = resolver.resolve(bench.wheels.roots, bench.index.url, roots.directory)
    sample = roots.lock(resolver.env, "requirements.in", "--default-index", bench.index.url)
    on_top = Sample(seconds=sample.seconds - alone.seconds, cpu=sample.cpu - alone.cpu)
    subject, peer = "nixgen lock requirements.in, on top of uv", "uv pip compile alone, resolution cached"
    yield Reading(measure="lock", subject=subject, value=on_top, peer=peer, peer_value=alone)


def space(round: Round) -> Iterator[Reading]:
    """What environments occupy on disk, in allocated blocks; the first round says it for all."""
    if round.number > 0:
        return
    uv, _ = round.uv
    store, _ = round.quick
    lock, another = round.project.directory / "pylock.toml", round.smaller_project(2)
    uv.install(lock, "copies", "--link-mode", "copy")
    peer, real = "a virtual environment of real files, as pip makes it", disk.allocated(uv.venv("copies"))
    reading = partial(Reading, measure="space")
    first = disk.shares(store.path)
    for subject, size in {"the store with the first environment": sum(first.values()), **first}.items():
        yield reading(subject=subject, value=size, peer=peer, peer_value=real)
    before = disk.allocated(store.path)
    another.nixgen_build(store)
    grown = disk.allocated(store.path) - before
    subject = "one more environment"
    yield reading(subject=subject, value=grown, peer=peer, peer_value=real)
    uv.install(another.directory / "pylock.toml", "linked")
    linked = disk.allocated(uv.venv("linked"), beside=uv.cache)
    peer = "one more by uv, hard links and bytecode"
    yield reading(subject=subject, value=grown, peer=peer, peer_value=linked)


#: What one run takes is read from several: a private mount costs milliseconds by itself.
_RUNS = 20


def venv(round: Round) -> Iterator[Reading]:
    """From an environment in the store to the first line of a program in a new directory."""
    bench, (uv, _), (store, _) = round.bench, round.uv, round.quick
    program = f"import {bench.wheels.imports[0]}; print(1)"
    lock = round.project.directory / "pylock.toml"
    by_uv = uv.to_first_line(lock, "first-line", program)
    by_pip = pip_to_first_line(bench.directory, bench.wheels.pins, round.root / "by-pip", program, bench.python)
    make = 'result/bin/nixgen-venv "$1" "$2-$n" && "$2-$n/bin/python" -c "$3"'
    # The goals are the default form's; a farm is to beat uv, which does the same.
    for form, runs, to_pip, to_uv in (("overlay", _RUNS, 0.01, 0.1), ("farm", 3, None, 1.0)):
        sample = round.project.repeat(store, make, runs, f"--{form}", f"{form}-venv", program)
        round.project.wait_for_roots(f"{form}-venv-*", runs)
        reading = partial(Reading, measure="venv", subject=f"nixgen-venv --{form} and python", value=sample)
        yield reading(peer="python -m venv, pip install, python", peer_value=by_pip, goal=to_pip)
        yield reading(peer="uv venv, uv pip sync, python; warm, hard links", peer_value=by_uv, goal=to_uv)
    alone = round.project.repeat(store, 'result/bin/python -c "$1"', _RUNS, program)
    yield Reading(measure="venv", subject="python alone, in the store's environment", value=alone)


def fsck(round: Round) -> Iterator[Reading]:
    """``nixgen-venv`` on a directory where all is well."""
    store, _ = round.quick
    limit = Sample(seconds=0.01, cpu=0.01)
    for form in ("overlay", "farm"):
        round.project.repeat(store, 'result/bin/nixgen-venv "$1" "$2"', 1, f"--{form}", f"{form}-fsck")
        sample = round.project.repeat(store, '"$1/bin/nixgen-venv" --heal', _RUNS, f"{form}-fsck")
        reading = partial(Reading, measure="fsck", subject=f"nixgen-venv --heal, {form}, clean", value=sample)
        yield reading(peer="10 ms", peer_value=limit, goal=1.0)


MEASURES: Mapping[str, Callable[[Round], Iterator[Reading]]] = {
    "cold": cold,
    "cold-nixgen": cold_nixgen,
    "second": second,
    "again": again,
    "lock": lock,
    "space": space,
    "venv": venv,
    "fsck": fsck,
}
