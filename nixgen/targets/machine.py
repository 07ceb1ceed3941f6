"""What this machine has: its system, its own Python, and any interpreter that is asked what it is."""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nixgen.errors import InputError, UsageError
from nixgen.mistakes import limit
from nixgen.targets.systems import SYSTEMS, nix_system
from nixgen.targets.target import DEFAULT_GLIBC, DEFAULT_MUSL, Target

#: What the machine's own Python must be at least to become the default target.
OLDEST_DEFAULT = (3, 10)

#: Asks an interpreter what it is; kept to what Python 3.8 understands.
_QUESTION = """
import json, platform, struct, sys, sysconfig
def libc():
    try:
        import os
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        return None
print(json.dumps({
    "implementation": platform.python_implementation(),
    "version": platform.python_version(),
    "threads": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
    "platform": sys.platform,
    "machine": platform.machine(),
    "bits": struct.calcsize("P") * 8,
    "libc": libc(),
    "host": sysconfig.get_config_var("HOST_GNU_TYPE"),
    "macos": platform.mac_ver()[0],
    "release": platform.release(),
    "os_version": platform.version(),
}))
"""


def ask_interpreter(path: str | Path) -> Target:
    """Ask an interpreter what it is, and return exactly that target.

    Runs it once, isolated (``-I``).

    Raises:
        InputError: it does not run, is no CPython, or runs on a system nixgen does not know.
    """
    said = _ask(path)
    todo = "give the path of a CPython, or a version such as 3.11"
    if said["implementation"] != "CPython":
        raise InputError(f"the interpreter is {said['implementation']}, no CPython", where=str(path), todo=todo)
    system = nix_system(said["platform"], said["machine"], said["bits"])
    if system is None:
        raise InputError(
            f"the interpreter is for {said['platform']} on {said['machine']}, which nixgen does not know",
            where=str(path),
            todo=f"give one for {', '.join(SYSTEMS)}",
        )
    libc, floor = _libc(said)
    version = said["version"].rstrip("+")  # a build from a checkout calls itself 3.12.0+
    minor = ".".join(version.split(".")[:2])
    return Target(
        python=minor + ("t" if said["threads"] else ""),
        full_version=version,
        system=system,
        libc=libc,
        floor=floor,
        release=said["release"],
        os_version=said["os_version"],
    )


def default_system() -> str:
    """Return this machine's Nix system.

    Raises:
        UsageError: nixgen has no name for it.
    """
    system = nix_system(sys.platform, platform.machine(), 64 if sys.maxsize > 2**32 else 32)
    if system is None:
        raise UsageError(
            f"nixgen does not know this machine's system ({sys.platform} on {platform.machine()})",
            todo=f"name one with --system: {', '.join(SYSTEMS)}",
        )
    return system


def default_python(system_python: str | Path = "/usr/bin/python3") -> str:
    """Return the minor version of ``default_version``."""
    version = default_version(system_python)
    return ".".join(version.split(".")[:2]) + ("t" if version.endswith("t") else "")


def default_version(system_python: str | Path = "/usr/bin/python3") -> str:
    """Return the version to lock for when none is asked for, with its patch level.

    It is that of the machine's own Python where that is a CPython 3.10 or later, else of the running one. The patch
    level counts: pip, which has an interpreter to ask, takes a release that wants 3.11.1 on 3.11.2, and leaves out a
    backport for 3.11.0.
    """
    try:
        target = ask_interpreter(system_python)
    except InputError:
        pass
    else:
        if target.version_info >= OLDEST_DEFAULT:
            return _version(target)
    return _version(ask_interpreter(sys.executable))


def _version(target: Target) -> str:
    return target.full_version + ("t" if target.free_threaded else "")


def _libc(said: Mapping[str, Any]) -> tuple[str, tuple[int, int]]:
    if said["platform"] == "darwin":
        major, minor = [*said["macos"].split("."), "0"][:2]
        return "macos", (int(major), int(minor))
    if match := re.match(r"glibc (\d+)\.(\d+)", said["libc"] or ""):
        return "glibc", (int(match[1]), int(match[2]))
    if "musl" in (said["host"] or ""):
        return "musl", DEFAULT_MUSL
    return "glibc", DEFAULT_GLIBC


def _ask(path: str | Path) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [os.fspath(path), "-I", "-c", _QUESTION],
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "SYSTEM_VERSION_COMPAT": "0"},  # else macOS 11 and later may call itself 10.16
        )
        said: dict[str, Any] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        detail = (getattr(error, "stderr", None) or str(error)).strip()
        raise limit(error) or InputError(
            f"this is no Python interpreter that runs: {detail}",
            where=str(path),
            todo="give the path of a CPython, or a version such as 3.11",
        ) from error
    return said
