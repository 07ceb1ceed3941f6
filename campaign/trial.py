"""One wheel through nixgen's lock and both builds, and beside them through pip and uv."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import uv

from campaign.generator import Hostile
from campaign.place import LIMIT, broken, remove
from corpus.environments import Store
from corpus.processes import Done, Processes
from nixgen.names import LOCK_NAME

#: Exit codes of ``nixgen lock`` that refuse a wheel: input, and verification.
REFUSED = (3, 5)

#: What a mutation may try to reach by its absolute path.
_TEMPORARY = Path("/tmp")

_PROJECT = frozenset([LOCK_NAME, "nix", "pylock.toml", "result", "wheels"])


@dataclass(frozen=True, kw_only=True)
class Trial:
    """How a wheel fared.

    Attributes:
        seed, kinds, filename: of the wheel.
        locked: whether ``nixgen lock`` took it.
        reasons: why not, a line each.
        pip, uv: whether these installed it.
        seconds: what all of it took.
        findings: what is wrong with nixgen.
        said: what the commands printed, where there are findings.
    """

    seed: int
    kinds: tuple[str, ...]
    filename: str
    locked: bool
    reasons: tuple[str, ...]
    pip: bool
    uv: bool
    seconds: float
    findings: tuple[str, ...]
    said: str = ""


class Bench:
    """A place where one wheel after another is tried.

    Args:
        directory: its own, made where it is missing; what was tried is removed from it.
        processes: runs the commands.
        keep: whether a trial with findings stays, below ``kept``.
    """

    def __init__(self, directory: Path, processes: Processes, *, keep: bool = True) -> None:
        self._directory = directory.resolve()
        self._processes = processes
        self._keep = keep
        self._directory.mkdir(parents=True, exist_ok=True)

    def run(self, wheel: Hostile) -> Trial:
        """Try a wheel."""
        trial = self._directory / "trial"
        remove(trial)
        for name in ("project/wheels", "home", "tmp", "canary"):
            (trial / "inside" / name if name != "canary" else trial / name).mkdir(parents=True)
        (trial / "canary" / "canary").write_text("sings\n")
        inside = trial / "inside"
        _write_project(inside / "project", wheel)
        run = _Run(inside, self._processes, self._directory / "nix")
        began = time.monotonic()
        findings: list[str] = []
        locked, reasons = _nixgen(run, wheel, findings)
        findings.extend(_escaped(trial, wheel))
        own = time.monotonic() - began
        pip, uv = _others(run, wheel)
        with contextlib.suppress(OSError):  # theirs, not nixgen's, which was looked for before
            (_TEMPORARY / wheel.marker).unlink()
        seconds = time.monotonic() - began
        if locked and not pip and not uv:
            findings.append("nixgen locks what pip and uv both refuse")
        if own > LIMIT:  # not pip's, which compiles a huge source for as long
            findings.append(f"it took {own:.0f} s")
        if findings and self._keep:
            kept = self._directory / "kept" / str(wheel.seed)
            remove(kept)
            shutil.copytree(inside / "project", kept, symlinks=True)
            (kept / "said.txt").write_text(run.said)
        remove(trial)
        return Trial(
            seed=wheel.seed,
            kinds=wheel.kinds,
            filename=wheel.filename,
            locked=locked,
            reasons=reasons,
            pip=pip,
            uv=uv,
            seconds=seconds,
            findings=tuple(findings),
            said=run.said if findings else "",
        )

    def remove(self) -> None:
        """Remove the place, but for what is kept."""
        for name in ("trial", "nix"):
            remove(self._directory / name)


class _Run:
    """Runs the commands of one trial and keeps what they say."""

    def __init__(self, inside: Path, processes: Processes, nix: Path) -> None:
        self.project = inside / "project"
        self.inside = inside
        self.said = ""
        self._processes = processes
        self._nix = nix
        self.env = self._fresh()

    def _fresh(self) -> dict[str, str]:
        """Return the variables for an empty store, which has the same path each time."""
        remove(self._nix)
        env = {name: value for name, value in Store(self._nix).env.items() if not name.startswith(("PIP_", "UV_"))}
        return env | {
            "HOME": str(self.inside / "home"),
            "TMPDIR": str(self.inside / "tmp"),
            "XDG_CACHE_HOME": str(self.inside / "home" / "cache"),
            "UV_CACHE_DIR": str(self.inside / "home" / "uv"),
        }

    def empty_store(self) -> None:
        """Begin with an empty store again."""
        self.env = self._fresh()

    def __call__(self, *command: str | Path) -> Done:
        words = [str(word) for word in command]
        done = self._processes.run(words, cwd=self.project, env=self.env, timeout=LIMIT)
        shown = " ".join(words[:6])
        self.said += f"$ {shown}\n{done.out[-4000:]}{done.err[-8000:]}exit code {done.code}\n"
        return done


def _write_project(project: Path, wheel: Hostile) -> None:
    (project / "wheels" / wheel.filename).write_bytes(wheel.content)
    name, version = wheel.filename.split("-")[:2]
    (project / "pylock.toml").write_text(
        'lock-version = "1.0"\ncreated-by = "campaign"\n\n[[packages]]\n'
        f"name = {json.dumps(name.lower())}\nversion = {json.dumps(version)}\n\n[[packages.wheels]]\n"
        f"path = {json.dumps(f'wheels/{wheel.filename}')}\n"
        f'hashes = {{ sha256 = "{hashlib.sha256(wheel.content).hexdigest()}" }}\n'
    )


def _nixgen(run: _Run, wheel: Hostile, findings: list[str]) -> tuple[bool, tuple[str, ...]]:
    lock = run(sys.executable, "-m", "nixgen", "lock")
    findings.extend(broken("nixgen lock", lock))
    if lock.code in REFUSED:
        if (run.project / LOCK_NAME).exists():
            findings.append("nixgen lock refuses it and writes a lock")
        return False, reasons(lock.err)
    if lock.code != 0:
        findings.append(f"nixgen lock ends with {lock.code}")
        return False, ()
    built = run(sys.executable, "-m", "nixgen", "build")
    run.empty_store()
    # Without a link of its own, so that the one of nixgen is looked at afterwards.
    stock = run("nix-build", "nix", "--no-out-link")
    paths = []
    for what, done in (("nixgen build", built), ("nix-build", stock)):
        findings.extend(broken(what, done))
        if done.code != 0:
            findings.append(f"it locks, and {what} ends with {done.code}")
        else:
            paths.append(done.out.strip().splitlines()[-1:])
    if len(paths) == 2 and paths[0] != paths[1]:
        findings.append("the two builds give different store paths")
    return True, ()


def _others(run: _Run, wheel: Hostile) -> tuple[bool, bool]:
    path = run.project / "wheels" / wheel.filename
    told = ("install", "--no-deps", "--no-index", "--target")
    pip = run(sys.executable, "-m", "pip", *told, run.inside / "pip", "--disable-pip-version-check", path)
    other = run(
        uv.find_uv_bin(), "pip", *told, run.inside / "uv", "--python", sys.executable, "--no-python-downloads", path
    )
    return pip.code == 0, other.code == 0


def _escaped(trial: Path, wheel: Hostile) -> Iterator[str]:
    """Say what nixgen wrote where it has nothing to write, or left in the temporary directory."""
    if (
        sorted(path.name for path in (trial / "canary").iterdir()) != ["canary"]
        or (trial / "canary" / "canary").read_text() != "sings\n"
    ):
        yield "something was written to the directory beside the project's"
    inside = trial / "inside"
    beside = {path.name for path in trial.iterdir()} - {"canary", "inside"}
    beside |= {path.name for path in inside.iterdir()} - {"project", "home", "tmp"}
    beside |= {path.name for path in trial.parent.iterdir()} - {"trial", "nix", "kept"}
    beside |= {path.name for path in (inside / "project").iterdir()} - _PROJECT
    if beside:
        yield f"there is {', '.join(map(repr, sorted(beside)))} beside what nixgen writes"
    if left := sorted(path.name for path in (inside / "tmp").iterdir()):
        yield f"{', '.join(map(repr, left))} is left in the temporary directory"
    if (_TEMPORARY / wheel.marker).is_symlink() or (_TEMPORARY / wheel.marker).exists():
        yield f"{wheel.marker} was written outside, by its absolute path"


def reasons(said: str) -> tuple[str, ...]:
    """Return the problems that a refusal lists, without what is only this wheel's.

    Args:
        said: what ``nixgen lock`` printed as an error.
    """
    lines = said.splitlines()
    listed = [line for line in lines if line.startswith("    ")]
    if not listed:
        told = [line.removeprefix("nixgen: ") for line in lines if line.startswith("nixgen: ")]
        listed = [re.sub(r"^cannot use the wheel [^:]*: ", "", line) for line in told[:1]]
    return tuple(dict.fromkeys(_general(line.strip()) for line in listed))


def _general(problem: str) -> str:
    """Return a problem without the names and numbers of one wheel."""
    problem = re.sub(r"hostile-1\.0\S*\.whl", "the wheel", problem)
    problem = re.sub(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", "…", problem)
    return re.sub(r"\d+", "N", problem).removeprefix("…: ")
