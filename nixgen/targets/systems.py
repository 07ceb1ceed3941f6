"""The systems that can be locked for, and what Nix and Python call them."""

from __future__ import annotations

from collections.abc import Mapping

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


def nix_system(sys_platform: str, machine: str, bits: int) -> str | None:
    """Return the Nix system of a Python, None where nixgen knows no such system.

    Args:
        sys_platform: its ``sys.platform``.
        machine: its ``platform.machine()``: the kernel's word, whatever the Python is.
        bits: of its pointers.
    """
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
