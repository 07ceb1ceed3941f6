"""Whether the Pythons that are locked for are as new as each wheel asks for: of one that is not, no tree is built."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from email.parser import HeaderParser

from packaging.specifiers import InvalidSpecifier, Specifier
from packaging.version import Version

from nixgen.errors import InputError
from nixgen.metadata import find_metadata
from nixgen.model import Selection, WheelIndex
from nixgen.targets import Target


def check_pythons(
    selections: Mapping[str, Selection], targets: Iterable[Target], indexes: Mapping[str, WheelIndex]
) -> None:
    """Do nothing where each target is as new as its wheels ask for (``Requires-Python``, PEP 345).

    uv has compared what it has resolved; a lock of another tool may have anything. Lower bounds count, as when building
    (``nix/builders/requires.py``): that a later Python is ruled out, uv leaves out of account too.

    Args:
        selections: the packages of each target, by its key.
        targets: what they are for.
        indexes: those of the wheels, by file name.

    Raises:
        InputError: it is older; names all wheels and their targets.
    """
    wanted: dict[str, list[Specifier]] = {}
    found = []
    for target in targets:
        for package in selections[target.key].packages:
            filename = package.wheel.filename
            if filename not in wanted:
                index = indexes.get(filename)  # none where nothing is pinned of what a build gives
                wanted[filename] = [] if index is None else list(_lower_bounds(index))
            if not all(bound.contains(Version(target.full_version), prereleases=True) for bound in wanted[filename]):
                asked = ",".join(map(str, wanted[filename]))
                found.append(f"{filename} is for Python {asked}, and {target.full_version} is locked for")
    if found:
        raise InputError(
            found[0] if len(found) == 1 else f"{len(found)} wheels are for later Pythons:\n    " + "\n    ".join(found),
            where="Requires-Python in METADATA",
            todo="lock for a later Python (`nixgen lock --python`), or take a version that is for this one",
        )


def _lower_bounds(index: WheelIndex) -> Iterator[Specifier]:
    content = index.metadata or find_metadata(index)
    head = (content or b"").partition(b"\n\n")[0].decode("utf-8", "replace")
    for clause in HeaderParser().parsestr(head).get("Requires-Python", "").split(","):
        with contextlib.suppress(InvalidSpecifier):
            bound = Specifier(clause.strip())
            if bound.operator in (">=", ">"):
                yield bound
