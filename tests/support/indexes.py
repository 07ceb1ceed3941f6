"""Indexes and locks as values, for what needs no wheel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nixgen.lock import Lock, TargetLock
from nixgen.model import (
    ALWAYS,
    Clause,
    LockedPackage,
    LockedWheel,
    Overrides,
    WheelFile,
    WheelIndex,
    WheelSource,
)
from nixgen.targets import Target
from nixgen.wheels.text import index_hash
from tests.support.wheels import nix_sha256

LINUX = Target.parse("3.11", "x86_64-linux")
DARWIN = Target.parse("3.11", "aarch64-darwin")


def make_index(
    name: str,
    files: Mapping[str, str] | None = None,
    *,
    version: str = "1.0",
    console: Mapping[str, str] | None = None,
    gui: Mapping[str, str] | None = None,
    executable: Iterable[str] = (),
    place: Mapping[str, str] | None = None,
) -> WheelIndex:
    """Make the index of a wheel whose files have these contents; METADATA and RECORD join them."""
    stem = f"{name.replace('-', '_')}-{version}"
    filename = f"{stem}-py3-none-any.whl"
    contents = {
        **({f"{name}.py": f"name = {name!r}\n"} if files is None else files),
        f"{stem}.dist-info/METADATA": f"Name: {name}\n",
        f"{stem}.dist-info/RECORD": f"{name}\n",
    }
    return WheelIndex(
        source=WheelSource(
            filename=filename,
            sha256=f"{len(filename):064x}",
            size=1000,
            **(place or {"url": f"https://example.invalid/{filename}"}),
        ),
        name=name,
        dist_info=f"{stem}.dist-info",
        data_dir=f"{stem}.data" if any(path.startswith(f"{stem}.data/") for path in contents) else None,
        files={
            path: WheelFile(
                sha256=nix_sha256(contents[path]),
                size=len(contents[path]),
                executable=path in set(executable),
            )
            for path in sorted(contents)
        },
        console_scripts=console or {},
        gui_scripts=gui or {},
    )


def locked(index: WheelIndex, *when: Clause) -> LockedPackage:
    """Return an index as a package of a target, wanted always or by these clauses."""
    version = index.source.filename.split("-")[1]
    return LockedPackage(name=index.name, version=version, wheel=index.source, when=when or ALWAYS)


def locked_wheel(index: WheelIndex, overrides: Overrides | None = None) -> LockedWheel:
    """Return what a lock says of a wheel with this index."""
    return LockedWheel(
        source=index.source, name=index.name, index=index_hash(index), overrides=overrides or Overrides()
    )


def make_lock(*indexes: WheelIndex, target: Target = LINUX, prefer: Mapping[str, str] | None = None) -> Lock:
    """Return the lock of a target that always has these wheels."""
    packages = tuple(locked(index) for index in sorted(indexes, key=lambda index: index.name))
    return Lock(
        targets=(TargetLock(target=target, packages=packages, prefer=prefer or {}),),
        wheels={index.source.filename: locked_wheel(index) for index in indexes},
    )
