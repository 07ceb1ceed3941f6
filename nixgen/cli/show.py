"""Show what the lock holds for this machine, and which files of what is built are copies.

The first line is the Python to build with. Each other line is a package: its version, its wheel,
how many files that has, and whether the environment under ./result has it. With --files, every
file of each package with its size and hash, which the lock binds. With --copies, the files that are
real files instead of links to the store, why they are, and how large: as the last build made them.
Packages of npm follow, each place with its archive, and whether the store has it; all of their files
are real ones.
"""

from __future__ import annotations

import argparse
import json
from base64 import b64decode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nixgen.cli.console import Console
    from nixgen.environments.choice import Choice
    from nixgen.environments.request import Request
    from nixgen.environments.trees import Tree
    from nixgen.model import LockedPackage, WheelIndex
    from nixgen.npm.selection import Selection


EXAMPLES = (
    ("nixgen show", "the packages of the lock"),
    ("nixgen show --copies flask", "which files of one are copies, and why"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    from nixgen.cli.choosing import add_choice

    parser.add_argument("package", nargs="*", metavar="PACKAGE", help="show these packages only")
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--copies", action="store_true", help="list the copies, with reasons and sizes")
    what.add_argument("--files", action="store_true", help="list the files, with sizes and hashes")
    parser.add_argument("--json", action="store_true", help="print JSON, with copies or files where they are asked for")
    parser.add_argument(
        "-o",
        "--out-link",
        metavar="PATH",
        help="an environment that is built (default: result in the project, else what .venv there stands on)",
    )
    add_choice(parser)


def run(options: argparse.Namespace) -> int:
    """Print what the lock holds; return the exit code.

    Raises:
        InputError: there is no lock, it does not hold a package, or copies are asked for where nothing is built.
        NixError: Nix is missing, or does not know the environment.
    """
    from nixgen.cli.choosing import request
    from nixgen.cli.console import Console
    from nixgen.environments.choice import Choice
    from nixgen.environments.kinds import Kinds
    from nixgen.npm.selection import Selection

    console, wanted = Console(quiet=options.quiet), request(options)
    kinds = Kinds.of(wanted.base)
    choice = Choice.of(wanted) if kinds.python else None
    selection = Selection.of(wanted) if kinds.npm else None
    packages, places = _chosen(choice, selection, options.package)
    report: dict[str, Any] = {}
    if choice is not None and (packages or not options.package):
        report = _show_python(choice, packages, options, console)
    if selection is not None and (places or not options.package):
        report["npm"] = _show_npm(selection, places, wanted, options, console, behind=bool(report))
    if options.json:
        print(json.dumps(report, indent=1))
    return 0


def _show_python(
    choice: Choice, packages: tuple[LockedPackage, ...], options: argparse.Namespace, console: Console
) -> dict[str, Any]:
    """Print Python's packages, unless as JSON, and return what JSON says of them."""
    from nixgen.environments.fetch import indexes_of
    from nixgen.environments.trees import built_trees
    from nixgen.errors import InputError
    from nixgen.store import Store
    from nixgen.targets import default_system

    link = Path(options.out_link) if options.out_link else _standing(choice.base)
    trees = built_trees(link, packages, Store(choice.settings))
    if options.copies and not trees:
        raise InputError(
            "nothing of the lock is built, and copies are made when building" if link.exists() else "nothing is built",
            where=str(link),
            todo="run `nixgen build`",
        )
    indexes = indexes_of(choice, packages, console)
    described = [
        _describe(package, indexes.get(package.wheel.filename), trees.get(package.name), options)
        for package in packages
    ]
    report: dict[str, Any] = {
        "python": choice.python,
        "interpreter": _interpreter(choice),
        "system": default_system(),
        "packages": described,
    }
    if options.copies:
        report["reasons"] = _by_reason(described)
    if options.json:
        return report
    if options.files:
        _print_files(described)
    elif options.copies:
        _print_copies(described, trees)
    else:
        if not options.package:
            print(f"Python {choice.python}  {_interpreter(choice)}")
        _print_packages(described)
    return report


def _standing(base: Path) -> Path:
    """Return what a project has built: ``nixgen sync`` makes no link ``result``."""
    from nixgen.venv.program import environment_below

    result = base / "result"
    return result if result.exists() else environment_below(base / ".venv") or result


def _show_npm(
    selection: Selection,
    places: Sequence[str],
    wanted: Request,
    options: argparse.Namespace,
    console: Console,
    *,
    behind: bool,
) -> list[dict[str, Any]]:
    """Print npm's packages, unless as JSON, and return what JSON says of them.

    Args:
        selection: what the lock has.
        places: those to show.
        wanted: the environment.
        options: of the command line.
        console: is told what goes on.
        behind: whether Python's packages stand before.
    """
    from nixgen.cli.console import count, print_table, size
    from nixgen.cli.graph import OF_NPM, place_text
    from nixgen.npm.showing import shown

    if options.copies:
        console.note("all files of npm's packages are real ones: none of them is a link that could be a copy")
        return []
    found = shown(selection, places, wanted, files=options.files, observer=console)
    described = [one.described() for one in found]
    if options.json:
        return described
    if behind:
        print(f"\n{OF_NPM}")
    rows = []
    for one in found:
        if options.files:
            print(f"{place_text(one.package)}  {one.archive}".rstrip())
            files = sorted((one.contents or {}).items())
            print_table([(f"  {path}", size(file.size), file.sha256[:16]) for path, file in files])
        elif one.package.archive is None:
            rows.append((place_text(one.package), "", "", "a directory"))
        else:
            files_text = count(one.files or 0, "file")
            rows.append((place_text(one.package), one.archive, files_text, "built" if one.path else "not built"))
    if rows:
        print_table(rows)
    return described


def _interpreter(choice: Choice) -> str:
    """Return which Python a build takes: the URL of the one that the lock names, else its path."""
    from nixgen.pythons import machine_python

    if choice.archive is not None:
        return choice.archive.url
    return choice.interpreter or str(machine_python(choice.python) or "not on this machine")


def _chosen(
    choice: Choice | None, selection: Selection | None, names: Sequence[str]
) -> tuple[tuple[LockedPackage, ...], list[str]]:
    """Return Python's packages that are named, and the places of npm's; all where none is named."""
    from packaging.utils import canonicalize_name

    from nixgen.errors import InputError
    from nixgen.npm.graph import places_of

    packages = choice.packages if choice is not None else ()
    modules = selection.packages if selection is not None else ()
    wanted = {canonicalize_name(name) for name in names}
    held = {package.name for package in packages}
    named = {name: places_of(modules, name) for name in names}
    if unknown := [name for name in names if canonicalize_name(name) not in held and not named[name]]:
        raise InputError(
            f"the environment has no package named {', '.join(unknown)}",
            where="nixgen.lock",
            todo="see what it has: `nixgen show`, with --all-extras and --all-groups for everything",
        )
    if not names:
        return packages, [package.at for package in modules]
    places = {place for some in named.values() for place in some}
    return tuple(one for one in packages if one.name in wanted), [one.at for one in modules if one.at in places]


def _describe(
    package: LockedPackage, index: WheelIndex | None, tree: Tree | None, options: argparse.Namespace
) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": package.name,
        "version": package.version,
        "wheel": package.wheel.filename,
        "files": None if index is None else len(index.files),
        "tree": None if tree is None else str(tree.path),
    }
    if options.files:
        described["contents"] = [
            {"path": path, "size": file.size, "sha256": b64decode(file.sha256).hex(), "executable": file.executable}
            for path, file in ({} if index is None else index.files).items()
        ]
    if options.copies:
        described["copies"] = [] if tree is None else [asdict(copy) for copy in tree.copied()]
    return described


def _by_reason(described: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, int]]:
    """Return how many copies each reason makes and of how many bytes; a copy with two reasons counts for both."""
    found: dict[str, dict[str, int]] = {}
    for copy in (copy for package in described for copy in package["copies"]):
        for reason in copy["reasons"]:
            sums = found.setdefault(reason, {"files": 0, "size": 0})
            sums["files"] += 1
            sums["size"] += copy["size"]
    return dict(sorted(found.items()))


def _print_packages(described: Sequence[Mapping[str, Any]]) -> None:
    from nixgen.cli.console import count, print_table

    rows = [
        (
            f"{package['name']} {package['version']}",
            package["wheel"],
            "built as it is" if package["files"] is None else count(package["files"], "file"),
            "built" if package["tree"] else "not built",
        )
        for package in described
    ]
    print_table(rows)


def _print_files(described: Sequence[Mapping[str, Any]]) -> None:
    from nixgen.cli.console import print_table, size

    for package in described:
        print(f"{package['name']} {package['version']}  {package['wheel']}")
        print_table(
            [
                ("  " + file["path"], size(file["size"]), file["sha256"][:16] if file["size"] else "empty")
                for file in package["contents"]
            ]
        )


def _print_copies(described: Sequence[Mapping[str, Any]], trees: Mapping[str, Tree]) -> None:
    from nixgen.cli.console import count, print_table, size

    for package in described:
        if package["tree"] is None:
            print(f"{package['name']} {package['version']}: not built")
        elif package["copies"]:
            print(f"{package['name']} {package['version']}")
            print_table(
                [("  " + copy["path"], size(copy["size"]), ", ".join(copy["reasons"])) for copy in package["copies"]]
            )
    print("by reason:")
    print_table(
        [
            (f"  {reason}", count(sums["files"], "file"), size(sums["size"]))
            for reason, sums in _by_reason(described).items()
        ]
    )
    copies = [copy for package in described for copy in package["copies"]]
    copied, every = sum(copy["size"] for copy in copies), sum(tree.size for tree in trees.values())
    print(
        f"{len(copies):,} of {count(sum(tree.files for tree in trees.values()), 'file')} are copies: "
        f"{size(copied)} of {size(every)} ({copied / max(1, every):.1%})"
    )
    programs = [tree.path / path for tree in trees.values() for path in tree.programs]
    if programs:
        print(
            f"{count(len(programs), 'program')} with store paths of their own, which versions share: "
            f"{size(sum(path.stat().st_size for path in programs))}"
        )
