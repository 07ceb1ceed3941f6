"""One round of measures: what several of them need is made once, when the first of them asks."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from benchmarks.clock import Sample
from benchmarks.peers import Pip, Uv
from benchmarks.server import LoopbackIndex
from benchmarks.sets import WheelSet
from benchmarks.steps import Release, Step, step
from benchmarks.stores import PrivateStore
from benchmarks.subjects import Project
from benchmarks.volumes import Volume


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What all rounds share.

    Attributes:
        wheels: the set; of npm, an ``NpmSet``.
        directory: of its wheels or archives.
        index: serves them.
        nix: the directory of ``nix-build`` and its like.
        python, version: the interpreter of the environments and its version, such as ``3.11``.
        scratch: a directory for everything that is made.
        mount: whether a round gets a file system of its own where that is possible.
    """

    wheels: WheelSet
    directory: Path
    index: LoopbackIndex
    nix: Path
    python: str
    version: str
    scratch: Path
    mount: bool = True

    def wheel(self, pin: str) -> Path:
        """Return where the wheel of a pin lies."""
        return next(self.directory.glob(f"{pin.replace('==', '-')}-*.whl"))


class Round:
    """One round.

    Args:
        bench: what all rounds share.
        number: of the round, from 0.

    Attributes:
        root: the directory for everything that the round makes.
    """

    def __init__(self, bench: Bench, number: int) -> None:
        self.bench = bench
        self.number = number
        self._volume = Volume(bench.scratch / f"round-{number}", mount=bench.mount)
        self.root = self._volume.root
        self._less: dict[int, Project] = {}

    @property
    def mounted(self) -> bool:
        """Whether the round has a file system of its own."""
        return self._volume.mounted

    @property
    def first(self) -> bool:
        """Whether what takes long on a large set, and adds little, is to be measured: in each round of other sets."""
        return self.number == 0 or not self.bench.wheels.large

    def store(self, name: str, settings: str = "") -> PrivateStore:
        """Make an empty store, with further lines of configuration."""
        return PrivateStore(self.root / name, self.bench.nix, settings)

    def remove(self) -> None:
        """Remove everything that the round has made."""
        self._volume.remove()

    @cached_property
    def project(self) -> Project:
        """The set, locked; what is measured and its peer read the same ``pylock.toml``."""
        return self.locked("project", self.bench.wheels.pins)

    def smaller_project(self, less: int) -> Project:
        """Lock the set without the last of its roots: another environment of the same wheels."""
        if less not in self._less:
            self._less[less] = self.like_project(f"less-{less}", self.bench.wheels.without(less))
        return self._less[less]

    def like_project(self, name: str, pins: tuple[str, ...]) -> Project:
        """Lock some of the set's wheels, with the very library of ``project``, whatever happens in the checkout."""
        project = self.locked(name, pins)
        shutil.rmtree(project.directory / "nix")
        shutil.copytree(self.project.directory / "nix", project.directory / "nix")
        return project

    def locked(self, name: str, pins: tuple[str, ...], index: str = "") -> Project:
        """Lock some wheels of the server, or of another index, in a new directory."""
        directory = self.root / name
        self.resolver.resolve(pins, index or self.bench.index.url, directory, pinned=True)
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
    def pip(self) -> tuple[Pip, Sample]:
        """Pip with the cache that its cold installation has filled (into ``cold``), and what that took."""
        pip = Pip(self.root / "pip", self.bench.python, self.bench.index.url)
        return pip, pip.install(self.bench.wheels.pins, "cold")

    @cached_property
    def quick(self) -> tuple[PrivateStore, Sample]:
        """A store that ``nixgen build`` has filled, and what that took."""
        store = self.store("quick")
        sample = self.project.nixgen_build(store)
        self.check(self.project, store, self.bench.wheels.imports)
        return store, sample

    @cached_property
    def step(self) -> Step:
        """What the second of two releases costs where the first one is."""
        return self.step_in("releases")

    def step_in(self, name: str, settings: str = "") -> Step:
        """Build the two releases of the set one after another in a store of their own.

        Args:
            name: of the store and the projects to make.
            settings: further lines of Nix's configuration.
        """
        store = self.store(name, settings)
        old, new = (
            Release(project=self.locked(f"{name}-{number}", (pin,)), wheel=self.bench.wheel(pin))
            for number, pin in enumerate(self.bench.wheels.pins)
        )
        return step(old, new, store, self.bench.index)

    def drop(self, *paths: Path) -> None:
        """Remove what nothing will ask for again, where that costs the measures to come nothing."""
        self._volume.drop(*paths)

    def check(self, project: Project, store: PrivateStore, imports: tuple[str, ...]) -> None:
        """See that an environment is right, as ``Project.check``; of a large set in the first round."""
        if self.first:
            project.check(store, imports)
