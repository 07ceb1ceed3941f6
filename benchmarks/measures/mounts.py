"""Environments without links: attaching them, and working in them; as root."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks import alternate, disk
from benchmarks.clock import Sample, output
from benchmarks.measures.start import imports_of
from benchmarks.peers import pip_to_first_line
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from benchmarks.stores import PrivateStore

#: What one run takes is read from several.
_RUNS = 20

#: Each ``python -c`` runs so often in a round.
_STARTS = 11

#: Attaching starts a shell and a Python, which are not its own work.
_PROCESSES = 'sh -c : && result/bin/python -I -S -B -c "import ctypes, json"'


def mounted(round: Round) -> Iterator[Reading]:
    """``nixgen-venv --mounted``: attaching a directory, to the first line of a program, imports, and disk space."""
    store, _ = round.quick
    image = _image(round, store)
    yield from _image_size(round, store, image)
    yield from _attaching(round, store)
    yield from _first_line(round, store)
    yield from _imports(round, store)


def _image(round: Round, store: PrivateStore) -> Path:
    words = [*round.project.nixgen_build_words(), "--quiet", "--mounted", "--out-link", "image"]
    output(store.command(*words), env=store.env, cwd=round.project.directory)
    return store.outside(str((round.project.directory / "image").readlink()))


#: Counts what an environment shows.
_COUNT = "import os, sys; print(sum(len(names) for _, _, names in os.walk(sys.argv[1])))"


def _image_size(round: Round, store: PrivateStore, image: Path) -> Iterator[Reading]:
    show = f'image/bin/nixgen-venv --mounted --quiet "$1" && "{sys.executable}" -c "$2" "$1"'
    words = store.command("sh", "-c", show, "sh", "counted", _COUNT)
    files = int(output(words, env=store.env, cwd=round.project.directory))
    size = (image / "image.erofs").stat().st_size
    yield Reading(subject=f"the image of {files:,} files", value=size)
    yield Reading(subject="the image, for each file", value=size // files, unit="bytes a file", limit=300)


def _attaching(round: Round, store: PrivateStore) -> Iterator[Reading]:
    directory = round.project.directory
    processes = round.project.repeat(store, _PROCESSES, _RUNS)
    sample = round.project.repeat(store, 'image/bin/nixgen-venv --mounted --quiet "$1-$n"', _RUNS, "attached")
    peer = "sh and python -I -S, without work"
    yield Reading(subject="nixgen-venv --mounted, a new directory", value=sample, peer=peer, peer_value=processes)
    beyond = Sample(seconds=sample.seconds - processes.seconds, cpu=sample.cpu - processes.cpu)
    yield Reading(subject="nixgen-venv --mounted, beyond its processes", value=beyond, limit=0.01)
    # Outside, what lies below the mount is seen: all that a directory costs.
    grown = disk.allocated(directory / "attached-0")
    yield Reading(subject="one more directory, on disk", value=grown, limit=100e3)


def _first_line(round: Round, store: PrivateStore) -> Iterator[Reading]:
    bench, (uv, _) = round.bench, round.uv
    program = f"import {bench.wheels.imports[0]}; print(1)"
    by_uv = uv.to_first_line(round.project.directory / "pylock.toml", "first-line-mounted", program)
    make = 'image/bin/nixgen-venv --mounted --quiet "$1-$n" && "$1-$n/bin/python" -c "$2"'
    sample = round.project.repeat(store, make, 3 if bench.wheels.large else _RUNS, "first-line", program)
    reading = partial(Reading, subject="nixgen-venv --mounted and python", value=sample)
    yield reading(peer="uv venv, uv pip sync, python; warm, hard links", peer_value=by_uv, goal=0.1)
    if not bench.wheels.large:
        by_pip = pip_to_first_line(
            bench.directory, bench.wheels.pins, round.root / "by-pip-mounted", program, bench.python
        )
        yield reading(peer="python -m venv, pip install, python", peer_value=by_pip, goal=0.01)


def _imports(round: Round, store: PrivateStore) -> Iterator[Reading]:
    pip, _ = round.pip
    program = f"import {', '.join(imports_of(round))}"
    pythons = ["imports/bin/python", str(pip.venv("cold") / "bin" / "python")]
    script = 'image/bin/nixgen-venv --mounted --quiet imports && exec "$@"'
    words = [sys.executable, str(Path(alternate.__file__)), str(_STARTS), program, *pythons]
    said = output(store.command("sh", "-c", script, "sh", *words), env=store.env, cwd=round.project.directory)
    ours, peer = (Sample(**sample) for sample in json.loads(said))
    subject, other = f'python -c "{program}", mounted', "the same from a venv of pip's, with bytecode"
    yield Reading(subject=subject, value=ours, peer=other, peer_value=peer, goal=1.0)


#: How many directories are attached at once.
_MANY = 1000

#: Attaches an image in many directories, with one process, and says what the kernel's memory has grown by.
_ATTACH = """
import json, os, sys, time
library, image, place, many = *sys.argv[1:4], int(sys.argv[4])
sys.path.insert(0, library)
import mounted

def kernel():
    with open("/proc/meminfo") as file:
        found = dict(line.split(":") for line in file)
    return sum(int(found[name].split()[0]) * 1024 for name in ("Slab", "KernelStack", "PageTables", "Percpu"))

os.makedirs(place)
before, start, seconds = kernel(), time.perf_counter(), []
for number in range(many):
    began = time.perf_counter()
    assert mounted.main(["attach", "--image", image, "--quiet", "--", f"{place}/{number}"]) == 0
    seconds.append(time.perf_counter() - began)
attached = {"seconds": time.perf_counter() - start, "last": sum(seconds[-20:]) / 20, "kernel": kernel() - before}
start = time.perf_counter()
assert mounted.main(["heal-all"]) == 0
attached["healed"] = time.perf_counter() - start
print(json.dumps(attached))
"""


def thousand(round: Round) -> Iterator[Reading]:
    """A thousand directories of one image, attached at once: time and the kernel's memory for each."""
    store, _ = round.quick
    image = _image(round, store)
    library = Path(__file__).resolve().parents[2] / "nix" / "venv"
    inside = f"{store.env['NIX_STORE_DIR']}/{image.name}"
    words = [sys.executable, "-B", "-c", _ATTACH, str(library), inside, str(round.root / "many"), str(_MANY)]
    found = json.loads(output(store.command(*words), env=store.env, cwd=round.project.directory))
    cpu = 0.0
    each = Sample(seconds=found["seconds"] / _MANY, cpu=cpu)
    yield Reading(subject=f"attaching each of {_MANY:,} directories, in one process", value=each)
    last = Sample(seconds=found["last"], cpu=cpu)
    yield Reading(subject="the last of them", value=last, limit=0.01)
    healed = Sample(seconds=found["healed"], cpu=cpu)
    yield Reading(subject=f"nixgen mount --all, {_MANY:,} that are well", value=healed)
    yield Reading(subject="the kernel's memory, for each", value=found["kernel"] // _MANY)
    grown = disk.allocated(round.root / "many") // _MANY
    yield Reading(subject="one more directory, on disk", value=grown, limit=100e3)
