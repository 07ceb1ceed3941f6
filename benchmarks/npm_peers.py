"""What nixgen is measured against in projects of npm: npm, pnpm and bun, of the same lock, from the same server."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from benchmarks.clock import Sample, output, timed

TOOLS = Path(__file__).resolve().parent.parent / ".cache" / "benchmarks" / "npm-tools"

#: The peers that the registry has as packages: pnpm runs on Node.js, bun is a program.
_PACKAGES = {
    "pnpm": ("pnpm@12.21.0", "pnpm/bin/pnpm.mjs"),
    "bun": ("@oven/bun-linux-x64@1.4.5", "@oven/bun-linux-x64/bin/bun"),
}

#: Installs what a lock says into a directory without ``node_modules``, runs no scripts and asks nothing.
_INSTALL = {
    "npm": ("ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"),
    "pnpm": ("install", "--frozen-lockfile", "--ignore-scripts", "--package-import-method=hardlink", "--silent"),
    "bun": ("install", "--frozen-lockfile", "--ignore-scripts", "--backend=hardlink", "--silent"),
}

#: Makes of npm's lock the peer's own.
_LOCK = {
    "npm": (),
    "pnpm": ("import",),
    "bun": ("install", "--lockfile-only", "--ignore-scripts", "--silent"),
}


@functools.cache
def peer_words(peer: str) -> tuple[str, ...]:
    """Return the words that run a peer, which is fetched where it is not there yet."""
    if peer == "npm":
        return (shutil.which("npm") or "npm",)
    package, program = _PACKAGES[peer]
    path = TOOLS / peer / "node_modules" / program
    if not path.exists():
        words = [
            "npm",
            "install",
            "--ignore-scripts",
            "--no-audit",
            "--no-fund",
            "--prefix",
            str(TOOLS / peer),
            package,
        ]
        (TOOLS / peer).mkdir(parents=True, exist_ok=True)
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return (str(path),) if peer == "bun" else (shutil.which("node") or "node", str(path))


class Peer:
    """npm, pnpm or bun, with a cache of its own.

    Args:
        name: which.
        root: directory for the cache and projects, on the file system of the private stores.
        registry: URL of the only registry.
        project: with ``package.json`` and ``package-lock.json``; it is copied.

    Attributes:
        cache: the cache's directory, pnpm's store.
    """

    def __init__(self, name: str, root: Path, registry: str, project: Path) -> None:
        self.name = name
        self.cache = root / "cache"
        self._root = root
        self._lock = root / "lock"
        self._lock.mkdir(parents=True)
        for file in ("package.json", "package-lock.json"):
            shutil.copy(project / file, self._lock)
        self._words = peer_words(name)
        self._registry = registry
        if _LOCK[name]:
            output([*self._words, *_LOCK[name]], env=self._env(root / "locking"), cwd=self._lock)
            (self._lock / "package-lock.json").unlink()

    def install(self, directory: str, *options: str, cache: str = "cache") -> Sample:
        """Install into a new project.

        Args:
            directory: its name, which must not exist.
            options: further ones.
            cache: which cache; another name is an empty one.
        """
        project = self.project(directory)
        shutil.copytree(self._lock, project)
        words = [*self._words, *_INSTALL[self.name], *options]
        if self.name == "pnpm":
            words += ["--store-dir", str(self._root / cache / "store")]
        return timed(words, env=self._env(self._root / cache), cwd=project)

    def project(self, directory: str) -> Path:
        """Return where a project lies."""
        return self._root / directory

    def _env(self, cache: Path) -> Mapping[str, str]:
        kept = {
            key: value for key, value in os.environ.items() if not key.lower().startswith(("npm_", "pnpm_", "bun_"))
        }
        return {
            **kept,
            "HOME": str(self._root / "home"),
            "XDG_CACHE_HOME": str(cache / "xdg"),
            "XDG_DATA_HOME": str(cache / "data"),
            "XDG_STATE_HOME": str(cache / "state"),
            "npm_config_cache": str(cache / "npm"),
            "npm_config_registry": self._registry,
            "npm_config_update_notifier": "false",
            "BUN_INSTALL_CACHE_DIR": str(cache / "bun"),
            "CI": "1",
        }
