"""One round on a project of npm: what several measures need is made once."""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from benchmarks.clock import Sample, output, timed
from benchmarks.npm_peers import Peer
from benchmarks.npm_registry import LoopbackRegistry
from benchmarks.npm_sets import NpmSet, lock_for
from benchmarks.rounds import Round
from benchmarks.stores import PrivateStore


@dataclass(frozen=True, kw_only=True)
class NpmProject:
    """A directory with ``package.json``, npm's lock and ``nixgen.lock``.

    Attributes:
        directory: the project's.
    """

    directory: Path

    def nixgen(self, store: PrivateStore, *arguments: str) -> Sample:
        """Run nixgen there."""
        words = store.command(sys.executable, "-m", "nixgen", *arguments)
        # nixgen takes archives of npm's cache, which must not be the user's.
        env = {**store.env, "npm_config_cache": f"{store.env['XDG_CACHE_HOME']}/npm"}
        return timed(words, env=env, cwd=self.directory)

    def nix_build(self, store: PrivateStore) -> Sample:
        """Build with nothing but Nix, into ``./result``."""
        return timed(store.command("nix-build", "nix"), env=store.env, cwd=self.directory)

    def copy(self, directory: Path) -> NpmProject:
        """Return another project of the same lock, without ``node_modules``."""
        shutil.copytree(self.directory, directory, ignore=shutil.ignore_patterns("node_modules", "result*"))
        return NpmProject(directory=directory)

    def check(self, store: PrivateStore, modules: str, imports: Sequence[str]) -> None:
        """See that packages load: a broken environment is fast, too.

        Raises:
            CommandFailedError: they do not.
        """
        code = "".join(f"require('{self.directory}/{modules}/{name}');" for name in imports)
        output(store.command("node", "-e", code), env=store.env, cwd=self.directory)


class NpmRound(Round):
    """One round on an ``NpmSet``."""

    @property
    def set(self) -> NpmSet:
        """What is measured."""
        return cast(NpmSet, self.bench.wheels)

    @property
    def registry(self) -> LoopbackRegistry:
        """Serves its archives."""
        return cast(LoopbackRegistry, self.bench.index)

    @cached_property
    def npm_project(self) -> NpmProject:
        """The set, locked; nixgen and its peers have the same ``package-lock.json``."""
        directory = self.root / "project"
        directory.mkdir()
        shutil.copy(self.bench.directory / "package.json", directory)
        (directory / "package-lock.json").write_text(lock_for(self.bench.directory, self.registry.url))
        locker = self.store("locker")
        self.locking = NpmProject(directory=directory).nixgen(locker, "lock", "--quiet")
        self.drop(locker.root)
        return NpmProject(directory=directory)

    def part(self, names: Sequence[str]) -> NpmProject:
        """Return a locked project of some of the set's packages, which need no others."""
        directory = self.root / f"part-{len(names)}"
        directory.mkdir()
        lock = json.loads(lock_for(self.bench.directory, self.registry.url))
        kept = {"", *(f"node_modules/{name}" for name in names)}
        lock["packages"] = {at: entry for at, entry in lock["packages"].items() if at in kept}
        wanted = {name: self.set.dependencies[name] for name in names}
        lock["packages"][""]["dependencies"] = wanted
        (directory / "package-lock.json").write_text(json.dumps(lock))
        (directory / "package.json").write_text(json.dumps({**self.set.manifest, "dependencies": wanted}))
        locker = self.store(f"locker-{len(names)}")
        project = NpmProject(directory=directory)
        project.nixgen(locker, "lock", "--quiet")
        self.drop(locker.root)
        return project

    def files_of(self, names: Sequence[str]) -> int:
        """Return how many files the archives of some packages hold."""
        found = 0
        for served in self.registry.every:
            if served.name in names:
                with tarfile.open(self.bench.directory / "archives" / served.file) as archive:
                    found += sum(member.isfile() for member in archive)
        return found

    def peer(self, name: str) -> Peer:
        """Return npm, pnpm or bun, whose cache its cold installation into ``cold`` has filled."""
        return self._cold(name)[0]

    def cold(self, name: str) -> Sample:
        """Return what the cold installation of a peer took."""
        return self._cold(name)[1]

    def _cold(self, name: str) -> tuple[Peer, Sample]:
        if name not in self._peers:
            peer = Peer(name, self.root / name, self.registry.url, self.npm_project.directory)
            self._peers[name] = peer, peer.install("cold")
        return self._peers[name]

    @cached_property
    def _peers(self) -> dict[str, tuple[Peer, Sample]]:
        return {}

    @cached_property
    def npm_quick(self) -> tuple[PrivateStore, Sample]:
        """A store that ``nixgen build`` has filled, and what that took."""
        store = self.store("quick")
        sample = self.npm_project.nixgen(store, "build", "--quiet")
        self.npm_project.check(store, "result/node_modules", self.set.imports)
        return store, sample
