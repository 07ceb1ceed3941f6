"""Results as a Markdown page: totals, what went wrong, a row for each package."""

from __future__ import annotations

import platform
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from corpus.result import DEFECT, DIFFERS, NOTE, UPSTREAM, Result, Tree
from corpus.rows import HEAD, HEAD_WITH_COPIES, Row, rows_of
from corpus.tables import days, newest, span, table

_INTRODUCTION = """\
# Compatibility

Made by `python -m corpus --write docs/compatibility.md`; not edited by hand. For each package of
[corpus/packages.toml](../corpus/packages.toml), nixgen locks it, pip installs the locked wheels into a virtual
environment, nixgen builds its own, and the same probes run in both: every module and submodule is imported, resources
and metadata are read, every command is run with `--help` or `--version`, `pip check` is asked, and the programs of
`corpus/probes` do what broke under links once. What passes under pip and fails under nixgen is a defect.
The store is read-only to the probes.
"""

_MOUNTED = """\
# Compatibility of mounted environments

Made by `python -m corpus --mounted --write docs/compatibility-mounted.md`, as root; not edited by hand. As
[compatibility.md](compatibility.md) compares the environments of the store, this compares those without links: nixgen
locks a package, pip installs the locked wheels into a virtual environment, `nixgen venv --mounted` attaches its own,
and the same probes run in both. First of all, `files` compares what is in them: names, links, modes, and each file's
bytes, but of what every installer writes in its own words (launchers, `RECORD`, `INSTALLER`, bytecode). No file there
is a link or a copy, and no rule of placement counts. The store is read-only to the probes.
"""

_FROM_SOURCE = """\
# Built from source, beside the wheel

Made by `python -m corpus --from-source --write docs/from-source.md`; not edited by hand. Each package of
[corpus/sources.toml](../corpus/sources.toml) has wheels and a source distribution. nixgen locks it, pip installs the
locked wheel into a virtual environment; nixgen locks the same versions again with `--build-from-source`, which
[builds them in derivations](sources.md), and the probes of [compatibility.md](compatibility.md) run in both. What
passes with the wheel and fails with what was built is a defect; that a compiler's files are others is none.
"""

#: How many wheels are named for their copies.
_LARGEST = 8

#: What a page says of copies, and how that begins where it is not of the same run as all rows.
_COPIES = re.compile(r"^## Copies\n\n(?P<told>.*?\n)(?=## |\Z)", re.MULTILINE | re.DOTALL)
_AS_OF = "As of"

#: Where this machine keeps things, which is nobody's business.
_PLACES = (
    (re.compile(r"[^\s'\"(]*/(?:pip|nix)/(env|scratch)/"), r"\1/"),
    (re.compile(r"[^\s'\"(]*/store/[0-9a-z]{32}-"), "store/"),
)


def page(
    results: Sequence[Result],
    *,
    listed: Sequence[str],
    mounted: bool = False,
    from_source: bool = False,
    before: str = "",
) -> str:
    """Return the page.

    Args:
        results: of the packages that were run, in the order of the list.
        listed: the packages of the list.
        mounted: whether the environments were mounted, without links.
        from_source: whether nixgen had built what is probed.
        before: the page of before: what it says of other packages stays.
    """
    compared = [one for one in results if not one.trouble]
    run = {one.name for one in results}
    kept = [row for row in rows_of(before) if row.package not in run]
    dates = {one.date for one in results} | set(days(before) if kept else ())
    new = [Row.of(one, "" if mounted else _copied(one.trees)) for one in compared]
    rows = {row.package: row for row in newest(new, kept)}
    return "\n".join(
        [
            _MOUNTED if mounted else _FROM_SOURCE if from_source else _INTRODUCTION,
            *_totals(results, [rows[name] for name in listed if name in rows], dates, len(listed)),
            *_defects(results),
            *_not_compared(results),
            *([] if mounted else ["## Copies", "", *(_copies_before(before) if kept else copies(_trees(compared)))]),
            "## Packages",
            "",
            "Columns of probes: passed under pip, under nixgen, all."
            + ("" if mounted else " Copies count the package and all that it needs."),
            "",
            *_table([rows[name] for name in listed if name in rows], HEAD if mounted else HEAD_WITH_COPIES),
            "",
        ]
    )


def _totals(results: Sequence[Result], rows: Sequence[Row], dates: Iterable[str], listed: int) -> list[str]:
    verdicts: Counter[str] = Counter()
    for row in rows:
        verdicts.update(row.verdicts)
    pythons = ", ".join(sorted({one.python for one in results if not one.trouble}))
    failed = [one for one in results if one.trouble]
    broken = sum(DEFECT in row.verdicts for row in rows) + sum(bool(one.defect) for one in failed)
    return [
        f"* {span(dates)}, Python {pythons}, {platform.system()} {platform.machine()}",
        f"* {_count(listed, 'package')} in the list; {len(rows) + len(failed)} run, {len(rows)} compared, "
        f"{len(failed)} not",
        f"* {sum(DEFECT not in row.verdicts for row in rows)} work under nixgen as they do under pip; "
        f"{_count(broken, 'package')} with a defect",
        f"* {sum(row.probes for row in rows):,} probes: {verdicts[DEFECT]} defects, "
        f"{verdicts[UPSTREAM]} that fail under both, {verdicts[NOTE]} that fail under pip only, "
        f"{verdicts[DIFFERS]} that pass under both and print different text",
        "",
    ]


def _defects(results: Iterable[Result]) -> list[str]:
    lines = []
    for result in results:
        if result.defect:
            lines.append(f"* {result.name}: no environment: {_line(result.trouble)}")
        lines += [
            f"* {result.name}: `{one.probe}`: {_line(one.nixgen.said or 'other output')}" for one in result.defects
        ]
    return ["## Defects", "", *lines, ""] if lines else []


def _not_compared(results: Iterable[Result]) -> list[str]:
    lines = [f"* {one.name}: {_line(one.trouble, first=True)}" for one in results if one.trouble and not one.defect]
    return ["## Not compared", "", *lines, ""] if lines else []


def copies(trees: Sequence[Tree]) -> list[str]:
    """Return the lines that say what of different wheels are copies, and why."""
    files, size = sum(tree.files for tree in trees), sum(tree.size for tree in trees)
    reasons: dict[str, list[tuple[int, int]]] = {}
    for tree in trees:
        for reason, amount in tree.copies.items():
            reasons.setdefault(reason, []).append(amount)
    rows = [
        (reason, sum(count for count, _ in amounts), sum(amount for _, amount in amounts), len(amounts))
        for reason, amounts in sorted(reasons.items())
    ]
    rows.append(("all copies", sum(row[1] for row in rows), sum(row[2] for row in rows), _with_copies(trees)))
    lines = [
        f"In {_count(len(trees), 'different wheel')} with {files:,} files and {_bytes(size)}:",
        "",
        "| reason | wheels | files | of all files | size | of all bytes |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for reason, count, copied, wheels in rows:
        lines.append(
            f"| {reason} | {wheels} | {count:,} | {_share(count, files)} | {_bytes(copied)} | {_share(copied, size)} |"
        )
    executable = sum(row[2] for row in rows[:-1] if "executable" in row[0])
    others = rows[-1][2] - executable
    programs = sum(sum(tree.programs.values()) for tree in trees)
    largest = sorted(trees, key=lambda tree: -_copied_size(tree))[:_LARGEST]
    return [
        *lines,
        "",
        f"Of the copies, {_bytes(executable)} ({_share(executable, size)}) are of programs. The other {_bytes(others)} "
        f"({_share(others, size)}) take no room [where a copy is its leaf's file](how-it-works.md#what-a-copy-takes).",
        "",
        f"Programs that are store paths of their own, which versions share: "
        f"{sum(len(tree.programs) for tree in trees)}, {_bytes(programs)} ({_share(programs, size)}).",
        "",
        "Most of the copies' bytes are in: "
        + ", ".join(f"{tree.name} {tree.version} ({_copied((tree,))})" for tree in largest if tree.copies)
        + ".",
        "",
    ]


def with_copies(page: str, told: Sequence[str]) -> str:
    """Return a page with these lines about copies in the place of what it said of them."""
    return _COPIES.sub(lambda _: "\n".join(["## Copies", "", *told, ""]), page)


def _copies_before(before: str) -> list[str]:
    """Return what a page said of copies: rows alone do not tell which wheels packages share."""
    match = _COPIES.search(before)
    told = match["told"].splitlines() if match else []
    known = told[:1] == [] or told[0].startswith(_AS_OF)
    return told if known else [f"{_AS_OF} {span(days(before))}, of what was run then.", "", *told]


def _table(rows: Iterable[Row], head: Sequence[str]) -> list[str]:
    """Return the table of packages."""
    return table([head, *(row.cells(head) for row in rows)], right=range(2, 7)).splitlines()


def _copied(trees: Iterable[Tree]) -> str:
    sizes: Counter[str] = Counter()
    for tree in trees:
        for reason, (_, size) in tree.copies.items():
            sizes[reason] += size
    return ", ".join(f"{reason} {_bytes(size)}" for reason, size in sorted(sizes.items()))


def _trees(results: Iterable[Result]) -> list[Tree]:
    return list({(tree.name, tree.version): tree for result in results for tree in result.trees}.values())


def _copied_size(tree: Tree) -> int:
    return sum(size for _, size in tree.copies.values())


def _with_copies(trees: Iterable[Tree]) -> int:
    return sum(bool(tree.copies) for tree in trees)


def _line(text: str, *, first: bool = False) -> str:
    """Return one line of a text, without the machine's own paths."""
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [""]
    line = lines[0] if first else lines[-1]
    for pattern, replacement in _PLACES:
        line = pattern.sub(replacement, line)
    return line[:300].replace("|", "\\|")


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else ""


def _bytes(value: int) -> str:
    if value >= 1e9:
        return f"{value / 1e9:.2f} GB"
    return f"{value / 1e6:.2f} MB" if value >= 1e5 else f"{value / 1e3:.1f} kB"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
