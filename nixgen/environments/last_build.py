"""What the last build was made of, so that the same one again needs no evaluation, and mostly no Nix at all.

Evaluating an unchanged lock of 16,436 files takes 0.35 s, and reading it before that 0.1 s. Everything that evaluation
depends on is hashed in 15 ms. Nix is not asked either where it was seen to keep the environment for the link, and the
link and Nix's root are the same ever since: to start ``nix-store`` would be a third of the rest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from nixgen import __version__
from nixgen.cache import cache_directory
from nixgen.emit.default import is_our_default
from nixgen.environments.request import Request
from nixgen.names import LOCK_NAME, NIX_DIRECTORY
from nixgen.pythons import MACHINE_DIRECTORIES, managed_directory
from nixgen.roots import held

#: What a lock has where a package is built from a directory (nixgen/lock.py), and from one outside of the project.
_BUILDS_DIRECTORY = b'"source": {"directory": '
_BUILDS_OUTSIDE = (_BUILDS_DIRECTORY + b'"/', _BUILDS_DIRECTORY + b'"../')


class LastBuild:
    """What was built for a project and a link, and of what; a file in the user's cache directory.

    Args:
        request: which environment.
        out_link: the link to the environment; None where there is to be none.
    """

    def __init__(self, request: Request, out_link: Path | None) -> None:
        self._request = request
        self._link = out_link
        self._made_of = self._look()

    def find(self) -> str | None:
        """Return the store path of the environment if nothing has changed, and the store still holds it; else None.

        The link leads there then, and keeps it from garbage collection, whatever happened to it in the meantime.
        """
        if self._made_of is None:
            return None
        try:
            kept = json.loads(self._file.read_bytes())
            built, same, before = kept["built"], kept["of"] == self._made_of, kept.get("held")
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None
        if not same or not os.path.lexists(built):
            return None
        if before is not None and before == self._held(built):
            return str(built)
        from nixgen.errors import NixError
        from nixgen.store import Store

        try:
            Store(self._request.settings).realise(built, self._link)
        except NixError:
            return None
        if self._link is not None:
            self._write(built)
        return str(built)

    def keep(self, built: str) -> None:
        """Remember what was built, and has its link, unless something of it was changed while it was built."""
        if self._made_of is not None and self._look() == self._made_of:
            self._write(built)

    def _write(self, built: str) -> None:
        from nixgen.emit.files import write_text

        # A cache that cannot be written makes nothing wrong.
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_text(self._file, json.dumps({"built": built, "of": self._made_of, "held": self._held(built)}))

    def _held(self, built: str) -> list[int] | None:
        return None if self._link is None else held(self._link, built)

    @property
    def _file(self) -> Path:
        link = None if self._link is None else str(self._link.absolute())
        name = json.dumps([str(self._request.base.absolute()), link, *(["npm"] if self._request.npm else [])])
        return cache_directory() / "builds" / hashlib.sha256(name.encode()).hexdigest()

    def _look(self) -> str | None:
        """Return a hash of all that evaluation depends on; None where only evaluation can tell."""
        base = self._request.base
        nix = base / NIX_DIRECTORY
        variables = {name: value for name, value in os.environ.items() if name.startswith("NIX_")}
        variables.pop("NIX_BUILD_TOP", None)  # a new one in each `nix-shell`
        try:
            pythons = _pythons(self._request.interpreter)
            # Libraries are whole directories, and what a user wrote in default.nix may read anything.
            if pythons is None or self._request.libraries or not is_our_default(nix / "default.nix"):
                return None
            request = {**self._request._asdict(), "base": None, "check": None, "settings": dict(self._request.settings)}
            told = [__version__, sys.platform, os.uname().machine, request, variables, pythons]
            digest = hashlib.sha256(json.dumps(told, sort_keys=True, default=str).encode())
            lock = (base / LOCK_NAME).read_bytes()
            if any(text in lock for text in (_BUILDS_OUTSIDE if self._request.editable else [_BUILDS_DIRECTORY])):
                return None  # what lies in it is no input of the lock's
            digest.update(hashlib.sha256(lock).digest())
            for name, path in _files(os.fspath(nix), ""):
                digest.update(f"\n{name}\n".encode(errors="surrogateescape"))
                with open(path, "rb") as file:  # noqa: PTH123 - a hundred of them at each start
                    digest.update(hashlib.sha256(file.read()).digest())
        except (OSError, _LinkError):
            return None
        return digest.hexdigest()


class _LinkError(Exception):
    """What Nix finds behind a link is not what lies beside the lock."""


def _files(directory: str, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield the files below a directory: the name of each from there, and its path.

    Raises:
        _LinkError: it, or something in it, is a link.
    """
    if os.path.islink(directory):  # noqa: PTH114
        raise _LinkError(directory)
    with os.scandir(directory) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_symlink():
                raise _LinkError(entry.path)
            if entry.is_dir():
                yield from _files(entry.path, f"{prefix}{entry.name}/")
            else:
                yield prefix + entry.name, entry.path


def _pythons(given: Path | None) -> object:
    """Return what decides on the interpreter: which the given one is and where it leads, or the machine's and uv's.

    None for a script, such as a version manager's, which chooses one when it is run.
    """
    if given is not None:
        found = given.resolve()
        with found.open("rb") as file:
            if file.read(2) == b"#!":
                return None
        about = found.stat()
        return [str(given.absolute()), str(found), about.st_size, about.st_mtime_ns]
    machine = [_names(directory, "python") for directory in MACHINE_DIRECTORIES]
    return [*machine, _names(os.fspath(managed_directory()), "")]


def _names(directory: str, prefix: str) -> list[str]:
    """Return the names in a directory that begin with a prefix, sorted; none where there is no directory."""
    try:
        return sorted(name for name in os.listdir(directory) if name.startswith(prefix))  # noqa: PTH208
    except OSError:
        return []
