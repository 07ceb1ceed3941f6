"""What may be wrong with something that nixgen has in the store, and how that is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What is wrong."""

    ALTERED = "altered"
    MISSING = "missing"
    EXTRA = "extra"
    MODE = "mode"
    UNREGISTERED = "unregistered"
    REFERENCE = "reference"


#: Each kind in words.
WORDS = {
    Kind.ALTERED: "its content is another",
    Kind.MISSING: "it is not there",
    Kind.EXTRA: "it does not belong there",
    Kind.MODE: "its mode is not one that the store gives",
    Kind.UNREGISTERED: "Nix's database does not have it",
    Kind.REFERENCE: "Nix's database does not say that it needs another path",
}


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        kind: what is wrong.
        what: with what: ``leaf``, ``index``, ``tree``, ``program``, ``archive`` or ``package`` of npm, ``environment``,
            ``image``, or ``path`` for another store path that an environment needs.
        path: its store path.
        package: name and version of the package that it belongs to, "" for none or several.
        file: the file: for a leaf its path in the wheel, else its path below the store path; "" for all of it or where
            that cannot be told.
        detail: more in words, "" for none.
    """

    kind: Kind
    what: str
    path: str
    package: str = ""
    file: str = ""
    detail: str = ""

    def __str__(self) -> str:
        place = ": ".join(part for part in (self.package, self.file) if part)
        lines = [f"{self.what} {self.path}", *([place] if place else []), self.detail or WORDS[self.kind]]
        return "\n  ".join([f"{self.kind}: {lines[0]}", *lines[1:]])


@dataclass(kw_only=True)
class Report:
    """What a verification found.

    Attributes:
        environment: the store path of the environment, None where it is not built, cannot be told, or all are meant.
        leaves: how many leaves were compared, indexes among them.
        paths: how many other store paths: trees, programs, environments and what else they need.
        read: bytes of files that were read.
        absent: how many leaves the store lacks where nothing needs them yet: they are no findings.
        findings: what is wrong.
        repaired: what was wrong, and is so no longer.
        problems: what stood in the way of a repair, or of a closer look; one line each.
    """

    environment: str | None = None
    leaves: int = 0
    paths: int = 0
    read: int = 0
    absent: int = 0
    findings: list[Finding] = field(default_factory=list)
    repaired: list[Finding] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
