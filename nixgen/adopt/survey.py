"""Which files of an environment may become links to leaves, and why the others stay."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

from nixgen.errors import InputError
from nixgen.leaf import leaf_path
from nixgen.library import library_directory
from nixgen.model import Overrides
from nixgen.processes import run
from nixgen.wheels.record import to_base64

from .environment import Distribution, Environment, InstalledFile
from .links import Candidate

#: Reasons to stay, beside those of the rules of placement.
EDITED = "edited"
NOT_IN_THE_STORE = "not in the store"
EXECUTABLE = "executable"
UNREADABLE = "not readable"

#: How long the environment's Python may take to judge, in seconds: whoever owns it may have put there what never
#: answers. The question has some 100 bytes for each file, of which thousands are judged in a second.
_SECONDS = 60.0
_SECONDS_A_BYTE = 1e-4


@dataclass(frozen=True, kw_only=True)
class Survey:
    """What was found in an environment.

    Attributes:
        candidates: files that may become links to leaves, by path.
        missing: those of their leaves that the store lacks.
        stays: files that stay, by path: their reasons and sizes.
        linked: files that are links to their leaves already: path to leaf, all of them in the store.
        broken: paths of links to leaves that the store lacks.
    """

    candidates: dict[str, Candidate] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    stays: dict[str, tuple[tuple[str, ...], int]] = field(default_factory=dict)
    linked: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The rules of placement, as files that the environment's Python reads.

    Attributes:
        program: asks them.
        builders: the directory that has them.
    """

    program: Path
    builders: Path

    @classmethod
    def installed(cls) -> Rules:
        """Return those of this nixgen."""
        return cls(program=Path(__file__).with_name("judge.py"), builders=library_directory() / "builders")

    def copied(self, directory: Path) -> Rules:
        """Copy them to where everybody can read them."""
        made = Rules(program=directory / self.program.name, builders=directory / "builders")
        made.builders.mkdir()
        for source in (self.program, *self.builders.glob("*.py")):
            copy = (made.program.parent if source == self.program else made.builders) / source.name
            shutil.copyfile(source, copy)
            copy.chmod(0o644)
        for each in (directory, made.builders):
            each.chmod(0o755)
        return made


class Leaves(Protocol):
    """What an adoption wants of a store; see ``nixgen.store.Store``."""

    @property
    def directory(self) -> str:
        """The store's directory."""

    def invalid(self, paths: Iterable[str]) -> set[str]:
        """Return those of some store paths that the store does not hold."""

    def keep(self, paths: Iterable[str], add: Iterable[tuple[str, str, Path]], link: Path) -> None:
        """Keep some leaves from garbage collection, some of which are added first."""


def survey(
    environment: Environment,
    store: Leaves,
    overrides: Mapping[str, Overrides],
    *,
    add: bool,
    rules: Rules | None = None,
) -> Survey:
    """Find what may become links.

    Args:
        environment: where to look.
        store: holds leaves.
        overrides: what the user says of placement, by package.
        add: whether leaves that the store lacks are to be added.
        rules: those of placement; this nixgen's unless they have to lie elsewhere.

    Raises:
        InputError: nothing is installed, or the environment's Python does not run.
        NixError: the store does not answer.
    """
    distributions = environment.distributions()
    found = Survey()
    leaves: dict[str, tuple[str, str]] = {}
    sizes: dict[str, int] = {}
    for file in _promised(distributions):
        leaf = leaf_path(file.path.rpartition("/")[2], file.sha256 or "", store.directory)
        status = environment.below.status(file.path)
        if status is not None and stat.S_ISLNK(status.st_mode):
            if environment.below.target(file.path) == leaf:
                found.linked[file.path] = leaf
        elif status is not None and stat.S_ISREG(status.st_mode) and status.st_size:
            sizes[file.path] = status.st_size
            leaves[file.path] = leaf, file.sha256 or ""
    found.missing.update(store.invalid(sorted({*found.linked.values(), *(leaf for leaf, _ in leaves.values())})))
    found.broken.extend(path for path, leaf in found.linked.items() if leaf in found.missing)
    for path in found.broken:
        del found.linked[path]
    for path, (leaf, sha256) in leaves.items():
        candidate = _read(environment, path, leaf, sha256, sizes[path], wanted=add or leaf not in found.missing)
        if isinstance(candidate, Candidate):
            found.candidates[path] = candidate
        else:
            found.stays[path] = candidate
    _ask_the_rules(environment, distributions, overrides, found, rules or Rules.installed())
    return found


def _promised(distributions: Iterable[Distribution]) -> list[InstalledFile]:
    return [file for distribution in distributions for file in distribution.files.values() if file.sha256]


def _read(
    environment: Environment, path: str, leaf: str, sha256: str, size: int, *, wanted: bool
) -> Candidate | tuple[tuple[str, ...], int]:
    """Return a file as a candidate, or why it stays with its size."""
    if path.startswith("bin/"):
        return (EXECUTABLE,), size  # commands, which an installer has made executable
    if not wanted:
        return (NOT_IN_THE_STORE,), size
    try:
        with environment.below.open(path) as file:
            status = os.fstat(file.fileno())
            digest = hashlib.file_digest(file, "sha256").digest()
    except OSError:  # the owner may not, or another thing stands there meanwhile
        return (UNREADABLE,), size
    if status.st_mode & (stat.S_ISUID | stat.S_ISGID):
        return (EXECUTABLE,), size  # which --undo does not give back
    if to_base64(digest) != sha256:
        return (EDITED,), status.st_size
    return Candidate(path=path, leaf=leaf, sha256=sha256, status=status)


def _ask_the_rules(
    environment: Environment,
    distributions: Iterable[Distribution],
    overrides: Mapping[str, Overrides],
    found: Survey,
    rules: Rules,
) -> None:
    """Take those out of the candidates that the rules of placement want as copies."""
    asked = [one for one in distributions if any(file.path in found.candidates for file in one.files.values())]
    if not asked:
        return
    question = [
        {
            "files": {path: shown for path, file in one.files.items() if (shown := _shown(environment, file))},
            "overrides": asdict(overrides[one.name]) if one.name in overrides else {},
        }
        for one in asked
    ]
    for distribution, reasons in zip(asked, _judge(environment, question, rules), strict=True):
        for path, why in reasons.items():
            place = distribution.files[path].path
            candidate = found.candidates.pop(place, None)
            if candidate is not None:
                found.stays[place] = tuple(why), candidate.status.st_size
            elif place in found.stays and found.stays[place][0] == (NOT_IN_THE_STORE,):
                found.stays[place] = tuple(why), found.stays[place][1]


def _shown(environment: Environment, file: InstalledFile) -> tuple[str, bool] | None:
    """Return what the rules see of a file: where it is, and whether it is executable; None where there is none."""
    place = environment.root / file.path
    try:
        status = place.stat()
    except OSError:
        return None
    readable = stat.S_ISREG(status.st_mode) and os.access(place, os.R_OK)
    return (str(place), bool(status.st_mode & 0o111)) if readable else None


def _judge(environment: Environment, question: object, rules: Rules) -> list[dict[str, list[str]]]:
    """Run the rules in the environment's own Python, as a build does.

    Raises:
        InputError: it does not run.
    """
    options = ("-I", "-S", "-B", "-X", "utf8")
    content = json.dumps(question)
    seconds = _SECONDS + len(content) * _SECONDS_A_BYTE
    command = [str(environment.python), *options, str(rules.program), str(rules.builders)]
    try:
        done = run(command, given=content, timeout=seconds)
        said = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    except OSError as error:
        raise _no_python(environment, error.strerror or str(error)) from error
    except subprocess.TimeoutExpired as error:
        raise _no_python(environment, f"it has not answered for {seconds:.0f} seconds") from error
    if done.returncode != 0:
        raise _no_python(environment, said[0])
    answer: list[dict[str, list[str]]] = json.loads(done.stdout)
    return answer


def _no_python(environment: Environment, said: str) -> InputError:
    return InputError(
        f"the environment's Python does not run: {said}",
        where=str(environment.python),
        todo="make the environment anew with a Python that is there, 3.8 or newer",
    )
