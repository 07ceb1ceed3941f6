"""Say what differs between two locks: packages and versions, files, bytes to fetch and bytes shared.

A and B are paths of locks, directories with one, or revisions of git (a commit, branch or tag).
Without B, A is compared with the project's lock as it is; without both, git's HEAD is.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.comparison.difference import Change, Difference, FileDifference

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
    parser.add_argument("--packages", action="store_true", help="compare packages only, and read nothing of wheels")


def run(options: argparse.Namespace) -> int:
    """Print what differs; return the exit code.

    Raises:
        NixgenError: a lock is not there or cannot be read, or the index of a wheel cannot be read again.
    """
    import json
    from dataclasses import asdict
    from pathlib import Path

    from nixgen.cli.console import Console
    from nixgen.comparison.contents import indexes_that_are_known
    from nixgen.comparison.difference import difference, file_difference
    from nixgen.comparison.revisions import find_lock
    from nixgen.environments.fetch import access_of

    console, base, here = Console(quiet=options.quiet), Path(options.directory), Path(options.here)
    old, new = find_lock(options.old, base, here), find_lock(options.new, base, here)
    found = difference(old.lock, new.lock)
    files = None
    if not options.packages:
        indexes = []
        for side in (old, new):
            known, unknown = indexes_that_are_known(
                side.lock.wheels.values(), base=side.base, access=lambda: access_of(base), observer=console
            )
            indexes.append(known.values())
            if unknown:
                console.note(f"{side.name}: the files of {', '.join(unknown)} are not known before it is built")
        files = file_difference(*indexes)
    if options.json:
        described = {
            "old": old.name,
            "new": new.name,
            **{
                kind: [asdict(change) for change in changes]
                for kind, changes in (("added", found.added), ("removed", found.removed), ("changed", found.changed))
            },
            "rebuilt": list(found.rebuilt),
            "targets": {"added": list(found.targets_added), "removed": list(found.targets_removed)},
            "fetch": found.fetch,
            **({"npm": [asdict(change) for change in found.npm]} if found.npm else {}),
            "files": None if files is None else asdict(files),
        }
        print(json.dumps(described, indent=1))
    elif options.line:
        print(_line(found, files))
    else:
        for line in lines(found):
            print(line)
        print(_sums(found, files))
    return 0


def lines(found: Difference) -> list[str]:
    """Return a line for each package and target that differs: its versions, old and new."""
    told = [*_changes(found.changes)]
    told += [f"  {name}  other wheels of the same version" for name in found.rebuilt]
    told += [f"+ {target}" for target in found.targets_added]
    told += [f"- {target}" for target in found.targets_removed]
    return [*told, *_changes(found.npm)]


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    width = max((len(change.name) for change in changes), default=0)
    for change in changes:
        sign = "+" if not change.old else "-" if not change.new else " "
        versions = " -> ".join(_versions(side) for side in (change.old, change.new) if side)
        yield f"{sign} {change.name.ljust(width)}  {versions}"


def _sums(found: Difference, files: FileDifference | None) -> str:
    from nixgen.cli.console import count, size

    if not (found.changes or found.rebuilt or found.targets_added or found.targets_removed or found.npm):
        return "the packages are the same"
    if found.npm and not (found.changes or found.rebuilt or found.targets_added or found.targets_removed):
        return f"{count(len(found.npm), 'package')} of npm changed"
    counted = ((found.changed, "changed"), (found.added, "added"), (found.removed, "removed"))
    parts = [", ".join(f"{len(changes)} {word}" for changes, word in counted if changes) or "no other version"]
    parts.append(f"{size(found.fetch)} of wheels to fetch")
    if files is not None:
        share = files.shared_bytes / max(1, files.new_bytes)
        parts.append(f"{count(files.added, 'file')} added, {files.removed:,} removed, {files.same:,} the same")
        parts.append(f"{size(files.shared_bytes)} of {size(files.new_bytes)} shared ({share:.1%})")
    return "; ".join(parts)


def _line(found: Difference, files: FileDifference | None) -> str:
    changes = [f"{change.name} {_versions(change.old)} -> {_versions(change.new)}" for change in found.changed]
    changes += [f"+{change.name} {_versions(change.new)}" for change in found.added]
    changes += [f"-{change.name} {_versions(change.old)}" for change in found.removed]
    return "; ".join([", ".join(changes), _sums(found, files)] if changes else [_sums(found, files)])


def _versions(versions: Sequence[str]) -> str:
    return ", ".join(versions)
