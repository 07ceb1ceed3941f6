"""What a run was made under: the machine, the programs, the set."""

from __future__ import annotations

import datetime
import os
import platform
import subprocess
from pathlib import Path

from benchmarks import stores
from benchmarks.rounds import Round

ROOT = Path(__file__).resolve().parent.parent


def conditions(round: Round, *, load: float, serving: float) -> dict[str, str]:
    """Return what a page has to say of a run, by a word for each.

    Args:
        round: the last one.
        load: the machine's load when the run began.
        serving: seconds in which the server alone delivers all wheels to one client.
    """
    bench = round.bench
    programs = [*bench.wheels.programs, ("", (bench.python, "--version"))]
    inside = bool(stores.mount_prefix(bench.nix))
    return {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _commit(),
        "load": f"{load:.2f}",
        "set": bench.wheels.described(bench.directory),
        "server": f"delivers all of them in {serving:.2f} s",
        "machine": f"{os.cpu_count()} cores ({_processor()}), {_memory():.0f} GiB, "
        f"{platform.system()} {platform.release()}",
        "file system": _file_system(round.root) + (", a fresh one for each round" if round.mounted else ""),
        "programs": ", ".join(f"{name}{_says(*command)}" for name, command in programs),
        "stores": "mounted as `/nix`" if inside else "at longer paths than `/nix/store`: links cost a block more each",
    }


def nix_version(nix: Path) -> str:
    """Return the version of the Nix in a directory."""
    return _says(str(nix / "nix-build"), "--version").rpartition(" ")[2]


def _commit() -> str:
    git = ["git", "-C", str(ROOT)]
    done = subprocess.run([*git, "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    return done.stdout.strip() or "not a Git checkout"


def _says(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30


def _file_system(path: Path) -> str:
    """Return the type of the file system that a path lies on, as Linux shows it."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    except OSError:
        return "unknown file system"
    holding = [(fields[1], fields[2]) for fields in mounts if path.resolve().is_relative_to(fields[1])]
    return max(holding, key=lambda mount: len(mount[0]))[1] if holding else "unknown file system"
