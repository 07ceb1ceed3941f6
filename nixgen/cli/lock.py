"""Read requirements and write nixgen.lock and nix/.

INPUT is a pylock.toml (PEP 751), a pyproject.toml, or requirements files (.in, .txt);
without one, the first of these in the project's directory is taken. Requirements are
resolved by uv; versions in an existing nixgen.lock are kept unless --upgrade says otherwise.
Wheels are not downloaded: their directories are read with HTTP ranges where the server
allows it. Commit nixgen.lock and nix/.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nixgen.inputs.options import ResolverOptions
    from nixgen.lock import Lock
    from nixgen.model import WheelIndex, WheelSource
    from nixgen.targets import Target


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the verb's arguments."""
    parser.add_argument("inputs", nargs="*", metavar="INPUT", help="pylock.toml, pyproject.toml or requirements files")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 3 if the lock or nix/ would change")
    parser.add_argument(
        "--verify", action="store_true", help="download every wheel and check every file against its RECORD"
    )
    targets = parser.add_argument_group("targets (default: those of the existing lock, else this machine's)")
    targets.add_argument(
        "--python",
        action="append",
        metavar="PYTHON",
        help="a version (3.11, 3.12.4, 3.13t) or the path of an interpreter; repeatable",
    )
    targets.add_argument(
        "--system", action="append", metavar="SYSTEM", help="a Nix system, such as aarch64-linux; repeatable"
    )
    targets.add_argument("--glibc", metavar="VERSION", help="newest glibc that wheels for Linux may ask for")
    targets.add_argument("--musl", metavar="VERSION", help="lock Linux for musl; the newest that wheels may ask for")
    targets.add_argument("--macos", metavar="VERSION", help="newest macOS that wheels for macOS may ask for")
    parts = parser.add_argument_group("extras and groups (default: the lock holds all, a build chooses)")
    parts.add_argument("--extra", action="append", metavar="NAME", help="lock this extra only; repeatable")
    parts.add_argument("--no-extras", action="store_true", help="lock no extra")
    parts.add_argument("--group", action="append", metavar="NAME", help="lock this group only; repeatable")
    parts.add_argument("--no-groups", action="store_true", help="lock no dependency group")
    resolver = parser.add_argument_group("resolution (as uv has it; UV_* variables and netrc count too)")
    resolver.add_argument("-U", "--upgrade", action="store_true", help="forget the versions of the existing lock")
    resolver.add_argument(
        "-P", "--upgrade-package", action="append", default=[], metavar="NAME", help="forget the version of this one"
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


def run(options: argparse.Namespace) -> int:
    """Lock a project; return the exit code.

    Raises:
        NixgenError: with what stands in the way; nothing is written then.
    """
    from nixgen import inputs
    from nixgen.cli.console import Console, count, size
    from nixgen.credentials import Credentials
    from nixgen.emit.project import changes, write_project
    from nixgen.errors import InputError, UsageError
    from nixgen.lock import LOCK_NAME
    from nixgen.plan import plan
    from nixgen.settings import Settings

    console = Console(quiet=options.quiet)
    base = Path(options.directory)
    if not base.is_dir():
        raise UsageError("there is no such directory", where=str(base), todo="give the project's directory with -C")
    for one, other in (("extra", "no_extras"), ("group", "no_groups")):
        if getattr(options, one) and getattr(options, other):
            raise UsageError(f"--{one} and --{other.replace('_', '-')} contradict each other", todo="give one of them")
    settings = Settings.read(base / "pyproject.toml")
    previous = _previous(base / LOCK_NAME)
    targets = choose_targets(options, previous)
    resolver = _resolver_options(options)
    with console.status("resolving"):
        read = inputs.read(
            [Path(path) for path in options.inputs],
            targets=targets,
            base=base,
            extras=[] if options.no_extras else options.extra,
            groups=[] if options.no_groups else options.group,
            preferences=_versions(previous),
            options=resolver,
        )
    for note in read.notes:
        console.say(f"note: {note}")
    console.say(f"reading {read.origin} for {_listed(targets)}")
    auth = Credentials.from_environment(read.urls_with_login, read.indexes).auth()
    sources = _sources(read.selections.values())
    indexes, traffic = _index(sources, previous, base, options.verify, auth, console)
    for index in indexes.values():
        for warning in index.warnings:
            console.say(f"warning: {index.source.filename}: {warning}")
    lock = plan(read.selections, targets, indexes, settings.prefer, settings.placement)
    for note in settings.unmet(lock.wheels.values()):
        console.say(f"note: {note}")
    if options.check:
        changed = changes(base, lock)
        if changed:
            raise InputError(
                "the lock does not fit the requirements any more",
                where=", ".join(map(str, changed)),
                todo="run `nixgen lock`",
            )
        console.say("the lock is up to date")
        return 0
    changed = write_project(base, lock)
    files = sum(len(index.files) for index in lock.wheels.values())
    console.say(f"locked {count(len(lock.wheels), 'wheel')} with {count(files, 'file')}")
    if traffic.total:
        share = traffic.read / traffic.total
        console.say(
            f"read {size(traffic.read)} of {size(traffic.total)} ({share:.1%}), "
            f"{size(max(0, traffic.total - traffic.read))} not downloaded"
        )
    console.say("wrote " + ", ".join(map(str, changed)) if changed else "nothing changed")
    return 0


def choose_targets(options: argparse.Namespace, previous: Lock | None) -> list[Target]:
    """Return what to lock for: what the options say, for the rest what the existing lock has, else this machine.

    A Nix system does not tell glibc from musl, so a lock has one of them: an environment has no way to choose.

    Raises:
        UsageError: an option is not understood, or one system would have both glibc and musl.
        InputError: an interpreter cannot be asked.
    """
    from nixgen.targets import Target, ask_interpreter, default_python, default_system

    held = [locked.target for locked in previous.targets] if previous else []
    if held and not (options.python or options.system or options.glibc or options.musl or options.macos):
        return held
    systems: list[str | None] = list(options.system or dict.fromkeys(target.system for target in held)) or [None]
    pythons = list(options.python or dict.fromkeys(_asked(target) for target in held)) or [default_python()]
    kept = {target.system: target for target in held}
    found: dict[str, Target] = {}
    for python in pythons:
        for system in systems:
            asked = ask_interpreter(python) if _is_path(python) else None
            if asked is not None and options.system is None and _libc(options, asked.system) == {}:
                target = asked
            else:
                version = python if asked is None else _asked(asked)
                chosen = system or (default_system() if asked is None else asked.system)
                libc = _libc(options, chosen)
                if not libc and chosen in kept:
                    libc = {kept[chosen].libc: "{}.{}".format(*kept[chosen].floor)}
                target = Target.parse(version, chosen, **libc)
            found.setdefault(target.key, target)
    _refuse_two_libcs(found.values())
    return list(found.values())


def _libc(options: argparse.Namespace, system: str) -> dict[str, str]:
    """Return what the options say of a system's libc, as ``Target.parse`` takes it."""
    names = ["macos"] if system.endswith("-darwin") else ["glibc", "musl"]
    return {name: value for name in names if (value := getattr(options, name)) is not None}


def _refuse_two_libcs(targets: Iterable[Target]) -> None:
    from nixgen.errors import UsageError

    libcs: dict[str, str] = {}
    for target in targets:
        if libcs.setdefault(target.system, target.libc) != target.libc:
            raise UsageError(
                "one lock cannot hold targets for glibc and for musl",
                where=target.system,
                todo="lock in two directories, or name one with --glibc or --musl",
            )


def _listed(targets: Sequence[Target]) -> str:
    """Name some targets in a message: one by one while they are few, else by system."""
    if len(targets) < 4:
        return ", ".join(map(str, targets))
    by_system: dict[str, list[str]] = {}
    for target in targets:
        by_system.setdefault(target.system, []).append(target.python)
    return "; ".join(f"Python {', '.join(pythons)} on {system}" for system, pythons in by_system.items())


def _asked(target: Target) -> str:
    """Return a target's Python as ``--python`` takes it."""
    return target.full_version + ("t" if target.free_threaded else "")


def _is_path(python: str) -> bool:
    return "/" in python


def _previous(path: Path) -> Lock | None:
    """Return the existing lock, for its versions, targets and indexes; None where there is none that can be read."""
    from nixgen.errors import InputError
    from nixgen.lock import Lock

    try:
        return Lock.from_file(path)
    except InputError:
        return None


def _versions(previous: Lock | None) -> dict[str, str]:
    if previous is None:
        return {}
    return {package.name: package.version for locked in previous.targets for package in locked.packages}


def _resolver_options(options: argparse.Namespace) -> ResolverOptions:
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
        upgrade=options.upgrade,
        upgrade_packages=tuple(options.upgrade_package),
        offline=options.offline,
    )


def _sources(selections: Any) -> dict[str, WheelSource]:
    """Return every wheel once, by file name.

    Raises:
        InputError: one name stands for two different wheels.
    """
    from nixgen.errors import InputError

    found: dict[str, WheelSource] = {}
    for selection in selections:
        for package in selection.packages:
            wheel = package.wheel
            known = found.setdefault(wheel.filename, wheel)
            if known.sha256 != wheel.sha256:
                raise InputError(
                    f"two different wheels are called {wheel.filename}",
                    where=f"{known.url or known.path} and {wheel.url or wheel.path}",
                    todo="take both targets from one index",
                )
    return found


def _index(
    sources: Mapping[str, WheelSource],
    previous: Lock | None,
    base: Path,
    verify: bool,
    auth: Any,
    console: Any,
) -> tuple[dict[str, WheelIndex], Any]:
    """Return the index of every wheel, from the existing lock where it has the same wheel, and the traffic."""
    from dataclasses import replace

    from nixgen.model import Traffic
    from nixgen.wheels.index import index_all

    known: dict[str, WheelIndex] = {}
    if previous is not None and not verify:
        for filename, source in sources.items():
            index = previous.wheels.get(filename)
            if index is not None and source.sha256 is not None and index.source.sha256 == source.sha256:
                known[filename] = replace(index, source=replace(source, size=index.source.size))
    wanted: Sequence[WheelSource] = [source for name, source in sources.items() if name not in known]
    if not wanted:
        return known, Traffic()
    with console.progress("reading wheels") as progress:
        indexes, traffic = index_all(wanted, base=base, verify=verify, auth=auth, progress=progress)
    return known | {index.source.filename: index for index in indexes}, traffic
