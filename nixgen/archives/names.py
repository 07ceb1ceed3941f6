"""Which names of members are acceptable in an archive, each and beside the others."""

from __future__ import annotations

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from nixgen.archives.findings import Findings, quoted, some

#: The longest file name and path, in bytes: the limits of the file systems a tree will stand on.
MAX_PART = 255
MAX_PATH = 2048

#: The most parts of a path: what reads and writes directories, here, in Nix and in Python, goes down one by one.
MAX_PARTS = 200

#: The most bytes that a character takes in UTF-8.
_UTF8 = 4


def name_problems(name: str) -> list[str]:
    """Say why a member's name is not a plain relative path inside the archive; nothing where it is one."""
    problems = []
    path = name.removesuffix("/")
    parts = path.split("/")
    if "\\" in name:
        problems.append("a backslash in its name")
    if not name.isprintable() and any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
        problems.append("a control character in its name")
    if name.startswith("/"):
        problems.append("an absolute path")
    elif len(parts[0]) >= 2 and parts[0][1] == ":" and parts[0][0].isalpha():
        problems.append("a path with a drive letter")
    elif "" in parts:
        problems.append("an empty part in its path")
    if ".." in parts:
        problems.append("a path that leaves the archive ('..')")
    if "." in parts:
        problems.append("a '.' part in its path")
    if len(parts) > MAX_PARTS:
        problems.append(f"a path of more than {MAX_PARTS} parts")
    if len(path) * _UTF8 > MAX_PART:
        if any(len(part.encode("utf-8", "replace")) > MAX_PART for part in parts):
            problems.append(f"a part of its path is longer than {MAX_PART} bytes")
        if len(path.encode("utf-8", "replace")) > MAX_PATH:
            problems.append(f"a path longer than {MAX_PATH} bytes")
    return problems


def check_names(files: Sequence[str], directories: Iterable[str], findings: Findings) -> None:
    """Check names against each other: twice the same, a file that is a directory too, equal but for case."""
    for name, count in sorted(Counter(files).items()):
        if count > 1:
            findings.problems.append(f"{quoted(name)}: the archive has it {count} times")
    known = set(files)
    parents = set(directories)
    for name in known | parents:
        parts = name.split("/")
        parents.update("/".join(parts[:depth]) for depth in range(1, len(parts)))
    findings.problems.extend(
        f"{quoted(name)}: it is a file and a directory at once" for name in sorted(known & parents)
    )
    folded: defaultdict[str, set[str]] = defaultdict(set)
    for name in known:
        folded[fold(name)].add(name)
    for parent in parents:
        if fold(parent) in folded:
            folded[fold(parent)].add(parent)
    for _, names in sorted(folded.items()):
        if len(names) > 1:
            findings.warnings.append(f"names that differ only in case, which macOS cannot hold: {some(names)}")


def fold(name: str) -> str:
    """Give what a case-insensitive, normalizing file system (APFS) makes of a name."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
