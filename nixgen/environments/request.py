"""What somebody asks for, before the lock is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from nixgen.environments.freshness import Check


class Request(NamedTuple):
    """An environment of a project's lock, as a user describes it.

    No data class: to import what makes one takes a sixth of the time of a build where nothing has changed.

    Attributes:
        base: the project's directory.
        python: a version that the lock holds, or the path of an interpreter to build with; None takes the lock's first
            version, with the machine's own Python or one that uv manages.
        member: the member of a workspace whose environment it is; None for the root's.
        extras, groups: names of extras and dependency groups to have.
        all_extras, all_groups: whether to have all that the lock holds.
        default_groups: whether to have the lock's default groups.
        libraries: directories of shared libraries that wheels need and the interpreter does not find.
        ignore_libraries: patterns of shared libraries that may be missing.
        settings: settings for Nix by name, as ``--option`` takes them.
        mirrors: from where wheels are fetched in place of the lock's URLs, as ``--mirror`` takes them.
        caches: from where wheels and what is made of them are taken, before it is fetched or made here, as ``--from``
            takes them; where none is named, those of the project's settings.
        trusted_keys: public keys of whom Nix is to believe what caches give, beside its own.
        editable: whether to leave out the project and other packages in its directory, which are installed on top so
            that an edit shows.
        node: a directory with ``bin/node``, whose programs the environment of npm's packages brings; None brings none.
        omit: kinds of npm's packages to leave out: "dev", "optional", "peer".
        npm: whether it is the environment of npm's packages, not the one of Python's.
        mounted: whether its image is to be built, which is mounted, and the environment with it.
        check: what to do where the inputs have changed since the lock was made.
    """

    base: Path
    python: str | None = None
    member: str | None = None
    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    all_extras: bool = False
    all_groups: bool = False
    default_groups: bool = True
    libraries: tuple[Path, ...] = ()
    ignore_libraries: tuple[str, ...] = ()
    settings: Mapping[str, str] = MappingProxyType({})
    mirrors: tuple[str, ...] = ()
    caches: tuple[str, ...] = ()
    trusted_keys: tuple[str, ...] = ()
    editable: bool = False
    node: Path | None = None
    omit: tuple[str, ...] = ()
    npm: bool = False
    mounted: bool = False
    check: Check = "note"

    def __repr__(self) -> str:
        """Return what it says but for URLs, which may carry a login."""
        shown = (f"{name}={value!r}" for name, value in self._asdict().items() if name not in ("mirrors", "caches"))
        return f"Request({', '.join(shown)})"

    @property
    def interpreter(self) -> Path | None:
        """The interpreter to build with, None where only a version is asked for, or none."""
        return Path(self.python) if self.python is not None and "/" in self.python else None
