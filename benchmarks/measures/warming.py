"""A store that was warmed before anyone asked: what filling it costs, and what is left to who builds then."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from benchmarks.clock import timed
from benchmarks.measures.builds import WARM
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from benchmarks.stores import PrivateStore

_SECOND = "nixgen build, another environment, every tree there"


def warm(round: Round) -> Iterator[Reading]:
    """``nixgen warm`` of every wheel as an entry of its own; ``nixgen build`` by a user who comes after it."""
    wheels, index = round.bench.wheels, round.bench.index
    # Another environment than those of other measures, for both stores.
    pins = tuple(pin for pin in wheels.pins if pin.partition("==")[0] != wheels.roots[0])
    ours, theirs = (round.like_project(name, pins) for name in ("after-warm", "after-build"))
    uv, _ = round.uv
    peer = uv.install(ours.directory / "pylock.toml", "after-warm")
    round.drop(uv.venv("after-warm"))
    store = round.store("warmed")
    (ours.directory / "list.txt").write_text("".join(f"{pin}\n" for pin in wheels.pins), encoding="utf-8")
    words = ["warm", "--quiet", "--python", ours.python, "--default-index", index.url, "list.txt"]
    command = store.command(sys.executable, "-m", "nixgen", *words)
    filling = timed(command, env=store.env, cwd=ours.directory)
    again = timed(command, env=store.env, cwd=ours.directory)
    store.env["XDG_CACHE_HOME"] += "-of-another-user"
    sent, trees = index.sent(), _trees(store)
    sample = ours.nixgen_build(store)
    sent, trees = index.sent() - sent, _trees(store) - trees
    round.check(ours, store, wheels.imports[1:])
    beside = theirs.nixgen_build(round.quick[0])
    subject = "nixgen build, after nixgen warm"
    yield Reading(subject=subject, value=sample, peer=WARM, peer_value=peer, goal=1.0, panel="warm")
    yield Reading(subject=subject, value=sample, peer=_SECOND, peer_value=beside)
    yield Reading(subject=f"{subject}, bytes downloaded", value=sent, limit=0)
    yield Reading(subject=f"{subject}, trees built", value=len(trees), unit="files", limit=0)
    cold = round.quick[1]
    yield Reading(subject="nixgen warm, each wheel an entry", value=filling, peer="nixgen build, cold", peer_value=cold)
    yield Reading(subject="nixgen warm, each wheel an entry, memory", value=filling.peak)
    yield Reading(subject="nixgen warm, again", value=again)


def _trees(store: PrivateStore) -> set[str]:
    """Return the trees of a store."""
    return {path.parent.parent.name for path in store.path.glob("*/nix-support/nixgen.json")}
