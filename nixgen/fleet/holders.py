"""Which locks hold a version of a package."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from nixgen.comparison.sizes import Kind
from nixgen.errors import UsageError
from nixgen.fleet.fleet import Fleet, FleetArchive
from nixgen.fleet.versions import in_order
from nixgen.npm import versions as npm
from nixgen.npm.ranges import Range

#: A package of npm and a range, as npm writes them.
_OF_NPM = re.compile(r"\s*(?P<name>(?:@[\w.~-]+/)?[\w.~-]+)@(?P<range>(?!\s*[\w+.-]+:).*)")

#: The name of a package of npm that has a scope, which no requirement of Python has.
_SCOPED = re.compile(r"\s*(?P<name>@[\w.~-]+/[\w.~-]+)(?P<clauses>.*)")


@dataclass(frozen=True, kw_only=True)
class Holder:
    """A lock that holds what was asked for.

    Attributes:
        path: the lock's.
        name: the package.
        kind: whose it is.
        versions: those that it holds and that were asked for, the oldest first.
        targets: the keys of the targets that have one of them; none where only builds need it, and of npm's.
        places: where one of them lies in ``node_modules``; none where only other systems than this need it.
    """

    path: str
    name: str
    kind: Kind
    versions: tuple[str, ...]
    targets: tuple[str, ...]
    places: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Question:
    """A package, of Python or of npm, and which versions of it.

    Attributes:
        name: as it was asked for.
        clauses: what the versions fit.
        range: the same as npm writes it, for packages of npm alone; None where it is asked otherwise.
    """

    name: str
    clauses: SpecifierSet = SpecifierSet()  # noqa: RUF009 - nobody changes it
    range: Range | None = None

    def fits(self, archive: FleetArchive) -> bool:
        """Tell whether an archive is one of these.

        Pre-releases and local versions count as the versions that they are; what is no version is held by the name
        alone.
        """
        if self.range is not None:
            return archive.kind == "npm" and archive.name == self.name and self.range.holds(archive.version)
        if archive.kind == "npm":
            return archive.name == self.name and all(
                npm.fits(archive.version, clause.operator, clause.version) for clause in self.clauses
            )
        if archive.name != canonicalize_name(self.name):
            return False
        try:
            return self.clauses.contains(archive.version, prereleases=True)
        except ValueError:  # InvalidVersion, and numbers with more digits than Python reads
            return not self.clauses


def parse_question(text: str) -> Question:
    """Read what is asked for: a name, of npm with its scope, and which versions; or as npm writes it.

    Raises:
        UsageError: it is something else.
    """
    if of_npm := _OF_NPM.fullmatch(text):
        try:
            return Question(name=of_npm["name"], range=Range.parse(of_npm["range"]))
        except ValueError as error:
            raise UsageError(f"{text!r} does not say a package and versions: {error}", todo=_EXAMPLE) from None
    scoped = _SCOPED.fullmatch(text)
    if scoped is None:
        requirement = parse_requirement(text)
        return Question(name=requirement.name, clauses=requirement.specifier)
    try:
        return Question(name=scoped["name"], clauses=SpecifierSet(scoped["clauses"]))
    except InvalidSpecifier as error:
        raise UsageError(f"{text!r} does not say a package and versions: {error}", todo=_EXAMPLE) from None


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


_EXAMPLE = "write it such as 'urllib3<2.6' or 'urllib3==2.5.*', or as npm does: 'semver@^7.5 || <6'"


def holders(fleet: Fleet, questions: Iterable[Question]) -> list[Holder]:
    """Return the locks that hold what any of some questions names, in the order of the locks."""
    found = []
    for question in questions:
        fitting = {number: archive for number, archive in enumerate(fleet.archives) if question.fits(archive)}
        for place, lock in enumerate(fleet.locks):
            for kind in ("python", "npm"):
                held = [number for number in lock.archives if number in fitting and fitting[number].kind == kind]
                if held:
                    keys = {key for number in held for key in lock.archives[number]}
                    holder = Holder(
                        path=lock.path,
                        name=fitting[held[0]].name,
                        kind=fitting[held[0]].kind,
                        versions=in_order({fitting[number].version for number in held}, fitting[held[0]].kind),
                        targets=tuple(key for key in lock.targets if key in keys) if kind == "python" else (),
                        places=tuple(sorted(keys)) if kind == "npm" else (),
                    )
                    found.append((place, holder))
    return [holder for _, holder in sorted(found, key=lambda one: (one[0], one[1].name, one[1].kind))]
