"""A package's row on the page, of a result or read off a page that was written before."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from corpus.result import DEFECT, DIFFERS, NOTE, UPSTREAM, Result
from corpus.tables import cells

#: The columns of the table, where nothing is a copy, and where files are.
HEAD = ("package", "version", "wheels", "files", "pip", "nixgen", "of", "remarks")
HEAD_WITH_COPIES = (*HEAD[:-1], "copies", HEAD[-1])

#: What the page says of probes, by their verdict, in its order.
WORDS = {
    DEFECT: "**defect**",
    UPSTREAM: "fails under both",
    NOTE: "fails under pip only",
    DIFFERS: "prints different text",
}

#: How many probes a remark names.
_NAMED = 3

_REMARK = re.compile(r"(?P<words>[^:;]+): (?P<names>`[^`]+`(?:, `[^`]+`)*)(?: and (?P<more>\d+) more)?(?:; |$)")


@dataclass(frozen=True, kw_only=True)
class Row:
    """What the table of packages says of one whose environments have been compared.

    Attributes:
        package, version: which.
        wheels, files: what it needs, with itself.
        pip, nixgen: how many probes passed.
        probes: how many there were.
        verdicts: how many of them were not equal, by verdict.
        remarks: which.
        copies: what of it are copies, by reason.
    """

    package: str
    version: str
    wheels: int
    files: int
    pip: int
    nixgen: int
    probes: int
    verdicts: Mapping[str, int]
    remarks: str
    copies: str = ""

    @property
    def key(self) -> str:
        """Which package it is of."""
        return self.package

    @classmethod
    def of(cls, result: Result, copies: str = "") -> Row:
        """Return the row of a result, and of what are copies there."""
        named = {
            verdict: [one.probe for one in result.compared if one.verdict == verdict]
            for verdict in WORDS
            if any(one.verdict == verdict for one in result.compared)
        }
        return cls(
            package=result.name,
            version=result.version,
            wheels=len(result.trees),
            files=sum(tree.files for tree in result.trees),
            pip=sum(one.peer.status == "pass" for one in result.compared),
            nixgen=sum(one.nixgen.status == "pass" for one in result.compared),
            probes=len(result.compared),
            verdicts={verdict: len(names) for verdict, names in named.items()},
            remarks="; ".join(f"{WORDS[verdict]}: {_listed(names)}" for verdict, names in named.items()),
            copies=copies,
        )

    def cells(self, head: Sequence[str]) -> list[str]:
        """Return it as a table with one of the heads has it."""
        counts = map(str, (self.pip, self.nixgen, self.probes))
        copies = [self.copies] if head == HEAD_WITH_COPIES else []
        return [self.package, self.version, str(self.wheels), f"{self.files:,}", *counts, *copies, self.remarks]


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:_NAMED]) + more


def rows_of(text: str) -> list[Row]:
    """Return the rows of a page, in its order."""
    with_copies = [(*row[:-2], row[-1], row[-2]) for row in cells(text, HEAD_WITH_COPIES)]
    return [
        Row(
            package=package,
            version=version,
            wheels=int(wheels),
            files=int(files.replace(",", "")),
            pip=int(pip),
            nixgen=int(nixgen),
            probes=int(probes),
            verdicts=_verdicts(remarks),
            remarks=remarks,
            copies=copies,
        )
        for package, version, wheels, files, pip, nixgen, probes, remarks, copies in (
            with_copies or [(*row, "") for row in cells(text, HEAD)]
        )
    ]


def _verdicts(remarks: str) -> Mapping[str, int]:
    verdicts = {words: verdict for verdict, words in WORDS.items()}
    found: Counter[str] = Counter()
    for match in _REMARK.finditer(remarks):
        found[verdicts[match["words"]]] += match["names"].count("`") // 2 + int(match["more"] or 0)
    return found
