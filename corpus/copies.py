"""Say what nixgen would copy of wheels, without an environment: their files are placed as a tree's builder places them.

Without bytecode that takes a second or so for each, so that all wheels of the list can be told at once: what
``python -m corpus`` says of packages one by one. Wheels come from pip:

    python -m pip download --only-binary :all: -d WHEELS NAME...
"""

from __future__ import annotations

import argparse
import datetime
import os
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from corpus.report import copies, with_copies
from corpus.result import Tree

ROOT = Path(__file__).resolve().parent.parent

# The library is shipped as it lies in the checkout: nothing may be written beside it.
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "nix" / "builders"))

import files as builder_files  # noqa: E402
import index  # noqa: E402
import placement  # noqa: E402
import tree as tree_builder  # noqa: E402


def place(wheel: Path) -> Tree:
    """Return what the tree of a wheel has, its paths as in the archive.

    Raises:
        zipfile.BadZipFile: it is none.
    """
    with tempfile.TemporaryDirectory(prefix="copies-") as scratch:
        leaves, out = Path(scratch, "leaves"), Path(scratch, "out")
        with zipfile.ZipFile(wheel) as archive:
            members = {
                one.filename: index.Member(one.file_size, bool(one.external_attr >> 16 & 0o111))
                for one in archive.infolist()
                if not one.is_dir()
            }
            archive.extractall(leaves)
        name, version = wheel.name.split("-")[:2]
        found = [_file(path, member, leaves) for path, member in sorted(members.items())]
        alone = index.standing_alone(members)
        for file in found:
            if file.leaf:
                os.chmod(file.leaf, 0o444)  # noqa: PTH101
            if file.path in alone:
                file.program = file.leaf  # any path will do
            Path(out, file.target).parent.mkdir(parents=True, exist_ok=True)
        rules = placement.Placement({file.path: file.leaf for file in found})
        placed = [builder_files.place(file, rules, str(out)) for file in found]
        tree_builder.copy_late(str(out), rules, found, placed)
        return _tree(canonicalize_name(name), version, members, found, placed)


def _file(path: str, member: Any, leaves: Path) -> Any:
    """Return a file as a tree's builder has it, but for its place: outside of site-packages nothing is compiled."""
    script = path.split("/")[0].endswith(".data") and path.split("/")[1:2] == ["scripts"]
    leaf = str(leaves / path) if member.size else ""
    return builder_files.File(path, leaf, path, script=script, executable=script or member.executable)


def _tree(name: str, version: str, members: dict[str, Any], found: Sequence[Any], placed: Sequence[Any]) -> Tree:
    by_reason: dict[str, tuple[int, int]] = {}
    copied = {}
    for file, done in zip(found, placed, strict=True):
        if done.reasons:
            size = copied[file.path] = members[file.path].size
            key = " + ".join(sorted(done.reasons))
            count, before = by_reason.get(key, (0, 0))
            by_reason[key] = (count + 1, before + size)
    return Tree(
        path="",
        name=name,
        version=version,
        files=len(members),
        size=sum(member.size for member in members.values()),
        copies=by_reason,
        copied=copied,
        programs={file.path: members[file.path].size for file, done in zip(found, placed, strict=True) if done.shared},
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the section; see ``python -m corpus.copies --help``."""
    parser = argparse.ArgumentParser(
        prog="python -m corpus.copies", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheels", type=Path, metavar="WHEELS", help="a directory of wheels")
    parser.add_argument(
        "--write", type=Path, metavar="FILE", help="put the section into the page there (docs/compatibility.md)"
    )
    options = parser.parse_args(arguments)
    trees = []
    for wheel in sorted(options.wheels.glob("*.whl")):
        trees.append(place(wheel))
        print(f"{wheel.name}: {sum(trees[-1].copied.values()):,}", file=sys.stderr, flush=True)
    if not trees:
        parser.error(f"no wheels in {options.wheels}")
    day = datetime.date.today().isoformat()
    told = [f"As of {day}, of all wheels that the packages need, by `python -m corpus.copies`.", "", *copies(trees)]
    print("\n".join(told))
    if options.write:
        page = options.write.read_text(encoding="utf-8")
        options.write.write_text(with_copies(page, told), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
