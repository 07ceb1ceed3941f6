"""From a lock to an environment: with nothing in the store, with some of it, with all of it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.clock import Sample, output, timed
from benchmarks.peers import Uv
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from benchmarks.subjects import Project, files_of_wheels

COLD = "uv pip install --compile-bytecode, cold"
WARM = "uv pip install --compile-bytecode, warm, hard links"
_BARE = "uv pip install, warm, hard links, no bytecode"
_BARE_COLD = "uv pip install, cold, no bytecode"

#: The goals of a first build by set: to uv with bytecode by nixgen and by Nix, and to uv without it to the first
#: import, of links and mounted.
_GOALS = {"small": (2.0, 4.0, 5.0, 4.0), "data": (1.2, 2.0, 3.0, 2.5), "tf": (1.5, 3.0, 2.5, 2.0)}
_NOW = "date +%s%N"
_NONE = (None, None, None, None)

#: How each form of environment is made, and where its Python is.
_FORMS = {
    "nixgen build": '"$@"',
    "nixgen build --mounted, attached": '"$@" --mounted && result/bin/nixgen-venv --mounted --quiet first',
}

#: A flake as a project has it, but for nixpkgs: the machine's own Python stands where one of nixpkgs would.
_FLAKE = """\
{
  outputs =
    { self }:
    let
      nixgen = import ./nix/nixgen;
    in
    {
      packages = nixgen.packagesFor {
        lock = nixgen.readLock ./nixgen.lock;
        pkgsFor = system: { PYTHON = { interpreter = "INTERPRETER"; pythonVersion = "VERSION"; }; };
      };
    };
}
"""


def cold(round: Round) -> Iterator[Reading]:
    """Stock ``nix-build`` from an empty store, with Nix's defaults and with all cores."""
    goal = _GOALS.get(round.bench.wheels.name, _NONE)[1]
    reading = partial(Reading, peer=COLD, peer_value=round.uv[1], goal=goal, panel="cold")
    ways: dict[str, tuple[str, ...]] = {"nix-build nix": ()}
    if round.first:
        ways["nix-build nix -j auto"] = ("-j", "auto")
    for number, (subject, words) in enumerate(ways.items()):
        store = round.store(f"stock-{number}")
        sample = round.project.nix_build(store, *words)
        round.check(round.project, store, round.bench.wheels.imports)
        round.drop(store.root)
        yield reading(subject=subject, value=sample)


def cold_nixgen(round: Round) -> Iterator[Reading]:
    """``nixgen build`` from an empty store; and to the first import from what it has built."""
    bench = round.bench
    goal, _, *to_import = _GOALS.get(bench.wheels.name, _NONE)
    value = round.quick[1]
    yield Reading(subject="nixgen build", value=value, peer=COLD, peer_value=round.uv[1], goal=goal, panel="cold")
    uv = Uv(round.root / "uv-bare", bench.python)
    bare = uv.install(round.project.directory / "pylock.toml", "cold", bytecode=False)
    words = [str(uv.venv("cold") / "bin" / "python"), "-c", f"import {bench.wheels.imports[0]}"]
    imported = timed(words, env={**uv.env, "PYTHONDONTWRITEBYTECODE": ""}, cwd=uv.root)
    both = Sample(seconds=bare.seconds + imported.seconds, cpu=bare.cpu + imported.cpu)
    round.drop(uv.root)
    forms = _FORMS if os.geteuid() == 0 else {"nixgen build": _FORMS["nixgen build"]}
    for (form, script), goal in zip(forms.items(), to_import, strict=False):
        project, store = round.like_project(f"first-{len(script)}", bench.wheels.pins), round.store(f"s{len(script)}")
        python = "first/bin/python" if "first" in script else "result/bin/python"
        script = f'{_NOW} >began && {script} && {python} -c "import {bench.wheels.imports[0]}" && {_NOW} >ended'
        sample = timed(store.command("sh", "-c", script, "sh", *project.nixgen_build_words()), **project.on(store))
        round.drop(store.root)
        # What is mounted goes with the command, and its file system to the disk: nobody waits for that elsewhere.
        began, ended = (int((project.directory / name).read_text()) for name in ("began", "ended"))
        sample = Sample(seconds=(ended - began) / 1e9, cpu=sample.cpu)
        reading = partial(Reading, subject=f"{form}, to the first import", value=sample)
        yield reading(peer=_BARE_COLD, peer_value=bare, goal=goal)
        yield reading(peer=f"{_BARE_COLD}, to the first import", peer_value=both)


def new_trees(round: Round) -> Iterator[Reading]:
    """``nixgen build`` where every leaf is there, and trees of about a quarter of the files are new."""
    uv, _ = round.uv
    store, _ = round.quick
    project = round.like_project("new-trees", round.bench.wheels.pins)
    files, total = _make_new(project)
    warm = uv.install(round.project.directory / "pylock.toml", "warm")
    round.drop(uv.venv("warm"))
    sample = project.nixgen_build(store)
    round.check(project, store, round.bench.wheels.imports)
    subject = f"nixgen build, every leaf there, new trees of {100 * files / total:.0f} % of the files"
    goal = {"data": 0.4, "tf": 0.8}.get(round.bench.wheels.name, 1.0)
    yield Reading(subject=subject, value=sample, peer=WARM, peer_value=warm, goal=goal, panel="warm")


def _make_new(project: Project) -> tuple[int, int]:
    """Change a lock so that some of its trees are others, by a word about placement that costs nothing.

    Deleting trees would do the same, but makes the files that follow slow (``benchmarks.volumes``).

    Returns:
        The files of these trees, and of all.
    """
    path = project.directory / "nixgen.lock"
    lock = json.loads(path.read_text())
    packages = {package["wheel"]: package for package in lock["packages"]}
    sizes = files_of_wheels(project.directory)
    total, found = sum(sizes.values()), 0
    for name, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        if found + size <= total * 0.3:
            found += size
            packages[name]["placement"] = {"copy": ["*.dist-info/WHEEL"]}
        if found >= total * 0.25:
            break
    path.write_text(json.dumps(lock))
    return found, total


def second(round: Round) -> Iterator[Reading]:
    """``nixgen build`` of a second environment of wheels that are all there."""
    uv, _ = round.uv
    store, _ = round.quick
    project = round.smaller_project(1)
    lock = project.directory / "pylock.toml"
    warm, bare = uv.install(lock, "second"), uv.install(lock, "second-bare", bytecode=False)
    round.drop(uv.venv("second"), uv.venv("second-bare"))
    sample = project.nixgen_build(store)
    round.check(project, store, round.bench.wheels.imports[:-1])
    reading = partial(Reading, subject="nixgen build, another environment, every tree there", value=sample)
    yield reading(peer=WARM, peer_value=warm, goal=1.0, panel="warm")
    yield reading(peer=_BARE, peer_value=bare, goal=1.5)


def again(round: Round) -> Iterator[Reading]:
    """The same lock again."""
    uv, _ = round.uv
    peer = uv.install_again(round.project.directory / "pylock.toml", "cold")
    reading = partial(Reading, peer="uv pip install, nothing to do", peer_value=peer)
    store = round.quick[0]
    yield reading(subject="nixgen build, again", value=round.project.nixgen_build(store), limit=0.06)
    # `nixgen build` left no wheels behind: stock Nix wants them once, although every leaf is there.
    first = round.project.nix_build(store)
    yield Reading(subject="nix-build nix for the first time after nixgen build", value=first)
    yield reading(subject="nix-build nix, again", value=round.project.nix_build(store))
    directory = _flake(round)
    build = store.command("nix", "build")
    output(build, env=store.env, cwd=directory)
    # 2.34 keeps the results of an evaluation when it is done for the second time.
    for subject in ("nix build, again", "nix build, for the third time"):
        yield reading(subject=subject, value=timed(build, env=store.env, cwd=directory), limit=0.1)
    alone = timed(store.command("nix", "--version"), env=store.env, cwd=directory)
    yield Reading(subject="nix --version, in a private store like the others", value=alone)


def _flake(round: Round) -> Path:
    """Make a flake of the round's lock, in a Git repository without changes: only of such a one Nix keeps results."""
    bench, project = round.bench, round.project
    directory = round.root / "flake"
    directory.mkdir()
    text = _FLAKE.replace("INTERPRETER", bench.python).replace("VERSION", bench.version)
    (directory / "flake.nix").write_text(text.replace("PYTHON", "python" + bench.version.replace(".", "")))
    for name in ("nixgen.lock", "nix"):
        subprocess.run(["cp", "-r", str(project.directory / name), str(directory)], check=True)
    who = ["-c", "user.name=benchmarks", "-c", "user.email=benchmarks@localhost", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q"], ["add", "flake.nix", "nixgen.lock", "nix"], [*who, "commit", "-q", "-m", "Lock"]):
        subprocess.run(["git", *words], cwd=directory, check=True)
    return directory


def evaluation(round: Round) -> Iterator[Reading]:
    """``nix-instantiate`` alone, every leaf in the store."""
    store = round.quick[0]
    tf = round.bench.wheels.name == "tf"
    for subject, words in (
        ("nix-instantiate nix --argstr ingest store", ("--argstr", "ingest", "store")),
        ("nix-instantiate nix", ()),
    ):
        sample: Sample = round.project.nix_instantiate(store, *words)
        yield Reading(subject=subject, value=sample, limit=0.5 if tf else None)
        yield Reading(subject=f"{subject}, memory", value=sample.peak, limit=300e6 if tf else None)
