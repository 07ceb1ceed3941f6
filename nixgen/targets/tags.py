"""Which wheels fit a target: their tags, best first (PEP 425, 513, 571, 599, 600, 656)."""

from __future__ import annotations

import functools
from collections.abc import Iterator

from packaging.tags import Tag, compatible_tags, cpython_tags, mac_platforms

from nixgen.targets.systems import SYSTEMS
from nixgen.targets.target import Target

#: The manylinux names from before PEP 600, by glibc version (PEP 513, 571, 599).
_LEGACY_MANYLINUX = {(2, 17): "manylinux2014", (2, 12): "manylinux2010", (2, 5): "manylinux1"}


@functools.cache
def tags(target: Target) -> tuple[Tag, ...]:
    """Return the wheel tags that fit a target, best first, in the order of ``packaging.tags.sys_tags()`` there."""
    major, minor = target.version_info
    interpreter = f"cp{major}{minor}"
    fitting = platforms(target)
    abi = interpreter + ("t" if target.free_threaded else "")
    return (
        *cpython_tags((major, minor), [abi], fitting),
        *compatible_tags((major, minor), interpreter, fitting),
    )


def platforms(target: Target) -> list[str]:
    """Return the platform tags that fit a target, best first."""
    sys_platform, machine = SYSTEMS[target.system]
    if sys_platform == "darwin":
        return list(mac_platforms(target.floor, machine))
    return [f"linux_{machine}", *_linux_platforms(machine, target.libc, target.floor)]


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
