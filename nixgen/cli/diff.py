"""Say what differs between two locks: packages and versions, files, bytes to fetch and bytes shared.

Packages of npm stand below Python's, with sums of their own.

A and B are paths of locks, directories with one, or revisions of git (a commit, branch or tag).
Without B, A is compared with the project's lock as it is; without both, git's HEAD is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nixgen.comparison.difference import Changes, Difference, FileDifference

EXAMPLES = (
    ("nixgen diff", "what has changed since the last commit"),
    ("nixgen diff main", "and since another revision"),
    ("nixgen diff ../other .", "two projects"),
    ("nixgen diff --line main", "as a line, for a pull request"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("old", nargs="?", default="HEAD", metavar="A", help="the old lock (default: git's HEAD)")
    parser.add_argument("new", nargs="?", metavar="B", help="the new lock (default: the project's)")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON (docs/commands.md says what it holds)")
    form.add_argument("--line", action="store_true", help="print one line")
    parser.add_argument("--packages", action="store_true", help="compare packages only, and read nothing of archives")


def run(options: argparse.Namespace) -> int:
    """Print what differs; return the exit code.

    Raises:
        NixgenError: a lock is not there or cannot be read, or what is in an archive cannot be read again.
    """
    import json
    from pathlib import Path

    from nixgen.cli.console import Console
    from nixgen.comparison.difference import difference
    from nixgen.comparison.files import file_differences
    from nixgen.comparison.revisions import find_lock

    console, base, here = Console(quiet=options.quiet), Path(options.directory), Path(options.here)
    old, new = find_lock(options.old, base, here), find_lock(options.new, base, here)
    found = difference(old.lock, new.lock)
    python = npm = None
    if not options.packages:
        python, npm = file_differences(old, new, base, console)
    if options.json:
        print(json.dumps({"old": old.name, "new": new.name, **_described(found, python, npm)}, indent=1))
    elif options.line:
        print(_line(found, python, npm))
    else:
        for line in [*lines(found), *_sums(found, python, npm)]:
            print(line)
    return 0


def _described(found: Difference, python: FileDifference | None, npm: FileDifference | None) -> dict[str, Any]:
    """Return what JSON says (docs/commands.md); of npm only where something differs."""
    return {
        **_changes_described(found.python, python),
        "targets": {"added": list(found.targets_added), "removed": list(found.targets_removed)},
        **({"npm": _changes_described(found.npm, npm)} if found.npm else {}),
    }


def _changes_described(changes: Changes, files: FileDifference | None) -> dict[str, Any]:
    from dataclasses import asdict

    kinds = (("added", changes.added), ("removed", changes.removed), ("changed", changes.changed))
    return {
        **{kind: [asdict(change) for change in some] for kind, some in kinds},
        "rebuilt": list(changes.rebuilt),
        "fetch": changes.fetch,
        "files": None if files is None else asdict(files),
    }


def lines(found: Difference) -> list[str]:
    """Return a line for each package and target that differs: its versions, old and new."""
    told = [*_told(found.python, "wheels")]
    told += [f"+ {target}" for target in found.targets_added]
    told += [f"- {target}" for target in found.targets_removed]
    if found.npm:
        from nixgen.cli.graph import OF_NPM

        told += [*([OF_NPM] if told else []), *_told(found.npm, "archives")]
    return told


def _told(changes: Changes, archives: str) -> Iterator[str]:
    width = max((len(change.name) for change in changes.every), default=0)
    for change in changes.every:
        sign = "+" if not change.old else "-" if not change.new else " "
        versions = " -> ".join(_versions(side) for side in (change.old, change.new) if side)
        yield f"{sign} {change.name.ljust(width)}  {versions}"
    for name in changes.rebuilt:
        yield f"  {name}  other {archives} of the same version"


def _sums(found: Difference, python: FileDifference | None, npm: FileDifference | None) -> list[str]:
    """Return a line for each kind of packages that differs."""
    said = []
    if found.python or found.targets_added or found.targets_removed:
        said.append(_sum(found.python, python, "wheels"))
    if found.npm:
        from nixgen.cli.graph import OF_NPM

        said.append(f"{OF_NPM} {_sum(found.npm, npm, 'archives')}")
    return said or ["the packages are the same"]


def _sum(changes: Changes, files: FileDifference | None, archives: str) -> str:
    from nixgen.cli.console import count, size

    counted = ((changes.changed, "changed"), (changes.added, "added"), (changes.removed, "removed"))
    parts = [", ".join(f"{len(some)} {word}" for some, word in counted if some) or "no other version"]
    at_least = "at least " if changes.unsized else ""
    parts.append(f"{at_least}{size(changes.fetch)} of {archives} to fetch")
    if files is not None:
        share = files.shared_bytes / max(1, files.new_bytes)
        parts.append(f"{count(files.added, 'file')} added, {files.removed:,} removed, {files.same:,} the same")
        parts.append(f"{size(files.shared_bytes)} of {size(files.new_bytes)} shared ({share:.1%})")
    return "; ".join(parts)


def _line(found: Difference, python: FileDifference | None, npm: FileDifference | None) -> str:
    changes = []
    for some in (found.python, found.npm):
        changes += [f"{change.name} {_versions(change.old)} -> {_versions(change.new)}" for change in some.changed]
        changes += [f"+{change.name} {_versions(change.new)}" for change in some.added]
        changes += [f"-{change.name} {_versions(change.old)}" for change in some.removed]
    return "; ".join([*([", ".join(changes)] if changes else []), *_sums(found, python, npm)])


def _versions(versions: Sequence[str]) -> str:
    return ", ".join(versions)
