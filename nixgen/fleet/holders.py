"""Which locks hold a version of a package."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixgen.errors import UsageError
from nixgen.fleet.fleet import Fleet
from nixgen.fleet.versions import in_order


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A lock that holds what was asked for.

    Attributes:
        path: the lock's.
        name: the package.
        versions: those that it holds and that were asked for, the oldest first.
        targets: the keys of the targets that have one of them; none where only builds need it.
    """

    path: str
    name: str
    versions: tuple[str, ...]
    targets: tuple[str, ...]


def parse_requirement(text: str) -> Requirement:
    """Read what is asked for: a name and which versions.

    Raises:
        UsageError: it is something else.
    """
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(
            f"{text!r} does not say a package and versions: {str(error).splitlines()[0]}", todo=_EXAMPLE
        ) from None
    if requirement.extras or requirement.marker or requirement.url:
        raise UsageError(f"{text!r} says more than a package and versions", todo=_EXAMPLE)
    return requirement


_EXAMPLE = "write it such as 'urllib3<2.6' or 'urllib3==2.5.*'"


def holders(fleet: Fleet, requirements: Iterable[Requirement]) -> list[Holder]:
    """Return the locks that hold what any of some requirements names, in the order of the locks.

    Pre-releases and local versions count as the versions that they are; what is no version of PEP 440 is held by the
    name alone.
    """
    found = []
    for requirement in requirements:
        name = canonicalize_name(requirement.name)
        numbers = {
            number: wheel.version
            for number, wheel in enumerate(fleet.wheels)
            if wheel.name == name and _fits(requirement, wheel.version)
        }
        for place, lock in enumerate(fleet.locks):
            held = [number for number in lock.wheels if number in numbers]
            if held:
                keys = {key for number in held for key in lock.wheels[number]}
                holder = Holder(
                    path=lock.path,
                    name=name,
                    versions=in_order({numbers[number] for number in held}),
                    targets=tuple(key for key in lock.targets if key in keys),
                )
                found.append((place, holder))
    return [holder for _, holder in sorted(found, key=lambda one: (one[0], one[1].name))]


def _fits(requirement: Requirement, version: str) -> bool:
    try:
        return requirement.specifier.contains(version, prereleases=True)
    except ValueError:  # InvalidVersion, and numbers with more digits than Python reads
        return not requirement.specifier
