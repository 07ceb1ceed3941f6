"""What it takes to see that the store holds what the lock promises: whole wheels at first, what is there later."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.clock import timed
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from nixgen.indexes import indexes_of_lock
from nixgen.leaf import leaf_path
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME


def verify(round: Round) -> Iterator[Reading]:
    """``nixgen verify``: leaves, trees and environment, beside ``sha256sum`` over the leaves alone; all in memory."""
    store, _ = round.quick
    project = round.project
    listed = round.root / "leaves"
    listed.write_bytes(b"\0".join(sorted(map(str.encode, _leaves(project.directory, store.env["NIX_STORE_DIR"])))))
    peer_words = store.command("sh", "-c", 'xargs -0 sha256sum < "$1" > /dev/null', "sh", str(listed))
    words = store.command(sys.executable, "-m", "nixgen", "verify", "--quiet", "--python", project.python)
    timed(peer_words, env=store.env, cwd=project.directory)  # reads what the disk has
    peer = timed(peer_words, env=store.env, cwd=project.directory)
    ours = timed(words, env=store.env, cwd=project.directory)
    # Of a small set it is what Python and Nix take to start.
    goal = 1.5 if round.bench.wheels.name == "tf" else None
    yield Reading(subject="nixgen verify", value=ours, peer="sha256sum of the leaves", peer_value=peer, goal=goal)


def tie(round: Round) -> Iterator[Reading]:
    """``nixgen build`` where the store has everything and nobody has seen the wheels whole: what that look costs."""
    store, _ = round.quick
    pins = round.bench.wheels.pins
    seen = round.like_project("seen", pins).nixgen_build(store)
    shutil.rmtree(store.root / "cache" / "nixgen" / "tied")
    project = round.like_project("unseen", pins)
    sent = round.bench.index.sent()
    subject = "nixgen build, every file there, no wheel tied to its hash"
    sample = project.nixgen_build(store)
    read = round.bench.index.sent() - sent
    round.check(project, store, round.bench.wheels.imports)
    yield Reading(subject=subject, value=sample, peer="the same, every wheel tied", peer_value=seen)
    wheels = [str(path) for path in sorted(round.bench.directory.glob("*.whl"))]
    summed = timed(["sha256sum", *wheels], env=store.env, cwd=project.directory)
    yield Reading(subject=subject, value=sample, peer="sha256sum of the wheels", peer_value=summed)
    yield Reading(subject=f"{subject}, bytes downloaded", value=read)


def _leaves(project: Path, store_dir: str) -> set[str]:
    """Return the store paths of all leaves of a project's lock."""
    indexes = indexes_of_lock(Lock.from_file(project / LOCK_NAME).wheels.values(), base=project).values()
    files = [(path, file) for index in indexes for path, file in index.files.items() if file.size]
    return {leaf_path(path.rpartition("/")[2], file.sha256, store_dir) for path, file in files}
