"""Private stores: each run of a measure starts from an empty one, and the machine's own is never touched."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

_SETTINGS = """\
build-users-group =
substituters =
sandbox = false
experimental-features = nix-command flakes
"""

#: Runs a command with a directory as /nix, seen by nobody else.
_AS_NIX = 'mount --bind "$1" /nix && shift && exec "$@"'


class PrivateStore:
    """An empty store with its state, and how to run commands on it.

    Where the machine allows it, the store is ``/nix/store`` to its commands: a private mount. That matters, because a
    longer path makes links to leaves outgrow the inode (60 characters on ext4), which costs time and space. Elsewhere
    the store's own path is used.

    Args:
        root: directory for all of it; must not exist yet.
        nix: the directory of ``nix-build`` and its like.
        settings: further lines of Nix's configuration.

    Attributes:
        env: environment variables for its commands.
        path: where the store lies for everybody else.
    """

    def __init__(self, root: Path, nix: Path, settings: str = "") -> None:
        for name in ("store", "var/nix", "etc", "cache", "tmp"):
            (root / name).mkdir(parents=True)
        self.root = root.resolve()
        self.path = self.root / "store"
        self._prefix = mount_prefix(nix)
        home = "/nix" if self._prefix else str(self.root)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NIX_", "UV_", "PIP_"))}
        self.env = {
            **kept,
            "PATH": os.pathsep.join([str(nix), os.environ.get("PATH", os.defpath)]),
            "NIX_STORE_DIR": f"{home}/store",
            "NIX_STATE_DIR": f"{home}/var/nix",
            "NIX_LOG_DIR": f"{home}/var/log/nix",
            "NIX_CONF_DIR": f"{home}/etc",
            "NIX_USER_CONF_FILES": os.devnull,
            "NIX_CONFIG": _SETTINGS + settings,
            "NIXGEN_STATE_DIR": f"{home}/var/nixgen",
            "NIXGEN_RUN_DIR": f"{home}/var/run-nixgen",
            "XDG_CACHE_HOME": f"{home}/cache",
            "TMPDIR": f"{home}/tmp",  # on the store's own file system
        }

    def command(self, *words: str) -> list[str]:
        """Return a command that runs another one on this store."""
        return [*self._prefix, str(self.root), *words] if self._prefix else list(words)

    def outside(self, path: str) -> Path:
        """Return where a store path lies for those who do not run on this store."""
        return self.path / Path(path).name


@functools.cache
def mount_prefix(nix: Path) -> tuple[str, ...]:
    """Return the words before a directory and a command that run the command with that directory as ``/nix``.

    None (an empty tuple) where the machine has no such mounts, or where Nix or Python itself lies below ``/nix``.
    """
    probes = ([str(nix / "nix-build"), "--version"], [sys.executable, "-c", ""])
    for unshare in (("unshare", "--mount"), ("unshare", "--mount", "--map-root-user")):
        prefix = (*unshare, "sh", "-c", _AS_NIX, "sh")
        if shutil.which(unshare[0]) and all(_runs([*prefix, str(Path(__file__).parent), *probe]) for probe in probes):
            return prefix
    return ()


def _runs(command: Sequence[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode == 0
