"""A failed build of a source, as a user gets it: what it lacks, what to add, and the end of what its tools said."""

from __future__ import annotations

import os.path
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from nixgen.errors import BuildError, NixError
from nixgen.model import LockedPackage

#: What the builder says (nix/builders/wheel.py).
_FAILED = re.compile(
    r"^[ >]*nixgen: (?P<what>(?P<name>\S+) \S* ?cannot be built: [^\n]+(?:\n[ >]+[^\n]+ is missing)*)"
    r"\n[ >]*where: (?P<where>[^\n]+)\n[ >]*what to do: (?P<todo>[^\n]+)$",
    re.MULTILINE,
)

#: What Nix says around the messages of a build.
_OF_NIX = re.compile(r"\s*(?:building '/|nix-build failed|th(?:is|ese) .*derivations? will be |/\S+\.drv$)")

#: How many lines of a build are shown.
_SHOWN = 20


def places_of(packages: Iterable[LockedPackage], base: Path) -> dict[str, str]:
    """Return where the sources of some packages are, as the user knows them, by the packages' names.

    Args:
        packages: of a lock; those that have no source are passed over.
        base: the directory of the lock.
    """
    found = {}
    for package in packages:
        if (source := package.wheel.source) is not None:
            local = source.directory or source.path
            found[package.name] = source.place if local is None else os.path.normpath(base.absolute() / local)
    return found


def explained(error: NixError, places: Mapping[str, str]) -> NixError:
    """Return the error of failed builds of sources, all of them at once; any other error as it is.

    Args:
        error: what Nix said.
        places: as ``places_of`` has them: what was built is a copy in the store.
    """
    failures = {match["what"]: match for match in reversed(list(_FAILED.finditer(error.what)))}
    if not failures:
        return error
    matches = list(reversed(failures.values()))
    before = error.what[: min(match.start() for match in matches)].splitlines()
    lines = [line.strip() for line in before if line.strip() and not _OF_NIX.match(line)]
    shown = "".join(f"\n    | {line}" for line in lines[-_SHOWN:])
    what = "\n".join(re.sub(r"\n[ >]+", "\n    ", match["what"]) for match in matches)
    return BuildError(
        what + (f"\n  the end of its messages:{shown}" if shown else ""),
        where=", ".join(_where(match["where"], places.get(match["name"])) for match in matches),
        todo="; ".join(dict.fromkeys(match["todo"] for match in matches)),
    )


def _where(copy: str, place: str | None) -> str:
    return copy if place is None else f"{place} (built of its copy {copy})"
