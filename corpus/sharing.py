"""Measure what copies cost: files that the release before has too, unchanged, and that are stored once more.

For each wheel with many copies among the results of `python -m corpus`, the release before is looked up. No wheel is
downloaded whole: nixgen reads the directories and RECORDs of both.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus import result
from corpus.result import Result, Tree
from nixgen.cli.console import count, size
from nixgen.errors import NetworkError, NixgenError
from nixgen.inputs import ResolverOptions, uv
from nixgen.inputs.pylock import choose
from nixgen.leaf import leaf_path
from nixgen.model import LockedPackage, WheelFile, WheelIndex
from nixgen.plan import installed_paths
from nixgen.targets import Target, default_system
from nixgen.wheels.index import index_all

ROOT = Path(__file__).resolve().parent.parent

_INTRODUCTION = """\
# What copies cost between releases

Made by `python -m corpus.sharing --write docs/sharing.md`; not edited by hand. For each wheel of the
[compared packages](compatibility.md) with at least {least} of copies, uv was asked for the release before, and nixgen
read the directory and RECORD of both wheels. A file is unchanged where the release before has one with the same leaf,
at whatever path; it is stored twice where it is a [copy](how-it-works.md#placement) in the new tree, since as a link
it would be shared.
"""

#: tests/corpus/test_optimising.py and tests/whole/test_copies.py prove it.
_OPTIMISING = """\
That is so on file systems that share no blocks (ext4), where Nix builds in its sandbox or as its build users. Without
both a copy that is no program is [its leaf's file with one more name](how-it-works.md#what-a-copy-takes), and only
programs are stored twice; on Btrfs and XFS nothing is, wherever it is built.
With `auto-optimise-store = true` in nix.conf, or after `nix-store --optimise`, Nix keeps equal files of the store once,
as hard links: a copy has the inode of its leaf, and a program, whose leaf has no x bit, that of its copy in the tree of
another release. Then nothing of this is stored twice.
"""


class LeftOutError(Exception):
    """A wheel cannot be compared with the release before; the text says why."""


@dataclass(frozen=True, kw_only=True)
class Sharing:
    """One wheel beside that of the release before.

    Attributes:
        tree: what the results say of it.
        before: version of the release before.
        unchanged: bytes of its files that the release before has too.
        twice: those of them that are copies in its tree.
    """

    tree: Tree
    before: str
    unchanged: int
    twice: int


def different_trees(results: Iterable[Result]) -> list[tuple[Tree, str]]:
    """Return the tree of each wheel once, with the version of its Python, by name and version."""
    found = {(tree.name, tree.version): (tree, one.python) for one in results if not one.trouble for tree in one.trees}
    return [found[key] for key in sorted(found)]


def compare(tree: Tree, python: str, base: Path) -> Sharing:
    """Compare a wheel with that of the release before.

    Args:
        tree: what the results say of it.
        python: version of its Python, ``3.11``.
        base: an empty directory to resolve in.

    Raises:
        LeftOutError: one of both cannot be had, or is not the wheel of the tree.
    """
    target = Target.parse(python, default_system())
    # "<" takes no local version, such as the +cpu of 1.0+cpu (PEP 440)
    older = f"{tree.name}<{tree.version.partition('+')[0]}"
    packages = [_lock(requirement, target, base) for requirement in (f"{tree.name}=={tree.version}", older)]
    try:
        (new, old), _ = index_all([package.wheel for package in packages], base=base)
    except NixgenError as error:
        raise LeftOutError(f"a wheel of it cannot be read: {error.what.splitlines()[0]}") from error
    return measure(tree, new, old, target.python, before=packages[1].version)


def measure(tree: Tree, new: WheelIndex, old: WheelIndex, python: str, *, before: str) -> Sharing:
    """Count the bytes of a wheel that another version has too.

    Args:
        tree: what is a copy in the new wheel's tree.
        new, old: the wheels.
        python: version of the tree's Python, ``3.11``.
        before: version of the old one.

    Raises:
        LeftOutError: the tree has a copy of what the new wheel does not have.
    """
    known = {_leaf(path, file) for path, file in old.files.items()}
    unchanged: dict[str, int] = {}
    # the places of commands follow those of the files
    for (path, file), (place, _) in zip(new.files.items(), installed_paths(new, python), strict=False):
        unchanged[place] = file.size if _leaf(path, file) in known else 0
    if strange := sorted(tree.copied.keys() - unchanged.keys()):
        raise LeftOutError(f"the index has another wheel of this version, without {strange[0]}")
    twice = sum(unchanged[path] for path in tree.copied)
    return Sharing(tree=tree, before=before, unchanged=sum(unchanged.values()), twice=twice)


def _leaf(path: str, file: WheelFile) -> str:
    return leaf_path(path.rpartition("/")[2], file.sha256)


def _lock(requirement: str, target: Target, base: Path) -> LockedPackage:
    """Return the wheel that a target takes for a requirement alone."""
    (base / "requirements.in").write_text(f"{requirement}\n", encoding="utf-8")
    try:
        resolution = uv.compile_requirements(
            [str(base / "requirements.in")],
            python=target.full_version,
            cwd=base,
            where=requirement,
            options=ResolverOptions(extra=("--no-deps",)),
        )
        choice = choose(resolution.lock, target, where=requirement, directory=resolution.directory, base=base)
    except NixgenError as error:
        print(f"{requirement}: {error}", file=sys.stderr)
        why = "no index answers for" if isinstance(error, NetworkError) else "uv finds no wheel of"
        raise LeftOutError(f"{why} {requirement}") from error
    for unusable in (*resolution.unusable, *choice.unusable):
        raise LeftOutError(f"{requirement} has {unusable.reason}")
    return choice.selection.packages[0]


def compare_all(trees: Iterable[tuple[Tree, str]]) -> tuple[list[Sharing], list[tuple[Tree, str]]]:
    """Compare each wheel with the release before; return also those that were left out, with the reason."""
    compared, left_out = [], []
    for tree, python in trees:
        with tempfile.TemporaryDirectory(prefix="sharing-") as base:
            try:
                compared.append(compare(tree, python, Path(base).resolve()))
                print(f"{tree.name} {tree.version}: {compared[-1].before}", file=sys.stderr, flush=True)
            except LeftOutError as error:
                left_out.append((tree, str(error)))
                print(f"{tree.name} {tree.version}: {error}", file=sys.stderr, flush=True)
    return compared, left_out


def page(
    results: Sequence[Result], compared: Sequence[Sharing], left_out: Sequence[tuple[Tree, str]], *, least: int
) -> str:
    """Return the page.

    Args:
        results: of every package.
        compared: the wheels with that many bytes of copies.
        left_out: those that could not be compared, with the reason.
        least: that many bytes; a row has as many that are stored twice.
    """
    trees = [tree for tree, _ in different_trees(results)]
    every, every_copy = sum(tree.size for tree in trees), sum(map(_copied, trees))
    considered = [*(one.tree for one in compared), *(tree for tree, _ in left_out)]
    theirs = sum(one.tree.size for one in compared)
    unchanged, twice = sum(one.unchanged for one in compared), sum(one.twice for one in compared)
    rows = [one for one in sorted(compared, key=lambda one: -one.twice) if one.twice >= max(least, 1)]
    others, rest = len(compared) - len(rows), twice - sum(one.twice for one in rows)
    return "\n".join(
        [
            _INTRODUCTION.format(least=size(least)),
            f"* {datetime.date.today()}, {platform.system()} {platform.machine()}; "
            f"results of {_span(sorted({one.date for one in results}))}",
            f"* {count(len(trees), 'different wheel')} with {size(every)}, of which {size(every_copy)} are copies "
            f"({_share(every_copy, every)})",
            f"* {count(len(considered), 'wheel')} with at least {size(least)} of copies, together "
            f"{_share(sum(map(_copied, considered)), every_copy)} of all copies' bytes; "
            f"{len(compared)} compared, with {size(theirs)}; {len(left_out)} left out",
            f"* unchanged since the release before: {size(unchanged)}, {_share(unchanged, theirs)} of these wheels'",
            f"* **stored twice: {size(twice)}**, {_share(twice, every)} of all wheels' bytes, "
            f"{_share(twice, theirs)} of these wheels', {_share(twice, unchanged)} of what is unchanged",
            "",
            _OPTIMISING,
            *_left_out(left_out),
            "## Wheels",
            "",
            f"Those with at least {size(least)} that are stored twice; {count(others, 'other')} together have "
            f"{size(rest)}.",
            "",
            "| wheel | release before | size | copies | unchanged | stored twice | of its size |",
            "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
            *map(_row, rows),
            "",
        ]
    )


def _left_out(left_out: Sequence[tuple[Tree, str]]) -> list[str]:
    lines = [f"* {tree.name} {tree.version} ({size(_copied(tree))} of copies): {why}" for tree, why in left_out]
    return ["## Left out", "", *lines, ""] if lines else []


def _row(one: Sharing) -> str:
    cells = [f"{one.tree.name} {one.tree.version}", one.before]
    cells += map(size, (one.tree.size, _copied(one.tree), one.unchanged, one.twice))
    return "| " + " | ".join([*cells, _share(one.twice, one.tree.size)]) + " |"


def _copied(tree: Tree) -> int:
    return sum(tree.copied.values())


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "none"


def _span(dates: Sequence[str]) -> str:
    return " to ".join(dict.fromkeys([dates[0], dates[-1]])) if dates else "no day"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the page; see ``python -m corpus.sharing --help``."""
    parser = argparse.ArgumentParser(
        prog="python -m corpus.sharing", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    out = ROOT / ".cache" / "corpus" / "results"
    parser.add_argument("--out", type=Path, default=out, metavar="DIR", help="where results are kept")
    parser.add_argument(
        "--least", type=int, default=100_000, metavar="BYTES", help="of copies in a wheel (default: 100000)"
    )
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page there too (docs/sharing.md)")
    options = parser.parse_args(arguments)
    kept = (result.read(options.out, path.stem) for path in sorted(options.out.glob("*.json")))
    results = [one for one in kept if one is not None]
    if not results:
        parser.error(f"no results in {options.out}: run `python -m corpus`")
    worth = [(tree, python) for tree, python in different_trees(results) if _copied(tree) >= options.least]
    compared, left_out = compare_all(worth)
    text = page(results, compared, left_out, least=options.least)
    print(text)
    if options.write:
        options.write.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
