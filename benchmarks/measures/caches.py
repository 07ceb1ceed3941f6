"""From a cache without leaves at a distance, and to one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack

from benchmarks.clock import output, timed
from benchmarks.distance import Distance
from benchmarks.files import LoopbackFiles
from benchmarks.peers import Uv
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from benchmarks.stores import PrivateStore

#: A round trip, in seconds.
ROUND_TRIP = 0.02

_UV = "uv pip install --compile-bytecode, cold, 20 ms away"


#: One directory for all: a cache is for a store of one path, and not every machine can show each as /nix/store.
_STORE = "distant"


def _put_away(round: Round, store: PrivateStore, name: str) -> None:
    """Make room for the next store, and remove this one if that costs nothing."""
    round.drop(store.root.rename(store.root.with_name(f"{_STORE}-{name}")))


def cache(round: Round) -> Iterator[Reading]:
    """``nixgen build`` and ``nix-build`` from a cache 20 ms away to an empty store; ``nixgen push`` to it."""
    goal = {"data": 0.35, "tf": 1.0}.get(round.bench.wheels.name)
    place = round.root / "cache-of-wheels"
    place.mkdir()
    with ExitStack() as stack:
        index = stack.enter_context(Distance(round.bench.index.url.split("/")[2], ROUND_TRIP))
        files = stack.enter_context(LoopbackFiles(place))
        far = stack.enter_context(Distance(files.host, ROUND_TRIP))
        project = round.locked("far", round.bench.wheels.pins, f"http://{index.host}/simple/")

        pushing = round.store(_STORE)
        project.nixgen_build(pushing)
        nix = pushing.command("nix", "key")
        secret = project.directory / "secret"
        secret.write_text(output([*nix, "generate-secret", "--key-name", "benchmarks-1"], env=pushing.env, cwd=place))
        script = 'nix key convert-secret-to-public < "$0"'
        public = output(pushing.command("sh", "-c", script, str(secret)), env=pushing.env, cwd=place).strip()
        words = [
            sys.executable,
            "-m",
            "nixgen",
            "push",
            "--python",
            project.python,
            str(place),
            "--sign-key",
            str(secret),
        ]
        push = timed(pushing.command(*words), env=pushing.env, cwd=project.directory)
        copying = None
        if round.first:
            target = f"file://{round.root}/cache-of-leaves?compression=zstd"
            words = ["nix", "copy", "--to", target, "./result"]
            copying = timed(pushing.command(*words), env=pushing.env, cwd=project.directory)
        _put_away(round, pushing, "pushed")
        round.drop(round.root / "cache-of-leaves")

        uv = Uv(round.root / "uv-far", round.bench.python)
        peer = uv.install(project.directory / "pylock.toml", "far")
        round.drop(uv.root)
        taking = round.store(_STORE)
        words = [*project.nixgen_build_words(), "--from", f"http://{far.host}", "--trusted-key", public]
        ours = timed(taking.command(*words), env=taking.env, cwd=project.directory)
        round.check(project, taking, round.bench.wheels.imports)
        _put_away(round, taking, "taken")
        stock = round.store(_STORE)
        options = ["--option", "substituters", f"http://{far.host}", "--option", "trusted-public-keys", public]
        alone = project.nix_build(stock, *options)
        _put_away(round, stock, "stock")
    yield Reading(
        subject="nixgen build --from CACHE, 20 ms away", value=ours, peer=_UV, peer_value=peer, goal=goal, panel="cold"
    )
    yield Reading(subject="nixgen build --from CACHE, 20 ms away, memory", value=ours.peak, limit=300e6)
    goal = 1.5 if goal else None
    yield Reading(subject="nix-build nix, that cache as substituter", value=alone, peer=_UV, peer_value=peer, goal=goal)
    yield Reading(subject="nix-build nix, that cache as substituter, memory", value=alone.peak)
    goal = 0.5 if round.bench.wheels.name == "tf" else None
    whole = "nix copy of the closure to a directory, zstd"
    yield Reading(subject="nixgen push to a directory", value=push, peer=whole, peer_value=copying, goal=goal)
    yield Reading(subject="nixgen push, memory", value=push.peak, limit=300e6)
