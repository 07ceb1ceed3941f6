"""Results as a Markdown page, which keeps what it said of packages that were not run again."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from corpus.npm.entries import PROJECTS, Entry
from corpus.npm.releases import Pair
from corpus.npm.result import Result
from corpus.npm.runner import difference
from corpus.result import DEFECT, DIFFERS, NOTE, UPSTREAM, Compared
from nixgen.cli.console import count, size

_INTRODUCTION = """\
# Compatibility of packages of npm

Made by `python -m corpus.npm --write docs/compatibility-npm.md`, as root; not edited by hand. For each package and
project of [corpus/npm/packages.toml](../corpus/npm/packages.toml), npm locks it; `npm ci --ignore-scripts` installs it
in one directory, and nixgen's [two forms](npm.md) of `node_modules` stand in two others, all of the same lock. What is
allowed to run install scripts runs them in all three. Packages of a heading stand in one project;
`python -m corpus.npm --apart` gives each its own. Then the same probes run in each, at the same path:

* `files`: mounted, names, kinds, modes, targets of links and bytes of everything, and what `.package-lock.json` says of
  each package; in the store, names, x bits and bytes of each package.
* `npm ls --all --json`, mounted alone: through links npm takes each package for a project of its own, and misses what
  that would need for development.
* Of a package, `require` and `import` of every entry point of `exports` or `main`, which have to give the same names;
  and each program of `bin` with `--help` or `--version`.
* Of a project, its own commands: same output, but for times and the store's directories, same exit code; and the files
  that they make, byte by byte.

What is so with npm and otherwise with nixgen is a defect. The store is read-only to the probes.
"""

_HEAD = ("name", "version", "packages", "files", "size", "with npm", "store", "mounted", "day", "remarks")

_ROW = re.compile(r"^\| (?P<cells>[^|]*(?:\| [^|]*){9})\|$", re.MULTILINE)
_RUN = re.compile(r"Node\.js (?P<node>[^,\n]+), npm (?P<npm>[^,\n]+), ")

#: What the page says of probes, by their verdict.
_WORDS = {UPSTREAM: "fails with both", NOTE: "fails with npm alone", DIFFERS: "is not twice the same with npm"}

#: Whose registry was asked is nobody's business.
_HOST = re.compile(r"https?://[^/\s'\"]+/")

#: How many probes a remark names.
_NAMED = 2


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a table says of one package or project: its cells, as ``_HEAD``."""

    cells: tuple[str, ...]

    @property
    def name(self) -> str:
        """Which."""
        return self.cells[0]

    @property
    def day(self) -> str:
        """When it was run."""
        return self.cells[8]

    def same(self, form: str) -> tuple[int, int]:
        """Return how many probes gave in a form what they give with npm, and how many there were."""
        good, _, whole = self.cells[6 if form == "store" else 7].partition(" of ")
        return (int(good), int(whole)) if whole else (0, 0)


def page(results: Sequence[Result], *, listed: Sequence[Entry], releases: Sequence[Pair], before: str = "") -> str:
    """Return the page.

    Args:
        results: what was run.
        listed: the list.
        releases: pairs of releases that were compared; without any, the page of before keeps its own.
        before: that page.
    """
    entries = {entry.name: entry for entry in listed}
    compared = [one for one in results if not one.trouble]
    rows = {row.name: row for row in rows_of(before) if row.name in entries}
    rows |= {one.name: _row(one, entries[one.name].differs) for one in compared}
    some = {
        kind: [rows[one.name] for one in listed if (one.group == PROJECTS) is kind and one.name in rows]
        for kind in (False, True)
    }
    every = [*some[False], *some[True]]
    return "\n".join(
        [
            _INTRODUCTION,
            *_totals(every, results, listed, before),
            *_defects(results, entries),
            *_reasons(listed, rows),
            "## Packages",
            "",
            "Packages, files and size are of the package and all that it needs. With npm is how many probes end well "
            "there; then how many give the same in each form, of how many.",
            "",
            *_table(some[False]),
            "",
            "## Projects",
            "",
            *_table(some[True]),
            "",
            *_shared(compared, some[True], before),
            *_released(releases, before),
        ]
    )


def rows_of(text: str) -> list[Row]:
    """Return the rows of a page, in its order."""
    found = [tuple(cell.strip() for cell in match["cells"].split("|")) for match in _ROW.finditer(text)]
    return [Row(cells=cells) for cells in found if cells != _HEAD and not cells[0].startswith("-")]


def unexplained(result: Result, differs: Mapping[str, str]) -> list[str]:
    """Return the probes of a result that differ from npm's without a reason, or what else is nixgen's fault."""
    if result.trouble:
        return ["no environment"] if result.defect else []
    return [
        f"{form}: {one.probe}"
        for form, probes in result.compared.items()
        for one in probes
        if one.verdict == DEFECT and f"{form}: {one.probe}" not in differs
    ]


def _row(result: Result, differs: Mapping[str, str]) -> Row:
    forms = {form: f"{sum(map(_same, probes))} of {len(probes)}" for form, probes in result.compared.items()}
    most = max(result.compared.values(), key=len, default=())
    remarks = []
    if bad := unexplained(result, differs):
        remarks.append(f"**defect**: {_named(bad)}")
    seen = {f"{form}: {one.probe}": one.verdict for form, probes in result.compared.items() for one in probes}
    if known := [name for name, verdict in seen.items() if verdict == DEFECT and name in differs]:
        remarks.append(f"differs: {_named(known)}")
    for verdict, words in _WORDS.items():
        probes = dict.fromkeys(one.probe for some in result.compared.values() for one in some if one.verdict == verdict)
        if probes:
            remarks.append(f"{words}: {_named(list(probes))}")
    cells = [result.name, result.version, f"{result.packages:,}", f"{result.files:,}", size(result.size)]
    cells += [str(sum(one.peer.status == "pass" for one in most)), forms.get("store", ""), forms.get("mounted", "")]
    return Row(cells=(*cells, result.date, "; ".join(remarks).replace("|", "/")))


def _same(one: Compared) -> bool:
    return one.verdict != DEFECT


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(f"`{name}`" for name in names[:_NAMED]) + more


def _totals(every: Sequence[Row], results: Sequence[Result], listed: Sequence[Entry], before: str) -> list[str]:
    days = sorted({row.day for row in every})
    said = _RUN.search(before)
    nodes = {one.node for one in results} | set(said["node"].split(" and ") if said else ())
    npms = {one.npm for one in results} | set(said["npm"].split(" and ") if said else ())
    projects = sum(entry.group == PROJECTS for entry in listed)
    lines = [
        f"* {' to '.join(dict.fromkeys([days[0], days[-1]])) if days else 'never'}, "
        f"Node.js {' and '.join(sorted(nodes))}, npm {' and '.join(sorted(npms))}, "
        f"{platform.system()} {platform.machine()}",
        f"* {count(len(listed) - projects, 'package')} and {count(projects, 'project')} in the list; "
        f"{len(every)} compared, {sum(bool(one.trouble) for one in results)} not",
    ]
    for form in ("store", "mounted"):
        pairs = [row.same(form) for row in every]
        same, whole = sum(pair[0] for pair in pairs), sum(pair[1] for pair in pairs)
        lines.append(f"* {form}: {same:,} of {whole:,} probes as with npm; {whole - same} that differ")
    return [*lines, f"* {count(sum('**defect**' in row.cells[-1] for row in every), 'row')} with a defect", ""]


def _defects(results: Iterable[Result], entries: Mapping[str, Entry]) -> list[str]:
    found: dict[str, list[str]] = {}  # packages of a heading share what is of their project
    for result in results:
        if result.trouble:
            last = [line.strip() for line in result.trouble.splitlines() if line.strip()][:1] or [""]
            said = f"{'no environment' if result.defect else 'not compared'}: {last[0][:300]}"
            found.setdefault(said, []).append(result.name)
            continue
        bad = set(unexplained(result, entries[result.name].differs))
        for form, probes in result.compared.items():
            for one in probes:
                if f"{form}: {one.probe}" in bad:
                    said = f"`{form}: {one.probe}`: {_HOST.sub('https://…/', difference(one))}".replace("|", "/")
                    found.setdefault(said, []).append(result.name)
    lines = [f"* {', '.join(names)}: {said}" for said, names in found.items()]
    return ["## Defects", "", *lines, ""] if lines else []


def _reasons(listed: Iterable[Entry], rows: Mapping[str, Row]) -> list[str]:
    by_reason: dict[str, list[str]] = {}
    for entry in listed:
        for name, reason in entry.differs.items() if entry.name in rows else ():
            by_reason.setdefault(reason, []).append(f"{entry.name} (`{name}`)")
    lines = [f"* {', '.join(names)}: {reason}" for reason, names in by_reason.items()]
    return ["## What differs, and why", "", *lines, ""] if lines else []


def _table(rows: Iterable[Row]) -> list[str]:
    heads = ["---", "---", *["---:"] * 6, "---", "---"]
    return ["| " + " | ".join(cells) + " |" for cells in (_HEAD, tuple(heads), *(row.cells for row in rows))]


def _shared(results: Sequence[Result], rows: Sequence[Row], before: str) -> list[str]:
    """Return what projects share; where one has a row and no result, what was written before."""
    projects = [one for one in results if one.group == PROJECTS]
    head = "## What projects share"
    if {one.name for one in projects} != {row.name for row in rows} or len(projects) < 2:
        return _section(before, head)
    whole: dict[str, int] = {}
    for one in projects:
        whole |= one.contents
    lines = [
        head,
        "",
        f"npm writes {sum(one.files for one in projects):,} files with {size(sum(one.size for one in projects))} for "
        f"all {len(projects)}, of which {len(whole):,} with {size(sum(whole.values()))} are different: the store has "
        "each of those once. Of each project, what some other project has as well:",
        "",
        "| project | different files | their size | files elsewhere | size elsewhere | of its size |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for one in projects:
        others = {digest for other in projects if other is not one for digest in other.contents}
        both = [amount for digest, amount in one.contents.items() if digest in others]
        mine = sum(one.contents.values())
        cells = [
            one.name,
            f"{len(one.contents):,}",
            size(mine),
            f"{len(both):,}",
            size(sum(both)),
            _share(sum(both), mine),
        ]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _released(pairs: Sequence[Pair], before: str) -> list[str]:
    head = "## What releases share"
    if not pairs:
        return _section(before, head)
    lines = [
        head,
        "",
        "The newest release of a package beside the one before it: files of the newer that the older has with the same "
        "bytes, wherever they lie. What carries its version in each bundle shares little.",
        "",
        "| package | release | before | files | same | size | same | of its size |",
        "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for pair in pairs:
        cells = [pair.name, pair.newer, pair.older, f"{pair.files:,}", f"{pair.same_files:,}"]
        cells += [size(pair.size), size(pair.same_size), _share(pair.same_size, pair.size)]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _section(text: str, head: str) -> list[str]:
    """Return a section of a page as it stands there; nothing where there is none."""
    _, found, rest = text.partition(f"{head}\n")
    return [head, *rest.partition("\n## ")[0].rstrip("\n").split("\n"), ""] if found else []


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.0%}" if whole else ""
