"""Until a program runs: start-up, a virtual environment on top, the command line itself."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import alternate
from benchmarks.clock import Sample, output
from benchmarks.peers import Uv, pip_to_first_line
from benchmarks.readings import Reading
from benchmarks.rounds import Round

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
        reading = partial(Reading, subject=f"nixgen-venv --{form} and python", value=sample)
        yield reading(peer="python -m venv, pip install, python", peer_value=by_pip, goal=to_pip)
        yield reading(peer="uv venv, uv pip sync, python; warm, hard links", peer_value=by_uv, goal=to_uv)
    alone = round.project.repeat(store, 'result/bin/python -c "$1"', _RUNS, program)
    yield Reading(subject="python alone, in the store's environment", value=alone)


def fsck(round: Round) -> Iterator[Reading]:
    """``nixgen-venv`` on a directory where all is well."""
    store, _ = round.quick
    limit = Sample(seconds=0.01, cpu=0.01)
    for form in ("overlay", "farm"):
        round.project.repeat(store, 'result/bin/nixgen-venv "$1" "$2"', 1, f"--{form}", f"{form}-fsck")
        sample = round.project.repeat(store, '"$1/bin/nixgen-venv" --heal', _RUNS, f"{form}-fsck")
        reading = partial(Reading, subject=f"nixgen-venv --heal, {form}, clean", value=sample)
        yield reading(peer="10 ms", peer_value=limit, goal=1.0)


#: Each ``python -c`` of the start-up measure runs so often in a round.
_STARTS = 11


def imports_of(round: Round) -> tuple[str, ...]:
    """Return what start-up imports: numpy and pandas where the set has them, else what it is seen to run by."""
    wanted = ("numpy", "pandas")
    return wanted if set(wanted) <= set(round.bench.wheels.imports) else round.bench.wheels.imports


def startup(round: Round) -> Iterator[Reading]:
    """``python -c`` with imports, from the store's environment and from one that pip made, in turns."""
    (store, _), (pip, _) = round.quick, round.pip
    program = f"import {', '.join(imports_of(round))}"
    pythons = ["result/bin/python", str(pip.venv("cold") / "bin" / "python")]
    words = store.command(sys.executable, str(Path(alternate.__file__)), str(_STARTS), program, *pythons)
    found = json.loads(output(words, env=store.env, cwd=round.project.directory))
    ours, peer = (Sample(**sample) for sample in found)
    subject, other = f'python -c "{program}", from the environment', "the same from a venv of pip's, with bytecode"
    yield Reading(subject=subject, value=ours, peer=other, peer_value=peer, goal=1.05)


def run(round: Round) -> Iterator[Reading]:
    """``nixgen run`` and ``uv run`` of a Python that does nothing, where nothing has changed."""
    bench, (store, _) = round.bench, round.quick
    uv = Uv(round.root / "uv-run", bench.python)
    by_uv = uv.run_again(bench.wheels.pins, bench.index.url, _RUNS, "python", "-c", "")
    script = f'"{sys.executable}" -m nixgen run --python {bench.version} -- python -c ""'
    round.project.repeat(store, script, 1)
    sample = round.project.repeat(store, script, _RUNS)
    alone = round.project.repeat(store, 'result/bin/python -c ""', _RUNS)
    subject = "nixgen run -- python -c '', nothing changed"
    yield Reading(subject=subject, value=sample, peer="uv run python -c ''", peer_value=by_uv, limit=0.15)
    yield Reading(subject=subject, value=sample, peer="python -c '', of the environment", peer_value=alone)


def help(round: Round) -> Iterator[Reading]:
    """``nixgen --help``: how long it takes, and what it imports."""
    env, here = round.resolver.env, round.root
    commands = ([sys.executable, "-m", "nixgen", "--help"], [sys.executable, "-c", ""])
    ours, bare = (alternate.median(sample) for sample in alternate.in_turns(_STARTS, commands, env))
    peer = "python -c ''"
    yield Reading(subject="nixgen --help", value=ours, peer=peer, peer_value=bare, limit=0.1)
    ours_modules, bare_modules = _modules("nixgen", env, here), _modules("", env, here)
    yield Reading(
        subject="nixgen --help, modules imported",
        value=len(ours_modules),
        unit="modules",
        peer=peer,
        peer_value=len(bare_modules),
    )
    foreign = {name.partition(".")[0] for name in ours_modules - bare_modules}
    foreign -= {*sys.stdlib_module_names, "nixgen"}
    subject = "nixgen --help, packages of others imported"
    yield Reading(
        subject=f"{subject}: {', '.join(sorted(foreign)) or 'none'}", value=len(foreign), unit="modules", limit=0
    )


#: Runs a module, or none, and says what was imported meanwhile.
_IMPORTED = """
import runpy, sys
name, sys.argv[1:] = sys.argv[1], ["--help"]
try:
    if name:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
except SystemExit:
    pass
print("imported", *sys.modules)
"""


def _modules(name: str, env: dict[str, str], cwd: Path) -> set[str]:
    """Return the names of the modules that are there when a module has run with ``--help``; "" runs none."""
    said = output([sys.executable, "-c", _IMPORTED, name], env=env, cwd=cwd)
    return set(said.splitlines()[-1].split()[1:])
