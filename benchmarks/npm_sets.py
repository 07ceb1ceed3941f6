"""The projects of npm that are measured: resolved once as of a day, their archives then served on loopback."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import npm_made
from benchmarks.npm_peers import peer_words
from benchmarks.npm_registry import LoopbackRegistry, Served, read_served, write_served

#: What npm resolves to: nothing newer, so that figures of two days compare.
_DAY = "2026-11-20"

#: How many archives are fetched at once.
_AT_ONCE = 8

#: What a lock says of a package, and no registry.
_OF_LOCK = frozenset(["resolved", "integrity", "dev", "optional", "peer", "devOptional"])


@dataclass(frozen=True, kw_only=True)
class NpmSet:
    """A project of npm.

    Attributes:
        name: what the command line calls it.
        dependencies: what its package.json wants.
        imports: modules that a finished environment must be able to load.
        peers: what it is measured beside, of npm, pnpm and bun.
        large: whether measures that take minutes on it, and add little, run in its first rounds alone.
        made: writes the archives of packages of our own making; None where the registry has them.
    """

    name: str
    dependencies: Mapping[str, str]
    imports: tuple[str, ...] = ()
    peers: tuple[str, ...] = ("npm", "pnpm", "bun")
    large: bool = False
    made: Callable[[Path], list[Served]] | None = None

    @property
    def manifest(self) -> dict[str, Any]:
        """The project's package.json."""
        return {"name": self.name, "version": "1.0.0", "private": True, "dependencies": dict(self.dependencies)}

    def fetch(self, cache: Path) -> Path:
        """Return the directory of the project's locks and archives, filled where they are not there yet."""
        directory = cache / self.name
        wanted = json.dumps(self.manifest, indent=1)
        if (directory / "package.json").is_file() and (directory / "package.json").read_text() == wanted:
            return directory
        shutil.rmtree(directory, ignore_errors=True)
        fresh = cache / f"{self.name}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / "archives").mkdir(parents=True)
        (fresh / "package.json").write_text(wanted)
        if self.made is not None:
            every = self.made(fresh / "archives")
            (fresh / "package-lock.json").write_text(json.dumps(_lock_of(self.manifest, every)))
        else:
            _resolve(fresh)
            every = _fetched(fresh)
        write_served(fresh, every)
        fresh.rename(directory)
        return directory

    def serve(self, directory: Path) -> LoopbackRegistry:
        """Return a server of the archives and of what a registry says of them."""
        return LoopbackRegistry(directory)

    def described(self, directory: Path) -> str:
        """Return what a page says of it."""
        archives = list((directory / "archives").iterdir())
        size = sum(path.stat().st_size for path in archives)
        return f"{len(archives)} archives, {size / 1e6:.1f} MB"

    @property
    def programs(self) -> list[tuple[str, tuple[str, ...]]]:
        """The commands of the peers that say their versions, each after what to write before that."""
        return [
            ("Node.js ", ("node", "--version")),
            *((f"{name} ", (*peer_words(name), "--version")) for name in self.peers),
        ]


def _lock_of(manifest: Mapping[str, Any], every: Iterable[Served]) -> dict[str, Any]:
    """Return the lock of a project that wants some packages, which want nothing."""
    packages: dict[str, Any] = {"": dict(manifest)}
    for served in every:
        resolved = f"http://registry/{served.place}"
        packages[f"node_modules/{served.name}"] = {
            "version": served.version,
            "resolved": resolved,
            "integrity": served.integrity,
        }
    return {"name": manifest["name"], "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": packages}


def lock_for(directory: Path, url: str) -> str:
    """Return the lock of a set's directory, its archives those of a server.

    Args:
        directory: as ``NpmSet.fetch`` gives it.
        url: of the server, with a final slash.
    """
    lock = json.loads((directory / "package-lock.json").read_text())
    places = {served.integrity: served.place for served in read_served(directory)}
    for entry in lock["packages"].values():
        if entry.get("integrity") in places:
            entry["resolved"] = url + places[entry["integrity"]]
    return json.dumps(lock, indent=1)


def _resolve(directory: Path) -> None:
    env = {
        **os.environ,
        "npm_config_omit_lockfile_registry_resolved": "false",
        "npm_config_cache": str(directory / "npm"),
    }
    words = ["npm", "install", "--package-lock-only", "--ignore-scripts", "--no-audit", "--no-fund", f"--before={_DAY}"]
    subprocess.run(words, cwd=directory, env=env, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(directory / "npm")


def _fetched(directory: Path) -> list[Served]:
    """Download the archives of what this machine installs, and return what is served of all packages of the lock."""
    lock = json.loads((directory / "package-lock.json").read_text())
    found = {served.place: (served, entry["resolved"]) for served, entry in _packages(lock)}
    wanted = [(directory / "archives" / served.file, url) for served, url in found.values() if served.file]

    def download(pair: tuple[Path, str]) -> None:
        with urllib.request.urlopen(pair[1], timeout=120) as answer, pair[0].open("wb") as file:
            shutil.copyfileobj(answer, file)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(download, wanted))
    return [served for served, _ in found.values()]


def _packages(lock: Mapping[str, Any]) -> Iterator[tuple[Served, Mapping[str, Any]]]:
    for at, entry in lock["packages"].items():
        if not at or entry.get("link") or entry.get("inBundle"):
            continue
        name = entry.get("name") or at.rpartition("node_modules/")[2]
        manifest = {key: value for key, value in entry.items() if key not in _OF_LOCK}
        file = f"{name.replace('/', '+')}-{entry['version']}.tgz" if _fits(entry) else ""
        yield (
            Served(
                name=name,
                version=entry["version"],
                integrity=entry["integrity"],
                file=file,
                manifest={**manifest, "name": name, "version": entry["version"]},
            ),
            entry,
        )


def _fits(entry: Mapping[str, Any]) -> bool:
    """Tell whether a package runs on this machine, a Linux with glibc (``npm-install-checks``)."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    for key, own in (("os", "linux"), ("cpu", machine), ("libc", "glibc")):
        listed = entry.get(key) or []
        if listed and own not in listed and not all(one.startswith("!") and one != f"!{own}" for one in listed):
            return False
    return True


#: A page with a server: Vite, React, TypeScript, ESLint, Vitest, Express.
NPM_SMALL = NpmSet(
    name="npm-small",
    dependencies={
        "@eslint/js": "9.39.1",
        "@vitejs/plugin-react": "5.1.1",
        "eslint": "9.39.1",
        "express": "5.1.0",
        "react": "19.2.0",
        "react-dom": "19.2.0",
        "typescript": "5.9.3",
        "vite": "7.2.2",
        "vitest": "3.2.4",
    },
    imports=("react-dom/server", "typescript", "express"),
)

#: What a large front end has.
NPM_LARGE = NpmSet(
    name="npm-large",
    dependencies={
        "@emotion/react": "11.14.0",
        "@emotion/styled": "11.14.1",
        "@mui/material": "7.3.5",
        "@nestjs/common": "11.1.8",
        "@nestjs/core": "11.1.8",
        "@nestjs/platform-express": "11.1.8",
        "@reduxjs/toolkit": "2.10.1",
        "@storybook/react-vite": "9.1.16",
        "@tanstack/react-query": "5.90.7",
        "@testing-library/react": "16.3.0",
        "babel-loader": "10.0.0",
        "eslint": "9.39.1",
        "eslint-config-next": "15.5.6",
        "jest": "30.2.0",
        "jest-environment-jsdom": "30.2.0",
        "next": "15.5.6",
        "react": "19.2.0",
        "react-dom": "19.2.0",
        "react-router": "7.9.5",
        "rxjs": "7.8.2",
        "storybook": "9.1.16",
        "stylelint": "16.25.0",
        "tailwindcss": "4.1.17",
        "typescript": "5.9.3",
        "vite": "7.2.2",
        "webpack": "5.102.1",
        "webpack-cli": "6.0.1",
        "webpack-dev-server": "5.2.2",
        "workbox-webpack-plugin": "7.3.0",
    },
    imports=("react-dom/server", "typescript", "next", "webpack"),
    large=True,
)

#: 50,000 files of our own making.
NPM_FILES = NpmSet(
    name="npm-files",
    dependencies=dict.fromkeys(npm_made.NAMES, npm_made.VERSION),
    imports=npm_made.NAMES[:3],
    large=True,
    made=npm_made.make,
)

NPM_SETS = (NPM_SMALL, NPM_LARGE, NPM_FILES)
