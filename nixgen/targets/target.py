"""What a wheel must fit: a Python and a system, and the marker environment there.

Nothing here looks at the running interpreter, so that two machines lock the same target to the same bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nixgen.errors import UsageError
from nixgen.targets.systems import SYSTEMS

if TYPE_CHECKING:
    # Imported where it is used: a build of an unchanged lock compares no markers.
    from packaging.markers import Environment

#: The glibc a Linux target has unless it is told otherwise: that of Ubuntu 22.04, the oldest Debian or Ubuntu
#: with a Python 3.10 (Debian 12 has 2.36, nixpkgs 2.35 or later since 22.11). Fixed: machines lock the same.
DEFAULT_GLIBC = (2, 35)

#: The musl of every distribution with musl and a Python we know (Alpine since 3.13).
DEFAULT_MUSL = (1, 2)

#: The macOS a Darwin target has unless it is told otherwise; fixed for the same reason.
DEFAULT_MACOS = (14, 0)

_OLDEST = (3, 8)
_KNOWN = "3.10, 3.11, 3.12, 3.13, 3.13t, 3.14, 3.14t"

#: The only major version of a libc, where it has one, and an example of a version that a user may name.
_MAJOR = {"glibc": "2", "musl": "1"}
_EXAMPLE = {"glibc": "2.28", "musl": "1.2", "macos": "13.0"}

_VERSION = re.compile(r"(?P<minor>3\.\d+)(?P<patch>\.\d+(?:(?:a|b|rc)\d+)?)?(?P<threads>t?)")


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


def _floor(text: str, libc: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)(?:\.(\d+))?", text)
    if match is None or match[1] != _MAJOR.get(libc, match[1]):
        raise UsageError(
            f"{text!r} is no version of {libc}", where=f"--{libc}", todo=f"give one such as {_EXAMPLE[libc]}"
        )
    return int(match[1]), int(match[2] or 0)
