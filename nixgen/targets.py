"""What a wheel must fit: a Python and a system, as tags and as a marker environment.

Nothing here looks at the running interpreter, so that two machines lock the same target to the same bytes.
Only :meth:`Target.from_interpreter` and the two ``default_*`` functions ask the machine.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixgen.errors import InputError, UsageError

if TYPE_CHECKING:
    # Imported where it is used: a build of an unchanged lock compares no tags (15 of its 250 ms).
    from packaging.markers import Environment
    from packaging.tags import Tag

#: Nix system to what Python calls it: ``sys.platform`` and ``platform.machine()``.
SYSTEMS: Mapping[str, tuple[str, str]] = {
    "x86_64-linux": ("linux", "x86_64"),
    "aarch64-linux": ("linux", "aarch64"),
    "i686-linux": ("linux", "i686"),
    "armv7l-linux": ("linux", "armv7l"),
    "riscv64-linux": ("linux", "riscv64"),
    "powerpc64le-linux": ("linux", "ppc64le"),
    "x86_64-darwin": ("darwin", "x86_64"),
    "aarch64-darwin": ("darwin", "arm64"),
}

#: The glibc a Linux target has unless it is told otherwise: that of Ubuntu 22.04, the oldest Debian or Ubuntu
#: with a Python 3.10 (Debian 12 has 2.36, nixpkgs 2.35 or later since 22.11). Fixed: machines lock the same.
DEFAULT_GLIBC = (2, 35)

#: The musl of every distribution with musl and a Python we know (Alpine since 3.13).
DEFAULT_MUSL = (1, 2)

#: The macOS a Darwin target has unless it is told otherwise; fixed for the same reason.
DEFAULT_MACOS = (14, 0)

#: What the machine's own Python must be at least to become the default target.
OLDEST_DEFAULT = (3, 10)
_OLDEST = (3, 8)
_KNOWN = "3.10, 3.11, 3.12, 3.13, 3.13t, 3.14, 3.14t"

#: The only major version of a libc, where it has one, and an example of a version that a user may name.
_MAJOR = {"glibc": "2", "musl": "1"}
_EXAMPLE = {"glibc": "2.28", "musl": "1.2", "macos": "13.0"}

#: The manylinux names from before PEP 600, by glibc version (PEP 513, 571, 599).
_LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}

_VERSION = re.compile(r"(?P<minor>3\.\d+)(?P<patch>\.\d+(?:(?:a|b|rc)\d+)?)?(?P<threads>t?)")

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


@dataclass(frozen=True, kw_only=True)
class Target:
    """A Python version and a system.

    Attributes:
        python: minor version, with a ``t`` for the free-threaded build (``3.11``, ``3.13t``).
        full_version: version with patch level; where only a minor version was asked for the lowest patch, as
            uv has it: a backport too many does no harm, a missing one does.
        system: the Nix system.
        libc: ``glibc``, ``musl`` or ``macos``.
        floor: the newest version of that which wheels may ask for.
        release: ``platform.release()`` where the target is one known machine, else empty, as uv has it when
            it resolves for another platform.
        os_version: ``platform.version()`` likewise.
    """

    python: str
    full_version: str
    system: str
    libc: str
    floor: tuple[int, int]
    release: str = ""
    os_version: str = ""

    @classmethod
    def parse(
        cls, python: str, system: str, *, glibc: str | None = None, musl: str | None = None, macos: str | None = None
    ) -> Target:
        """Read a Python version and a Nix system as a user writes them.

        Args:
            python: ``3.11``, ``3.11.7``, ``3.13t``, ``3.15.0a2``.
            system: a key of ``SYSTEMS``.
            glibc: newest glibc that wheels for Linux may ask for (``2.28``).
            musl: newest musl that they may ask for (``1.2``), where Linux is to have musl instead of glibc.
            macos: newest macOS that wheels for Darwin may ask for (``13.0``).

        Raises:
            UsageError: one of them is not understood; says what is possible.
        """
        match = _VERSION.fullmatch(python)
        if match is None:
            raise UsageError(
                f"{python!r} is not a Python version that nixgen knows",
                where="--python",
                todo=f"give one of {_KNOWN}, a full version such as 3.11.7, or the path of an interpreter",
            )
        minor = (3, int(match["minor"].partition(".")[2]))
        if minor < _OLDEST:
            raise UsageError(
                f"Python {python} is too old", where="--python", todo=f"give one of {_KNOWN}, or a later one"
            )
        if match["threads"] and minor < (3, 13):
            raise UsageError(
                f"there is no free-threaded Python {match['minor']}",
                where="--python",
                todo="give 3.13t or a later one, or leave the t away",
            )
        if system not in SYSTEMS:
            raise UsageError(
                f"{system!r} is not a system that nixgen knows",
                where="--system",
                todo=f"give one of {', '.join(SYSTEMS)}",
            )
        if glibc is not None and musl is not None:
            raise UsageError("--glibc and --musl contradict each other", todo="give one of them")
        if SYSTEMS[system][0] == "darwin":
            libc, given, default = "macos", macos, DEFAULT_MACOS
        elif musl is not None:
            libc, given, default = "musl", musl, DEFAULT_MUSL
        else:
            libc, given, default = "glibc", glibc, DEFAULT_GLIBC
        return cls(
            python=match["minor"] + match["threads"],
            full_version=match["minor"] + (match["patch"] or ".0"),
            system=system,
            libc=libc,
            floor=default if given is None else _floor(given, libc),
        )

    @classmethod
    def from_interpreter(cls, path: str | Path) -> Target:
        """Ask an interpreter what it is, and return exactly that target.

        Runs it once, isolated (``-I``).

        Raises:
            InputError: it does not run, is no CPython, or runs on a system nixgen does not know.
        """
        said = _ask(path)
        todo = "give the path of a CPython, or a version such as 3.11"
        if said["implementation"] != "CPython":
            raise InputError(f"the interpreter is {said['implementation']}, no CPython", where=str(path), todo=todo)
        system = _system(said["platform"], said["machine"], said["bits"])
        if system is None:
            raise InputError(
                f"the interpreter is for {said['platform']} on {said['machine']}, which nixgen does not know",
                where=str(path),
                todo=f"give one for {', '.join(SYSTEMS)}",
            )
        libc, floor = _libc(said)
        version = said["version"].rstrip("+")  # a build from a checkout calls itself 3.12.0+
        minor = ".".join(version.split(".")[:2])
        return cls(
            python=minor + ("t" if said["threads"] else ""),
            full_version=version,
            system=system,
            libc=libc,
            floor=floor,
            release=said["release"],
            os_version=said["os_version"],
        )

    @property
    def key(self) -> str:
        """Name the target in a lock: ``3.11-x86_64-linux``."""
        return f"{self.python}-{self.system}"

    @property
    def version_info(self) -> tuple[int, int]:
        """Return major and minor version."""
        major, minor = self.python.rstrip("t").split(".")
        return int(major), int(minor)

    @property
    def free_threaded(self) -> bool:
        """Tell whether it is the build without the global interpreter lock (PEP 703)."""
        return self.python.endswith("t")

    def platforms(self) -> list[str]:
        """Return the platform tags that fit, best first (PEP 425, 600, 656)."""
        sys_platform, machine = SYSTEMS[self.system]
        if sys_platform == "darwin":
            from packaging.tags import mac_platforms

            return list(mac_platforms(self.floor, machine))
        return [f"linux_{machine}", *_linux_platforms(machine, self.libc, self.floor)]

    def tags(self) -> list[Tag]:
        """Return the wheel tags that fit, best first, in the order of ``packaging.tags.sys_tags()`` there."""
        return list(_tags(self))

    def environment(self) -> Environment:
        """Return the whole marker environment (PEP 508)."""
        sys_platform, machine = SYSTEMS[self.system]
        return {
            "implementation_name": "cpython",
            "implementation_version": self.full_version,
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": self.release,
            "platform_system": {"linux": "Linux", "darwin": "Darwin"}[sys_platform],
            "platform_version": self.os_version,
            "python_full_version": self.full_version,
            "python_version": self.python.rstrip("t"),
            "sys_platform": sys_platform,
        }

    def __str__(self) -> str:
        """Name the target in a message."""
        return f"Python {self.full_version}{'t' if self.free_threaded else ''} on {self.system}"


def default_system() -> str:
    """Return this machine's Nix system.

    Raises:
        UsageError: nixgen has no name for it.
    """
    system = _system(sys.platform, platform.machine(), 64 if sys.maxsize > 2**32 else 32)
    if system is None:
        raise UsageError(
            f"nixgen does not know this machine's system ({sys.platform} on {platform.machine()})",
            todo=f"name one with --system: {', '.join(SYSTEMS)}",
        )
    return system


def default_python(system_python: str | Path = "/usr/bin/python3") -> str:
    """Return the minor version to lock for when none is asked for.

    It is that of the machine's own Python where that is a CPython 3.10 or later, else of the running one.
    """
    try:
        target = Target.from_interpreter(system_python)
    except InputError:
        pass
    else:
        if target.version_info >= OLDEST_DEFAULT:
            return target.python
    return Target.from_interpreter(sys.executable).python


@functools.cache
def _tags(target: Target) -> tuple[Tag, ...]:
    from packaging.tags import compatible_tags, cpython_tags

    major, minor = target.version_info
    interpreter = f"cp{major}{minor}"
    platforms = target.platforms()
    abi = interpreter + ("t" if target.free_threaded else "")
    return (
        *cpython_tags((major, minor), [abi], platforms),
        *compatible_tags((major, minor), interpreter, platforms),
    )


def _linux_platforms(machine: str, libc: str, floor: tuple[int, int]) -> Iterator[str]:
    """Yield the platform tags of a libc, newest first; ``packaging`` has only this machine's."""
    if libc == "musl":
        for minor in range(floor[1], -1, -1):
            yield f"musllinux_{floor[0]}_{minor}_{machine}"
        return
    # PEP 600 starts at glibc 2.17, the names before it know x86 down to 2.5.
    oldest = 5 if machine in {"x86_64", "i686"} else 17
    for minor in range(floor[1], oldest - 1, -1):
        yield f"manylinux_{floor[0]}_{minor}_{machine}"
        if legacy := _LEGACY_MANYLINUX.get((floor[0], minor)):
            yield f"{legacy}_{machine}"


def _floor(text: str, libc: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:\.(\d+))?", text)
    if match is None or match[1] != _MAJOR.get(libc, match[1]):
        raise UsageError(
            f"{text!r} is no version of {libc}", where=f"--{libc}", todo=f"give one such as {_EXAMPLE[libc]}"
        )
    return int(match[1]), int(match[2] or 0)


def _system(sys_platform: str, machine: str, bits: int) -> str | None:
    machine = {"arm64": "aarch64", "amd64": "x86_64", "ppc64le": "powerpc64le"}.get(machine.lower(), machine)
    if bits == 32:  # a 32-bit Python on a 64-bit kernel
        machine = {
            "x86_64": "i686",
            "i386": "i686",
            "i586": "i686",
            "aarch64": "armv7l",
            "armv8l": "armv7l",
        }.get(machine, machine)
    system = f"{machine}-{sys_platform}"
    return system if system in SYSTEMS else None


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
        raise InputError(
            f"this is no Python interpreter that runs: {detail}",
            where=str(path),
            todo="give the path of a CPython, or a version such as 3.11",
        ) from error
    return said
