"""The measures: each gives readings, one round after another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.measures import (
    builds,
    caches,
    fleets,
    installers,
    locking,
    mounts,
    npm,
    scale,
    sources,
    space,
    start,
    verify,
    warming,
)
from benchmarks.readings import Reading
from benchmarks.rounds import Round


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure.

    Attributes:
        run: gives the readings of a round; its docstring's first line says what it measures.
        sets: the sets that it makes sense for.
        goal: in words, "" where there is none.
        rounds: how many rounds are enough at most; None for no limit.
        nix: whether the figures depend on the version of Nix.
    """

    run: Callable[[Round], Iterator[Reading]]
    sets: tuple[str, ...] = ("small", "data", "tf")
    goal: str = ""
    rounds: int | None = None
    nix: bool = True

    @property
    def description(self) -> str:
        """The first line of what ``run`` says of itself."""
        return (self.run.__doc__ or "").splitlines()[0]


_NPM = ("npm-small", "npm-large")

_RELEASES = ("django", "numpy", "pandas", "torch")

#: In the order in which they run: those that fill the stores first, then ``space`` of what they have filled.
MEASURES: Mapping[str, Measure] = {
    "cold": Measure(run=builds.cold, goal="small, data, tf: 4, 2, 3 times uv cold"),
    "cold-nixgen": Measure(
        run=builds.cold_nixgen,
        goal="small, data, tf: 2, 1.2, 1.5 times uv cold; to the first import 5, 3, 2.5 times uv without bytecode",
    ),
    "space": Measure(run=space.space, goal="one more environment: tf 1 MB, small 100 KB", rounds=1),
    "new-trees": Measure(
        run=builds.new_trees, goal="small, data, tf: 1, 0.4, 0.8 times uv with a warm cache and hard links"
    ),
    "second": Measure(run=builds.second, goal="1 times uv with a warm cache and hard links, 1.5 without bytecode"),
    "again": Measure(run=builds.again, goal="`nixgen build` 0.06 s, `nix build` 0.1 s"),
    "run": Measure(run=start.run, goal="0.15 s"),
    "evaluation": Measure(run=builds.evaluation, goal="tf: 0.5 s, under 300 MB"),
    "release": Measure(
        run=space.release, sets=_RELEASES, goal="no more than the bytes of the files that differ", rounds=1
    ),
    "upgrade": Measure(
        run=space.upgrade, sets=("numpy", "torch"), goal="fewer bytes downloaded than the wheel has", rounds=1
    ),
    "files": Measure(
        run=scale.files,
        sets=("synthetic",),
        goal="100,000 files: linear (1.25), 600 MB for any one process, ingest 180 s",
        rounds=1,
    ),
    "together": Measure(
        run=scale.together, sets=("small", "data"), goal="ten at once: 2 times the ten one after another", rounds=2
    ),
    "cache": Measure(
        run=caches.cache,
        goal="20 ms away, times uv: data 0.35, tf 1.0, stock 1.5; under 300 MB; push of tf 0.5 times nix copy",
    ),
    "warm": Measure(
        run=warming.warm,
        goal="1 times uv with a warm cache and hard links, as `second`; nothing downloaded, no tree built",
    ),
    "help": Measure(run=start.help, sets=("small",), goal="0.1 s; nothing imported that is not used", nix=False),
    "lock": Measure(run=locking.lock, goal="tf: 2 s on top of uv, 3 % of the bytes; one added re-reads one", nix=False),
    "pinned": Measure(
        run=locking.pinned,
        sets=("many",),
        goal="200 packages of a poetry.lock: 1.3 times uv pip compile of the same pins; 300: 250 MB",
        nix=False,
    ),
    "fleet": Measure(run=fleets.fleet, sets=("many",), goal="1,000 locks: 20 s, 500 MB", rounds=3, nix=False),
    "source": Measure(
        run=sources.source,
        sets=("source",),
        goal="1.5 times uv build; again, nothing built",
    ),
    "startup": Measure(run=start.startup, sets=("small", "data"), goal="1.05 times a pip venv with bytecode"),
    "venv": Measure(run=start.venv, sets=("data",), goal="0.01 times pip, 0.1 times uv"),
    "mounted": Measure(
        run=mounts.mounted,
        goal="attached in 10 ms; 0.1 times uv; imports as from real files; one more DIR 100 KB",
        rounds=3,
    ),
    "thousand": Measure(run=mounts.thousand, sets=("small",), rounds=1),
    "fsck": Measure(run=start.fsck, sets=("data",), goal="10 ms"),
    "verify": Measure(run=verify.verify, goal="tf: 1.5 times sha256sum over the leaves"),
    "tie": Measure(run=verify.tie),
    "peers": Measure(run=installers.peers, nix=False),
    "per-wheel": Measure(run=installers.per_wheel),
    "npm-cold": Measure(run=npm.cold, sets=_NPM, goal="1.5 times npm ci with an empty cache"),
    "npm-project": Measure(
        run=npm.project, sets=_NPM, goal="attached in 0.02 times pnpm install --offline; one more project 100 KB"
    ),
    "npm-files": Measure(
        run=npm.files, sets=("npm-files",), goal="50,000 files: linear (1.25), 600 MB for any one process", rounds=1
    ),
}
