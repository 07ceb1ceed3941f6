"""What a package without a wheel costs."""

from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.clock import CommandFailedError, Sample, timed
from benchmarks.peers import Uv
from benchmarks.readings import Reading
from benchmarks.rounds import Round
from benchmarks.stores import PrivateStore
from benchmarks.subjects import Project
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME

#: How many modules it has.
_MODULES = 30


def source(round: Round) -> Iterator[Reading]:
    """What locking a source distribution, with its build, takes beside ``uv build`` of it, and locking it again."""
    bench = round.bench
    uv, store = Uv(round.root / "source-uv", bench.python), round.store("source-store")
    for number, state in enumerate(("nothing cached", "another, with what it needs at hand")):
        archive = _archive(round.root / "sources" / str(number), f"sourced{number}")
        project = Project(directory=archive.parent / "project", python=bench.version, wheels=1)
        project.directory.mkdir()
        (project.directory / "requirements.in").write_text(f"sourced{number}==1.0\n")
        peer_value = uv.build(archive, bench.index.url)
        value = _lock(project, store, round, archive)
        subject, peer = f"nixgen lock with a build, {state}", f"uv build, {state}"
        yield Reading(subject=subject, value=value, peer=peer, peer_value=peer_value, goal=1.5)
        lock = Lock.from_file(project.directory / LOCK_NAME)
        if not any(wheel.build is not None for wheel in lock.wheels.values()):
            raise CommandFailedError("nixgen lock has built nothing")
        yield Reading(subject=f"nixgen lock again, {state}", value=_lock(project, store, round, archive))


def _lock(project: Project, store: PrivateStore, round: Round, archive: Path) -> Sample:
    """Lock on a store, with caches of the round's own."""
    words = [sys.executable, "-m", "nixgen", "lock", "--quiet", "requirements.in", "--python", round.bench.version]
    words += ["--default-index", round.bench.index.url, "--find-links", str(archive.parent)]
    caches = {"UV_CACHE_DIR": str(round.root / "sources" / "uv"), "XDG_CACHE_HOME": str(round.root / "sources" / "own")}
    return timed(store.command(*words), env={**store.env, **caches}, cwd=project.directory)


def _archive(directory: Path, name: str) -> Path:
    """Write a source distribution that setuptools builds, and return its path."""
    directory.mkdir(parents=True)
    path = directory / f"{name}-1.0.tar.gz"
    files = {
        "PKG-INFO": f"Metadata-Version: 2.2\nName: {name}\nVersion: 1.0\n",
        "pyproject.toml": f'[project]\nname = "{name}"\nversion = "1.0"\n[build-system]\nrequires = ["setuptools"]\n'
        'build-backend = "setuptools.build_meta"\n',
        f"{name}/__init__.py": "",
        **{f"{name}/part{number}.py": f"NUMBER = {number}\n" for number in range(_MODULES)},
    }
    with tarfile.open(path, "w:gz") as archive:
        for inside, text in files.items():
            member = tarfile.TarInfo(f"{name}-1.0/{inside}")
            member.size = len(text)
            archive.addfile(member, io.BytesIO(text.encode()))
    return path
