"""Read requirements and write nixgen.lock and nix/.

INPUT is a lock (pylock.toml, uv.lock, poetry.lock, pdm.lock, Pipfile.lock), a pyproject.toml,
a script (.py), requirements files (.in, .txt), or a directory of wheels, and wheels (.whl)
beside any of them; a package-lock.json of npm, alone or with one of the others; without one,
the project's directory is looked into. A lock is taken as it
is; requirements are resolved by uv, and versions in an existing nixgen.lock are kept unless
--upgrade says otherwise.
Wheels are not downloaded: their directories are read with HTTP ranges where the server
allows it. Commit nixgen.lock and nix/.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Container
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nixgen.cli.console import Console
    from nixgen.inputs.options import ResolverOptions
    from nixgen.locking.project import Locked, Request
    from nixgen.npm.locking import NpmLocked


EXAMPLES = (
    ("nixgen lock", "of what the directory has: a lock of another tool, pyproject.toml, requirements"),
    ("nixgen lock --upgrade", "with the newest versions"),
    ("nixgen lock --python 3.12 --system aarch64-linux", "for another Python and system"),
    ("nixgen lock --check", "in CI: fail where the lock is out of date"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument(
        "inputs",
        nargs="*",
        metavar="INPUT",
        help="a lock, pyproject.toml, script, requirements, directory of wheels; wheels",
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 3 if the lock or nix/ would change")
    parser.add_argument("--dry-run", action="store_true", help="write nothing; say what would change")
    parser.add_argument(
        "--verify", action="store_true", help="download every wheel and check every file against its RECORD"
    )
    parser.add_argument(
        "--vendor",
        action="store_true",
        help="write the index of each wheel to nix/index too, for evaluation that may neither build nor read the "
        "store; from then on they are renewed (remove the directory to end that)",
    )
    targets = parser.add_argument_group(
        "targets (default: those of the existing lock; else what .python-version or requires-python asks for, "
        "on this machine)"
    )
    targets.add_argument(
        "--python",
        action="append",
        default=[],
        metavar="PYTHON",
        help="a version (3.11, 3.12.4, 3.13t) or the path of an interpreter; repeatable",
    )
    targets.add_argument(
        "--standalone",
        action=argparse.BooleanOptionalAction,
        help="lock a Python too: an archive of python-build-standalone, which Nix fetches "
        '([tool.nixgen] python = "standalone"; the next lock keeps it)',
    )
    targets.add_argument(
        "--system",
        action="append",
        default=[],
        metavar="SYSTEM",
        help="a Nix system, such as aarch64-linux; repeatable",
    )
    targets.add_argument("--glibc", metavar="VERSION", help="newest glibc that wheels for Linux may ask for")
    targets.add_argument("--musl", metavar="VERSION", help="lock Linux for musl; the newest that wheels may ask for")
    targets.add_argument("--macos", metavar="VERSION", help="newest macOS that wheels for macOS may ask for")
    parts = parser.add_argument_group("extras and groups (default: the lock holds all, a build chooses)")
    parts.add_argument("--extra", action="append", metavar="NAME", help="lock this extra only; repeatable")
    parts.add_argument("--no-extras", action="store_true", help="lock no extra")
    parts.add_argument("--group", action="append", metavar="NAME", help="lock this group only; repeatable")
    parts.add_argument("--no-groups", action="store_true", help="lock no dependency group")
    resolver = add_resolution(parser)
    resolver.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="[PREFIX=]URL",
        help="read wheels below this URL, in place of host (or PREFIX) of the URLs that the lock gets; repeatable",
    )


def add_resolution(
    parser: argparse.ArgumentParser, *, upgrade: bool = True, builds: bool = True
) -> argparse._ArgumentGroup:
    """Add the arguments that say how uv resolves, and what is built; return the group of the first.

    Args:
        parser: that of the verb.
        upgrade: whether versions of the lock can be forgotten.
        builds: whether packages may be built; else none is.
    """
    resolver = parser.add_argument_group("resolution (as uv has it; UV_* variables and netrc count too)")
    if upgrade:
        resolver.add_argument("-U", "--upgrade", action="store_true", help="forget the versions of the existing lock")
        resolver.add_argument(
            "-P",
            "--upgrade-package",
            action="append",
            default=[],
            metavar="NAME",
            help="forget the version of this one",
        )
    for option, metavar in (
        ("--index", "[NAME=]URL"),
        ("--extra-index-url", "URL"),
        ("--find-links", "URL"),
        ("--constraints", "FILE"),
        ("--overrides", "FILE"),
    ):
        resolver.add_argument(option, action="append", default=[], metavar=metavar)
    for option, metavar in (
        ("--default-index", "URL"),
        ("--index-url", "URL"),
        ("--index-strategy", "STRATEGY"),
        ("--keyring-provider", "PROVIDER"),
        ("--prerelease", "MODE"),
        ("--resolution", "MODE"),
        ("--exclude-newer", "DATE"),
    ):
        resolver.add_argument(option, metavar=metavar)
    resolver.add_argument("--no-index", action="store_true")
    resolver.add_argument("--offline", action="store_true", help="take resolutions from uv's cache only")
    if not builds:
        parser.set_defaults(no_build=True, no_project=True, build_from_source=[])
        return resolver
    of_sources = parser.add_argument_group(
        "packages without a wheel (default: they are built from their source, by Nix)"
    )
    of_sources.add_argument("--no-build", action="store_true", help="refuse them, so that no code of a package runs")
    of_sources.add_argument(
        "--no-project", action="store_true", help="leave the project itself out, which is a package where it says so"
    )
    of_sources.add_argument(
        "--build-from-source",
        action="append",
        default=[],
        metavar="NAME",
        help="build this one though it has a wheel; repeatable",
    )
    return resolver


def run(options: argparse.Namespace) -> int:
    """Lock a project; return the exit code.

    Raises:
        NixgenError: with what stands in the way; nothing is written then.
    """
    from nixgen.cli.console import Console
    from nixgen.errors import InputError
    from nixgen.locking.project import lock_project, make_lock

    console = Console(quiet=options.quiet)
    request = _request(options)
    if options.check:
        made = make_lock(request, console)
        if made.changed:
            raise InputError(
                "the lock does not fit the requirements any more",
                where=", ".join(map(str, made.changed)),
                todo="run `nixgen lock`",
            )
        console.say("the lock is up to date")
        return 0
    say_locked(make_lock(request, console) if options.dry_run else lock_project(request, console), console, options)
    return 0


def say_locked(made: Locked, console: Console, options: argparse.Namespace) -> None:
    """Say what is locked, and what has changed since the lock of before."""
    from nixgen.cli.console import count, size
    from nixgen.cli.diff import lines
    from nixgen.comparison.difference import difference
    from nixgen.emit.tracked import untracked

    base = Path(options.directory)
    files = sum(len(index.files) for index in made.indexes.values())
    if made.indexes or made.npm is None:
        console.say(f"locked {count(len(made.indexes), 'wheel')} with {count(files, 'file')}")
    traffic = made.traffic
    if traffic.total:
        console.say(
            f"read {size(traffic.read)} of {size(traffic.total)} ({traffic.read / traffic.total:.1%}), "
            f"{size(max(0, traffic.total - traffic.read))} not downloaded"
        )
    if made.npm is not None:
        _say_npm(made.npm, console)
    if made.previous is not None:
        found = difference(made.previous, made.files.lock)
        for line in lines(found):
            console.say(line)
        if (found.python.added or found.python.changed) and (told := _lacking(made)):
            console.say(told)
        new = {change.name for change in found.npm.every}
        if made.npm is not None and new and (told := _lacking_npm(made.npm, new)):
            console.say(told)
    unknown = [] if options.dry_run else untracked(base)
    verb = "would write" if options.dry_run else "wrote"
    console.say(f"{verb} " + ", ".join(map(str, made.changed)) if made.changed else "nothing changed")
    if unknown:
        console.note(f"the flake sees tracked files only, and these are not: git add {' '.join(unknown)}")


def _say_npm(made: NpmLocked, console: Console) -> None:
    """Say what is locked of npm, and which packages would like to run something when they are installed."""
    from nixgen.cli.console import count, size

    packages = [package for package in made.section.packages if package.archive is not None]
    read = f", {size(made.downloaded)} downloaded" if made.downloaded else ""
    console.say(f"locked {count(len(packages), 'package')} of npm{read}")
    waiting = [package for package in made.with_scripts if package.name not in made.section.scripts]
    if waiting:
        console.say("install scripts, which do not run unless they are allowed:")
        for package in waiting:
            for name, script in package.scripts.items():
                console.say(f"  {package.name} {package.version} {name}: {script[:160]}")


def _lacking(made: Locked) -> str | None:
    """Return what of the lock's wheels this machine lacks, in a line; None where nothing, or there is no Nix to ask."""
    from nixgen.cli.console import count, size
    from nixgen.errors import NixError
    from nixgen.ingest.lacking import lacking
    from nixgen.store import Store

    try:
        found = lacking(made.indexes.values(), Store())
    except NixError:
        return None
    if not found.files:
        return None
    of = count(found.wheels, "wheel")
    return f"this machine lacks {count(found.files, 'file')} of {of}, {size(found.size)} unpacked"


def _lacking_npm(made: NpmLocked, new: Container[str]) -> str | None:
    """Return what of some packages of npm the store lacks, in a line; None where nothing, or there is no Nix to ask.

    Of others it may have what was unpacked, and the archives no more.
    """
    from nixgen.cli.console import count, size
    from nixgen.errors import NixError
    from nixgen.npm.fitting import fitting
    from nixgen.npm.supply import archive_path
    from nixgen.store import Store
    from nixgen.targets import default_system

    store, packages = Store(), fitting(made.section, default_system())
    try:
        wanted = [package for package in packages if package.archive is not None and package.name in new]
        archives = {archive_path(package, store.directory): package for package in wanted}
        missing = [archives[path] for path in store.invalid(archives)]
    except NixError:
        return None
    if not missing:
        return None
    indexes = [made.indexes.get(package.at) for package in missing]
    every = sum(index.unpacked for index in indexes if index is not None)
    at_least = "at least " if None in indexes else ""
    return f"the store lacks {count(len(missing), 'archive')} of npm's packages, {at_least}{size(every)} unpacked"


def _request(options: argparse.Namespace) -> Request:
    """Return what a command line asks to lock.

    Raises:
        UsageError: two options contradict each other.
    """
    from nixgen.errors import UsageError
    from nixgen.locking.project import Request
    from nixgen.locking.targets import Wish

    for one, other in (("extra", "no_extras"), ("group", "no_groups")):
        if getattr(options, one) and getattr(options, other):
            raise UsageError(f"--{one} and --{other.replace('_', '-')} contradict each other", todo="give one of them")
    return Request(
        base=Path(options.directory),
        inputs=tuple(map(Path, options.inputs)),
        targets=Wish(
            pythons=tuple(options.python),
            systems=tuple(options.system),
            glibc=options.glibc,
            musl=options.musl,
            macos=options.macos,
            standalone=options.standalone,
        ),
        extras=[] if options.no_extras else options.extra,
        groups=[] if options.no_groups else options.group,
        resolver=resolver_options(options),
        vendor=options.vendor,
        verify=options.verify,
        mirrors=tuple(options.mirror),
    )


def resolver_options(options: argparse.Namespace) -> ResolverOptions:
    """Return how a command line with the arguments of ``add_resolution`` wants uv to resolve."""
    from packaging.utils import canonicalize_name

    from nixgen.inputs.options import ResolverOptions

    return ResolverOptions(
        index=tuple(options.index),
        default_index=options.default_index,
        index_url=options.index_url,
        extra_index_url=tuple(options.extra_index_url),
        find_links=tuple(options.find_links),
        no_index=options.no_index,
        index_strategy=options.index_strategy,
        keyring_provider=options.keyring_provider,
        constraints=tuple(options.constraints),
        overrides=tuple(options.overrides),
        prerelease=options.prerelease,
        resolution=options.resolution,
        exclude_newer=options.exclude_newer,
        upgrade=getattr(options, "upgrade", False),
        upgrade_packages=tuple(getattr(options, "upgrade_package", ())),
        offline=options.offline,
        no_build=options.no_build or os.environ.get("UV_NO_BUILD", "").lower() in ("1", "true", "yes", "on"),
        no_project=options.no_project,
        from_source=tuple(map(canonicalize_name, options.build_from_source)),
    )
