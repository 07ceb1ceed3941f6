"""Node.js and npm for the tests: the machine's, else those of a wheel of PyPI."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]

#: The pnpm that is tried: it runs on Node.js 18 and newer.
_PNPM = "pnpm@10.34.9"

#: npm 9 and newer write what is looked at here.
_OLDEST = 9


@functools.cache
def node_programs() -> Path:
    """Return a directory with ``node`` and ``npm``."""
    found = shutil.which("npm")
    if found is not None and shutil.which("node") is not None:
        done = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
        if done.returncode == 0 and int(done.stdout.partition(".")[0]) >= _OLDEST:
            return Path(found).parent
    directory = _ROOT / ".cache" / "tools"
    done = subprocess.run([_ROOT / "script" / "python-tools", directory, "node"], capture_output=True, text=True)
    assert done.returncode == 0, f"script/python-tools failed; it needs PyPI:\n{done.stderr}"
    return directory / "node" / "bin"


def with_node() -> dict[str, str]:
    """Return this process' environment with Node.js on PATH, as programs of packages look for it."""
    return {**os.environ, "PATH": f"{node_programs()}{os.pathsep}{os.environ['PATH']}"}


def node_environment(home: Path, **more: str) -> dict[str, str]:
    """Return the environment of a Node.js program that meets no user's settings; those of the machine it does.

    Args:
        home: the directory that stands for a user's; made where it is not there.
        more: variables beside.
    """
    home.mkdir(exist_ok=True, parents=True)
    kept = {key: value for key, value in os.environ.items() if not key.lower().startswith(("npm_", "node_"))}
    return {
        **kept,
        "PATH": with_node()["PATH"],
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "npm_config_cache": str(home / "npm"),
        "npm_config_omit_lockfile_registry_resolved": "false",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_update_notifier": "false",
        "npm_config_fetch_retries": "0",
        "NO_COLOR": "1",
        **more,
    }


def node(*arguments: str | Path, directory: Path, home: Path, **more: str) -> str:
    """Run Node.js, and return what it prints."""
    return _run("node", arguments, directory, node_environment(home, **more))


def npm(*arguments: str | Path, directory: Path, home: Path, **more: str) -> str:
    """Run npm, and return what it prints."""
    return _run("npm", arguments, directory, node_environment(home, **more))


@functools.cache
def pnpm_program() -> Path:
    """Return the program of a pnpm that npm has put beside the other tools of the tests; Node.js runs it."""
    directory = _ROOT / ".cache" / "tools" / "pnpm"
    program = directory / "node_modules" / "pnpm" / "bin" / "pnpm.cjs"
    if not program.exists():
        directory.mkdir(parents=True, exist_ok=True)
        # With the machine's own settings of npm, which say how its registry is reached.
        _run("npm", ("install", "--ignore-scripts", "--prefix", directory, _PNPM), directory, with_node())
    return program


def npm_library(name: str) -> Path:
    """Return the directory of a package that npm has itself, such as ``@npmcli/arborist``."""
    real = (node_programs() / "npm").resolve()
    for above in real.parents:
        for found in (above / "node_modules" / name, above / "lib/node_modules/npm/node_modules" / name):
            if found.is_dir():
                return found
    raise AssertionError(f"npm has no {name} above {real}")


def _run(program: str, arguments: tuple[str | Path, ...], directory: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [node_programs() / program, *arguments],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, f"{program} {' '.join(map(str, arguments))}:\n{done.stdout}\n{done.stderr}"
    return done.stdout
