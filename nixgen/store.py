"""The store: the only module that runs Nix."""

from __future__ import annotations

import functools
import grp
import itertools
import json
import logging
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from .errors import NixError

_log = logging.getLogger(__name__)

#: Linux takes 2 MiB of arguments and environment; a store path is 60 characters.
_PATHS_A_CALL = 8000


class Store:
    """The Nix store of this machine, as the environment (``NIX_REMOTE``, ``NIX_STORE_DIR``, …) names it.

    Args:
        options: further Nix settings by name, as ``--option`` takes them.
    """

    def __init__(self, options: Mapping[str, str] | None = None) -> None:
        self._options = {**_single_user_options(), **(options or {})}

    @functools.cached_property
    def directory(self) -> str:
        """The directory that store paths begin with, usually ``/nix/store``."""
        found: str = json.loads(self._run("nix-instantiate", "--eval", "--json", "--expr", "builtins.storeDir"))
        return found

    def invalid(self, paths: Iterable[str]) -> set[str]:
        """Return those of some store paths that the store does not hold."""
        found: set[str] = set()
        for batch in _batches(paths):
            found.update(self._run("nix-store", "--check-validity", "--print-invalid", *batch).split())
        return found

    def add_files(self, files: Iterable[Path]) -> list[str]:
        """Add files as flat SHA-256 fixed outputs named after their base names, and return their store paths in order.

        Works through a daemon without trust: the store computes the hashes itself.
        """
        added: list[str] = []
        for batch in _batches(map(str, files)):
            added += self._run("nix-store", "--add-fixed", "sha256", *batch).split()
        return added

    def build(self, expression: Path, arguments: Sequence[str], out_link: Path | None) -> str:
        """Build a Nix file and return the store path of its output.

        Args:
            expression: a file or directory that ``nix-build`` takes.
            arguments: further arguments, ``--argstr`` and the like.
            out_link: a link to make to the output, which keeps it from garbage collection; replaced at once and only by
                a finished build. None makes none.

        Raises:
            NixError: with what Nix said.
        """
        link = ["--no-out-link"] if out_link is None else ["--out-link", str(out_link)]
        return self._run("nix-build", str(expression), *link, *arguments).strip()

    def setting(self, name: str) -> object:
        """Return the value of one of Nix's settings, None where this Nix has none of that name."""
        flags = ("--extra-experimental-features", "nix-command")
        try:
            text = self._run("nix", *flags, "show-config", "--json")
        except NixError:
            text = self._run("nix", *flags, "config", "show", "--json")  # its name from 2.20 on
        value = json.loads(text).get(name)
        return value.get("value") if isinstance(value, dict) else None

    def _run(self, program: str, *arguments: str) -> str:
        executable = shutil.which(program)
        if executable is None:
            raise NixError(
                f"{program} is not on this machine",
                where="PATH",
                todo="install Nix: `apt-get install nix-bin` on Debian and Ubuntu, or see nixos.org/download",
            )
        options = [word for name, value in self._options.items() for word in ("--option", name, value)]
        command = [executable, *arguments, *options]
        _log.debug("running %s", " ".join(command[:12]) + (" …" if len(command) > 12 else ""))
        # A group of its own is not wanted: an interrupt must reach Nix too, which then leaves no lock behind.
        process = subprocess.run(command, capture_output=True, text=True, check=False)
        if process.stderr:
            _log.debug("%s said:\n%s", program, process.stderr.rstrip())
        if process.returncode != 0:
            raise NixError(
                f"{program} failed with exit code {process.returncode}:\n{_indented(process.stderr)}",
                where=" ".join([program, *arguments[:1]]),
                todo="see Nix's message above; --debug shows the whole command",
            )
        return process.stdout


def _single_user_options() -> dict[str, str]:
    """Return what Nix needs to build as root on a machine without build users, as a bare nix-bin leaves it."""
    if os.geteuid() != 0 or os.environ.get("NIX_REMOTE"):
        return {}
    try:
        grp.getgrnam("nixbld")
    except KeyError:
        return {"build-users-group": ""}
    return {}


def _batches(items: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, _PATHS_A_CALL)):
        yield batch


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.rstrip().splitlines())
