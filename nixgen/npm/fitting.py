"""Which packages of a lock are for a system; ``nix/platform.nix`` has the same rules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from nixgen.npm.model import NpmLock, NpmPackage


@dataclass(frozen=True, kw_only=True)
class Platform:
    """What npm calls a system: ``process.platform``, ``process.arch``, and the C library where there are several."""

    os: str
    cpu: str
    libc: str | None


_CPUS = {"x86_64": "x64", "aarch64": "arm64", "i686": "ia32", "armv7l": "arm"}


def platform_of(system: str) -> Platform:
    """Return what npm calls a system of Nix's."""
    cpu, _, kernel = system.partition("-")
    return Platform(os=kernel, cpu=_CPUS.get(cpu, cpu), libc="glibc" if kernel == "linux" else None)


def fitting(lock: NpmLock, system: str, omit: Collection[str] = ()) -> list[NpmPackage]:
    """Return the packages that an environment has: those that run on a system, and are not omitted.

    Args:
        lock: the section of the lock.
        system: of Nix's.
        omit: "dev", "optional" and "peer", as npm's ``--omit`` takes them.
    """
    platform = platform_of(system)
    unfit = [package for package in lock.packages if not _runs_on(package, platform)]
    gone = {package.at for package in unfit}.union(*(package.drops for package in unfit))
    while more := {
        one.at for one in lock.packages if one.at not in gone and one.serves and gone.issuperset(one.serves)
    }:
        gone |= more
    return [package for package in lock.packages if package.at not in gone and not _is_omitted(package, omit)]


def _runs_on(package: NpmPackage, platform: Platform) -> bool:
    said = ((package.os, platform.os), (package.cpu, platform.cpu), (package.libc, platform.libc))
    return all(_admits(value, listed) for listed, value in said if listed)


def _admits(value: str | None, listed: Collection[str]) -> bool:
    """Tell it as npm's ``checkList`` (npm-install-checks): none with "!", and one of the others if there are any."""
    if tuple(listed) == ("any",):
        return value is not None
    wanted = [entry for entry in listed if not entry.startswith("!")]
    return value is not None and f"!{value}" not in listed and (not wanted or value in wanted)


def _is_omitted(package: NpmPackage, omit: Collection[str]) -> bool:
    return (
        ("dev" in omit and package.dev)
        or ("optional" in omit and package.optional)
        or ("dev" in omit and "optional" in omit and package.dev_optional)
        or ("peer" in omit and package.peer)
    )
