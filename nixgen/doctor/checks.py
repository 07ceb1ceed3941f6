"""The checks: each looks at one thing, and what it cannot look at it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nixgen.errors import NetworkError, NixgenError
from nixgen.fingerprint import changed
from nixgen.lock import Lock
from nixgen.names import LOCK_NAME
from nixgen.pythons import find_python
from nixgen.store import Store
from nixgen.targets import default_python, default_system

State = Literal["ok", "warn", "fail"]

#: The oldest Nix that is tested.
_OLDEST_NIX = (2, 8)

#: Bytes that the store's file system should have free: less is a warning, and much less a failure.
_ROOM, _NO_ROOM = 5 << 30, 200 << 20

#: Seconds to wait for an index.
_PATIENCE = "10"


@dataclass(frozen=True, kw_only=True)
class Check:
    """What was looked at.

    Attributes:
        name: of what.
        state: whether all is well, something will not work, or nothing will.
        said: what was found, in a sentence or a word.
        todo: what to do about it; "" where all is well.
    """

    name: str
    state: State
    said: str
    todo: str = ""


@dataclass(frozen=True, kw_only=True)
class Place:
    """What is looked at.

    Attributes:
        base: the project's directory.
        settings: settings for Nix by name.
    """

    base: Path
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The store."""
        return Store(self.settings)

    def lock(self) -> Lock | None:
        """Return the project's lock; None where there is none that can be read."""
        try:
            return Lock.from_file(self.base / LOCK_NAME)
        except NixgenError:
            return None


def examine(base: Path, settings: Mapping[str, str] | None = None) -> Iterator[Check]:
    """Yield what is found, one thing after another; nothing is changed, and nothing is raised.

    Args:
        base: the project's directory; there need be none.
        settings: settings for Nix by name.
    """
    place = Place(base=base, settings=settings or {})
    for name, look in _CHECKS.items():
        try:
            yield from (Check(name=name, state=state, said=said, todo=todo) for state, said, todo in look(place))
        except NixgenError as error:
            yield Check(name=name, state="fail", said=error.what.strip(), todo=error.todo or "")
        except OSError as error:
            yield Check(name=name, state="warn", said=f"cannot be looked at: {error}")


_Found = Iterator[tuple[State, str, str]]


def _nix(place: Place) -> _Found:
    program = shutil.which("nix-build")
    if program is None:
        yield (
            "fail",
            "Nix is not on this machine",
            "install it: `apt-get install nix-bin` on Debian and Ubuntu, or see nixos.org/download",
        )
        return
    said = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    match = re.search(r"(\d+)\.(\d+)", said)
    if match is not None and (int(match[1]), int(match[2])) < _OLDEST_NIX:
        yield "warn", said, "use 2.8 or newer: older ones are not tested"
    else:
        yield "ok", said or program, ""


def _store(place: Place) -> _Found:
    if shutil.which("nix-build") is None:
        return
    with place.store.connect():
        pass
    directory = place.store.directory
    daemon = "daemon" in os.environ.get("NIX_REMOTE", "") or not os.access(directory, os.W_OK)
    yield "ok", f"{directory}, {'through its daemon' if daemon else 'written directly'}", ""


def _sandbox(place: Place) -> _Found:
    if shutil.which("nix-build") is None:
        return
    if place.store.setting("sandbox") in (False, None):
        yield "ok", "Nix builds without its sandbox", ""
        return
    lock = place.lock()
    standalone = lock is not None and any(locked.archive for locked in lock.targets)
    if standalone or (place.base / "flake.nix").exists():
        yield "ok", "Nix builds in its sandbox, with a Python of the store", ""
    else:
        yield (
            "warn",
            "Nix builds in its sandbox, which does not see the machine's own Python",
            "use a Python of the store (--python /nix/store/…/bin/python, `nixgen init`, `nixgen lock --standalone`), "
            "or build without it: --option sandbox false",
        )


def _room(place: Place) -> _Found:
    directory = Path(os.environ.get("NIX_STORE_DIR", "/nix/store"))
    while not directory.exists():
        directory = directory.parent
    free = shutil.disk_usage(directory).free
    said = f"{free / 1e9:.1f} GB free for {directory}"
    todo = "make room: `nixgen clean`, then `nix-collect-garbage`"
    if free < _NO_ROOM:
        yield "fail", said, todo
    elif free < _ROOM:
        yield "warn", said, todo
    else:
        yield "ok", said, ""


def _uv(place: Place) -> _Found:
    from nixgen.inputs import running

    try:
        yield "ok", running.run(["--version"], cwd=place.base, warnings=[]).strip(), ""
    except running.UvFailure as failure:
        yield "fail", f"uv does not run: {failure}", "install it anew beside nixgen: `pip install --force-reinstall uv`"


def _index(place: Place) -> _Found:
    """Let uv ask for a package that most indexes have, in the project's directory, whose settings count."""
    from nixgen.inputs import running
    from nixgen.temporary import temporary_directory

    with temporary_directory() as directory:
        asked = directory.resolve() / "requirements.in"
        asked.write_text("pip\n", encoding="utf-8")
        arguments = ["pip", "compile", str(asked), "--no-deps", "--no-build", "--refresh", "--python", sys.executable]
        variables = {"UV_HTTP_TIMEOUT": _PATIENCE, "UV_HTTP_RETRIES": "0"}
        try:
            running.run(arguments, cwd=place.base, variables=variables)
        except running.UvFailure as failure:
            known = running.explain(failure, "the index")
            if isinstance(known, NetworkError):
                todo = "see the network, proxies and UV_INDEX_URL; what is locked and in the store builds without it"
                yield "fail", "the package index does not answer", todo
                return
    yield "ok", "answers", ""


def _python(place: Place) -> _Found:
    lock = place.lock()
    here = [] if lock is None else [one for one in lock.targets if one.target.system == default_system()]
    if lock is not None and not here:
        yield (
            "fail",
            f"the lock has nothing for {default_system()}",
            f"run `nixgen lock --system {default_system()}`, with the other systems that it is to have",
        )
        return
    versions = [(one.target.python, one.archive is not None) for one in here] or [(default_python(), False)]
    for version, fetched in versions:
        if fetched:
            yield "ok", f"{version}, which Nix fetches", ""
        elif (found := find_python(version)) is not None:
            yield "ok", f"{version}: {found}", ""
        else:
            yield (
                "fail" if len(versions) == 1 else "warn",
                f"this machine has no Python {version}",
                f"`uv python install {version}`, give one with --python PATH, or take nixpkgs' (`nixgen init`)",
            )


def _lock(place: Place) -> _Found:
    if not (place.base / LOCK_NAME).exists():
        yield "warn", "there is none here", "run `nixgen lock` in a directory with requirements"
        return
    lock = Lock.from_file(place.base / LOCK_NAME)
    names = changed(lock.inputs, place.base)
    if names:
        yield "warn", f"older than {', '.join(names)}", "run `nixgen lock`"
    else:
        yield "ok", "fits its inputs", ""


def _git(place: Place) -> _Found:
    """A flake sees what git knows, and nothing else."""
    if not (place.base / "flake.nix").exists() or shutil.which("git") is None:
        return
    wanted = [name for name in ("flake.nix", LOCK_NAME, "nix") if (place.base / name).exists()]
    command = ["git", "ls-files", "--others", "--exclude-standard", "--directory", "--", *wanted]
    done = subprocess.run(command, cwd=place.base, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        yield "ok", "the flake is in no git repository: Nix copies the whole directory", ""
    elif names := done.stdout.split():
        yield (
            "fail",
            f"git does not know {', '.join(names)}, and the flake does not see them",
            (f"git add {' '.join(wanted)}"),
        )
    else:
        yield "ok", "git knows the files of the flake", ""


def _mounts(place: Place) -> _Found:
    """What `--mounted` needs; nothing else does."""
    from nixgen.venv.program import cannot_mount

    why = cannot_mount()
    if why is None:
        yield "ok", "environments without links can be mounted", ""
        return
    alone = "; `nixgen run --mounted` works" if cannot_mount(user=True) is None else ""
    yield "warn", f"{why}: no `nixgen venv --mounted`{alone}", "nothing, unless you want environments without links"


_CHECKS: Mapping[str, Callable[[Place], _Found]] = {
    "nix": _nix,
    "store": _store,
    "sandbox": _sandbox,
    "room": _room,
    "uv": _uv,
    "index": _index,
    "python": _python,
    "lock": _lock,
    "git": _git,
    "mounts": _mounts,
}
