"""Projects of npm: a cold build, one more project, attaching it, and many files."""

from __future__ import annotations

import compileall
import shlex
import shutil
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import disk
from benchmarks.clock import Sample, output, timed
from benchmarks.npm_rounds import NpmProject, NpmRound
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from benchmarks.stores import PrivateStore

#: How each peer installs with its cache warm, at its best.
_WARM = {"npm": (), "pnpm": ("--offline",), "bun": ()}

_COLD = {"npm": "npm ci, cold", "pnpm": "pnpm install, cold", "bun": "bun install, cold"}
_WARM_WORDS = {
    "npm": "npm ci, warm",
    "pnpm": "pnpm install --offline, warm, hard links",
    "bun": "bun install, warm, hard links",
}

#: What one run takes is read from several.
_RUNS = 20

#: What attaching starts, and is not its own work.
_STARTED = f'sh -c : && {shlex.quote(sys.executable)} -I -S -B -c "import ctypes, json"'


def cold(round: Round) -> Iterator[Reading]:
    """``nixgen build`` and ``nix-build`` of a project of npm from an empty store, beside peers with empty caches."""
    assert isinstance(round, NpmRound)
    project = round.npm_project
    _, sample = round.npm_quick
    for peer in round.set.peers:
        goal = 1.5 if peer == "npm" else None
        yield Reading(
            subject="nixgen build, cold", value=sample, peer=_COLD[peer], peer_value=round.cold(peer), goal=goal
        )
    yield Reading(
        subject="nixgen lock, nothing cached", value=round.locking, peer=_COLD["npm"], peer_value=round.cold("npm")
    )
    if round.first:
        stock = round.store("stock")
        alone = project.copy(round.root / "stock-project").nix_build(stock)
        yield Reading(subject="nix-build nix, cold", value=alone, peer=_COLD["npm"], peer_value=round.cold("npm"))
        round.drop(stock.root)


def project(round: Round) -> Iterator[Reading]:
    """One more project of a lock that is there: ``nixgen venv`` and attaching, beside peers with warm caches; space."""
    assert isinstance(round, NpmRound)
    store, _ = round.npm_quick
    made = round.npm_project
    warm = {peer: round.peer(peer).install("warm", *_WARM[peer]) for peer in round.set.peers}
    one = made.copy(round.root / "one-more")
    before = disk.allocated(store.root)
    linked = one.nixgen(store, "venv", "--quiet")
    one.check(store, "node_modules", round.set.imports)
    grown = disk.allocated(one.directory / "node_modules") + disk.allocated(store.root) - before
    for peer, sample in warm.items():
        yield Reading(subject="nixgen venv, one more project", value=linked, peer=_WARM_WORDS[peer], peer_value=sample)
    yield Reading(subject="nixgen venv, one more project, on disk", value=grown, limit=100e3)
    for peer in round.set.peers:
        theirs = round.peer(peer)
        modules = theirs.project("warm") / "node_modules"
        yield Reading(
            subject=f"{_WARM_WORDS[peer]}, one more project, on disk",
            value=disk.allocated(modules, beside=theirs.cache),
        )
        round.drop(modules)
    again = one.nixgen(store, "venv", "--quiet")
    yield Reading(subject="nixgen venv, again", value=again)
    yield from _attached(round, store, made, warm)


def _attached(round: NpmRound, store: PrivateStore, project: NpmProject, warm: dict[str, Sample]) -> Iterator[Reading]:
    """Attach the image of ``node_modules`` in new projects, as ``nixgen venv --mounted`` does where it is built."""
    first = project.copy(round.root / "mounted")
    built = first.nixgen(store, "build", "--mounted", "--quiet", "--out-link", "image")
    yield Reading(subject="nixgen build --mounted, of packages that are there", value=built)
    image = (first.directory / "image").readlink()
    size = (store.outside(str(image)) / "image.erofs").stat().st_size
    yield Reading(subject="the image", value=size)
    library = round.root / "library"
    if not library.exists():
        shutil.copytree(Path(__file__).resolve().parents[2] / "nix" / "venv", library)
        compileall.compile_dir(library, quiet=1)  # as an installed nixgen has it
    words = [
        sys.executable,
        "-I",
        "-S",
        "-B",
        str(library / "mounted.py"),
        "attach",
        "--quiet",
        "--image",
        str(image),
        "--",
    ]
    attach = f'mkdir "$1-$n" && {shlex.join(words)} "$1-$n/node_modules"'
    sample = _repeat(store, attach, first.directory, "attached")
    started = _repeat(store, _STARTED, first.directory, "none")
    for peer, theirs in warm.items():
        goal = 0.02 if peer == "pnpm" else None
        yield Reading(
            subject="attaching the image in a new project",
            value=sample,
            peer=_WARM_WORDS[peer],
            peer_value=theirs,
            goal=goal,
        )
    reading = partial(Reading, subject="attaching the image in a new project", value=sample)
    yield reading(peer="sh and python -I -S, without work", peer_value=started)
    grown = disk.allocated(first.directory / "attached-0")
    yield Reading(subject="attaching the image, one more project, on disk", value=grown, limit=100e3)
    loads = "".join(f"require('./node_modules/{name}');" for name in round.set.imports)
    check = f'mkdir seen && {shlex.join(words)} "$PWD/seen/node_modules" && cd seen && node -e "$1"'
    output(store.command("sh", "-c", check, "sh", loads), env=store.env, cwd=first.directory)


def _repeat(store: PrivateStore, script: str, directory: Path, name: str) -> Sample:
    """Run a line of shell several times, and return what one run took; it sees ``$n``, and a path as ``$1``."""
    loop = f"n=0; while [ $n -lt {_RUNS} ]; do {{ {script}; }} || exit; n=$((n + 1)); done"
    words = store.command("sh", "-c", loop, "sh", str(directory / name))
    sample = timed(words, env=store.env, cwd=directory)
    return Sample(seconds=sample.seconds / _RUNS, cpu=sample.cpu / _RUNS)


#: What "linear" allows: a file among the most may cost so much more than one among the fewest.
_LINEAR = 1.25


def files(round: Round) -> Iterator[Reading]:
    """A quarter, a half and all of the packages from an empty store: whether time is linear, and memory."""
    assert isinstance(round, NpmRound)
    names = list(round.set.dependencies)
    first: tuple[int, float] | None = None
    for count in dict.fromkeys((max(1, len(names) // 4), len(names) // 2, len(names))):
        part = round.part(names[:count])
        store = round.store(f"files-{count}")
        number = round.files_of(names[:count])
        sample = part.nixgen(store, "build", "--quiet")
        image = part.nixgen(store, "build", "--quiet", "--mounted", "--out-link", "image")
        last = count == len(names)
        for title, one in ((f"nixgen build, {number:,} files", sample), (f"its image, {number:,} files", image)):
            memory = f"{title}, memory of the largest process"
            yield Reading(subject=memory, value=one.peak, limit=600e6 if last else None)
        title = f"nixgen build, {number:,} files"
        if first is None:
            first = (number, sample.seconds)
            yield Reading(subject=title, value=sample)
        else:
            linear = Sample(seconds=first[1] * number / first[0], cpu=0.0)
            peer = f"{number / first[0]:.3g} times {first[0]:,} files"
            yield Reading(subject=title, value=sample, peer=peer, peer_value=linear, goal=_LINEAR)
        round.drop(store.root)
