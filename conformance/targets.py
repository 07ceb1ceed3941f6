"""What is locked for, as each tool is told of it: spelled without nixgen, which is what is compared."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from dataclasses import dataclass

#: Every set is for these Pythons.
REQUIRES_PYTHON = ">=3.11,<3.14"

#: Their minor versions, each with the patch level that is taken where this machine has another one.
_PYTHONS = {"3.11": "3.11.9", "3.12": "3.12.7", "3.13": "3.13.3"}


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A system.

    Attributes:
        system: Nix's name.
        uv, pdm: their names for it.
        pip: the platform tags that pip is told, best first.
        sys_platform, machine, name: as Python has them.
    """

    system: str
    uv: str
    pdm: str
    pip: Sequence[str]
    sys_platform: str
    machine: str
    name: str


def _linux(machine: str, oldest: int) -> Platform:
    return Platform(
        system=f"{machine}-linux",
        uv=f"{machine}-manylinux_2_35",
        pdm=f"manylinux_2_35_{machine}",
        pip=[*(f"manylinux_2_{minor}_{machine}" for minor in range(35, oldest - 1, -1)), f"manylinux2014_{machine}"],
        sys_platform="linux",
        machine=machine,
        name="Linux",
    )


PLATFORMS = (
    _linux("x86_64", 5),
    _linux("aarch64", 17),
    Platform(
        system="aarch64-darwin",
        uv="aarch64-apple-darwin",
        pdm="macos_14_0_arm64",
        pip=["macosx_14_0_arm64"],
        sys_platform="darwin",
        machine="arm64",
        name="Darwin",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Target:
    """A Python and a system.

    Attributes:
        python: the full version.
        platform: the system.
    """

    python: str
    platform: Platform

    @property
    def minor(self) -> str:
        """The Python without its patch level."""
        return self.python.rpartition(".")[0]

    @property
    def key(self) -> str:
        """What the lock calls it."""
        return f"{self.minor}-{self.platform.system}"

    @property
    def here(self) -> bool:
        """Whether it is what this command runs on."""
        own = (sys.platform, platform.machine())
        return self.python == platform.python_version() and (self.platform.sys_platform, self.platform.machine) == own

    def environment(self) -> dict[str, str]:
        """Return the marker environment (PEP 508), without the release of a kernel that nobody knows."""
        return {
            "implementation_name": "cpython",
            "implementation_version": self.python,
            "os_name": "posix",
            "platform_machine": self.platform.machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": self.platform.name,
            "platform_version": "",
            "python_full_version": self.python,
            "python_version": self.minor,
            "sys_platform": self.platform.sys_platform,
        }


def targets() -> list[Target]:
    """Return the three Pythons on the three systems; of this machine's Python its very version."""
    own = platform.python_version()
    pythons = [own if own.startswith(f"{minor}.") else full for minor, full in _PYTHONS.items()]
    return [Target(python=python, platform=system) for python in pythons for system in PLATFORMS]
