"""What uv says: one resolution or one export, as the text of a lock.

uv is told not to build at first (``--no-build``), and no code of a package runs. Where a package has only source
distributions, that cannot be resolved: then uv may build, to learn what such packages need. Where nobody may, the
package is left out (``--excludes``) and named, and uv runs again, until every such package is known and can be listed
in one error. Where the existing lock has packages that had to be built, uv may build at once: one run in place of two.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from packaging.pylock import Package, Pylock
from packaging.utils import canonicalize_name

from nixgen.errors import InputError
from nixgen.inputs import running
from nixgen.inputs.options import ResolverOptions
from nixgen.inputs.pylock import parse
from nixgen.inputs.sources import Unusable
from nixgen.targets import Target
from nixgen.temporary import temporary_directory

_log = logging.getLogger(__name__)

#: The minor versions of glibc 2 that uv has a platform for.
_GLIBC = (17, 28, *range(31, 41))

#: How many packages without a wheel are looked for before the list is called long enough.
MOST_UNUSABLE = 50

_UNUSABLE = re.compile(
    r"Wheels are required for `(?P<wheel>[^`]+)` because"
    r"|Building source distributions for `(?P<build>[^`]+)` is"
)
_UNUSABLE_VERSION = re.compile(r"(?P<name>[\w.-]+)==(?P<version>\S+) has no usable wheels")
_NO_PYTHON = re.compile(
    r"No interpreter found|Failed to inspect Python|incompatible with the project's Python requirement"
    r"|No Python interpreter"
)
#: What uv says where it would have to run code of a project to know its metadata.
_WOULD_BUILD = re.compile(r"Building source distributions")
_STALE = re.compile(r"needs to be updated|Unable to find lockfile|Failed to parse `?uv\.lock")


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """What one run of uv gave.

    Attributes:
        lock: the packages.
        directory: what the lock's relative paths start from; need not exist any more.
        unusable: packages that were left out because they have only source distributions.
        warnings: what uv warned of, without credentials: a yanked version, an extra that is not there.
        may_have_built: whether uv was allowed to run builds of packages, to learn what they need.
    """

    lock: Pylock
    directory: Path
    unusable: tuple[Unusable, ...] = ()
    warnings: tuple[str, ...] = ()
    may_have_built: bool = False


class WouldBuildError(Exception):
    """uv cannot go on without running code of a project; its message is the argument."""


def compile_requirements(
    sources: Sequence[str],
    *,
    python: str,
    cwd: Path,
    where: str,
    options: ResolverOptions,
    preferences: Mapping[str, str] | None = None,
    agree_with: Pylock | None = None,
    exclude: Iterable[str] = (),
    system: Target | None = None,
) -> Resolution:
    """Resolve requirements for one Python, and every system at once (``uv pip compile --universal``) or one.

    Args:
        sources: files and options that say what is wanted, as uv's arguments.
        python: full version.
        cwd: directory to run in: the input's own, where uv looks for its settings.
        where: the input's name, for errors.
        options: how to resolve.
        preferences: versions to keep where they still fit, by name.
        agree_with: a larger resolution whose versions must be taken.
        exclude: packages to leave out from the start.
        system: a target, whose system is the only one; None for every system that uv knows.

    Raises:
        InputError: uv cannot resolve them; carries uv's own message.
        NetworkError: an index does not answer.
    """
    unusable: dict[str, Unusable] = {}
    warnings: list[str] = []
    with temporary_directory() as created:
        scratch = created.resolve()
        output = scratch / "pylock.toml"
        arguments = [
            *("pip", "compile", *sources, "--format", "pylock.toml", "--no-header"),
            *(["--universal"] if system is None else ["--python-platform", _platform(system)]),
            *("--python", sys.executable, "--python-version", python, "--output-file", os.fspath(output)),
            *options.compile_arguments(),
        ]
        if agree_with is not None:
            arguments += ["--constraints", _written(scratch / "constraints.txt", _pins(agree_with.packages))]
        excluded: set[str] = {canonicalize_name(name) for name in exclude}
        never = ["--no-build"] if options.no_build or not options.from_source else []
        built = set(options.from_source)

        def attempt() -> Pylock:
            output.unlink(missing_ok=True)
            if preferences:
                output.write_text(_preferences_text(preferences), encoding="utf-8")
            more = ["--excludes", _written(scratch / "excludes.txt", sorted(excluded))] if excluded else []
            running.run([*arguments, *never, *more], cwd=cwd, variables=options.environment(), warnings=warnings)
            return parse(output.read_text(encoding="utf-8"), where=f"{where} (resolved by uv)")

        lock: Pylock | None = None
        if options.built and never and not options.no_build:
            never, built = [], set(options.built)
            with contextlib.suppress(running.UvFailure):
                lock = attempt()
            if lock is None or (agree_with is None and not _needs_builds(lock, built)):
                lock, never = None, ["--no-build"]
                warnings.clear()
        while lock is None:
            try:
                lock = attempt()
            except running.UvFailure as failure:
                found = _without_wheel(str(failure))
                new = {name: item for name, item in found.items() if name not in excluded}
                if new and never and not options.no_build:
                    never = []
                    built |= new.keys()
                    warnings.clear()
                elif new and len(unusable) < MOST_UNUSABLE:
                    unusable |= new
                    excluded |= new.keys()
                elif unusable:
                    raise _only_sources(unusable.values(), where) from failure
                else:
                    raise running.explain(failure, where) from failure
    if built:
        warnings.append(
            f"uv was allowed to run builds, outside of Nix, to learn what packages without a wheel need: "
            f"{', '.join(sorted(built))} (--no-build refuses them)"
        )
    return Resolution(
        lock=lock,
        directory=scratch,
        unusable=tuple(unusable.values()),
        warnings=tuple(warnings),
        may_have_built=not never,
    )


def held_back(
    sources: Sequence[str], resolution: Resolution, *, python: str, cwd: Path, options: ResolverOptions
) -> list[str]:
    """Return what uv warned of, and a note for each direct requirement whose newest version has no wheel.

    uv passes over such a version when it may not build, and would not say so. Asked without dependencies, it
    needs no build to name it (measured with uv 0.13: it builds what is required by path or URL only). Where
    anything was left out, it is not asked, since that may be just such a requirement.
    """
    if resolution.unusable or resolution.may_have_built:
        return list(resolution.warnings)
    with temporary_directory() as created:
        output = created.resolve() / "pylock.toml"
        arguments = [
            *(
                "pip",
                "compile",
                *sources,
                "--universal",
                "--format",
                "pylock.toml",
                "--no-header",
                "--no-deps",
            ),
            *("--python", sys.executable, "--python-version", python, "--output-file", os.fspath(output)),
            *options.compile_arguments(),
        ]
        try:
            running.run(arguments, cwd=cwd, variables=options.environment())
            newest = parse(output.read_text(encoding="utf-8"), where="uv")
        except (running.UvFailure, InputError):
            return list(resolution.warnings)  # only a note is lost
    locked = {package.name: package for package in resolution.lock.packages}
    return [
        *resolution.warnings,
        *(
            f"{package.name} {package.version} has no wheel; {locked[package.name].version} is locked instead"
            for package in newest.packages
            if package.sdist is not None
            and not package.wheels
            and package.name in locked
            and package.version is not None
            and (version := locked[package.name].version) is not None
            and version < package.version
        ),
    ]


def export(arguments: Sequence[str], *, cwd: Path, where: str, options: ResolverOptions, locked: bool) -> Resolution:
    """Export part of a project's ``uv.lock``.

    Args:
        arguments: which part, as options of ``uv export``.
        cwd: the project's directory.
        where: the lock's name, for errors.
        options: the indexes, which uv compares with the lock's.
        locked: whether uv checks that the lock fits ``pyproject.toml``, with an interpreter that fits both.

    Raises:
        InputError: the lock is stale or broken.
        LookupError: no interpreter on this machine fits the project, so that nothing could be checked.
        WouldBuildError: nor could it be without running code of the project, which is not done.
    """
    with temporary_directory() as created:
        output = created.resolve() / "pylock.toml"
        command = [
            *("export", "--format", "pylock.toml", "--no-emit-project", "--no-header", *arguments),
            *("--output-file", os.fspath(output)),
            *(["--locked", "--no-build", *options.shared_arguments()] if locked else ["--frozen"]),
        ]
        warnings: list[str] = []
        try:
            running.run(command, cwd=cwd, variables=options.environment() if locked else {}, warnings=warnings)
        except running.UvFailure as failure:
            if locked and _NO_PYTHON.search(str(failure)):
                raise LookupError(str(failure)) from failure
            if locked and _WOULD_BUILD.search(str(failure)):
                raise WouldBuildError(str(failure)) from failure
            if _STALE.search(str(failure)):
                raise InputError(
                    f"uv.lock does not fit pyproject.toml:{running.indented(str(failure))}",
                    where=where,
                    todo="run `uv lock` (with the same index options)",
                ) from failure
            raise running.explain(failure, where) from failure
        return Resolution(
            lock=parse(output.read_text(encoding="utf-8"), where=f"{where} (exported by uv)"),
            directory=output.parent,
            warnings=tuple(warnings),
        )


def _platform(target: Target) -> str:
    """Return uv's name of a target's system."""
    architecture = target.system.partition("-")[0]
    if target.libc == "macos":
        return f"{architecture}-apple-darwin"
    if target.libc == "musl":
        return f"{architecture}-unknown-linux-musl"
    known = [minor for minor in _GLIBC if (2, minor) <= target.floor]
    return f"{architecture}-manylinux_2_{max(known, default=min(_GLIBC))}"


def _only_sources(unusable: Iterable[Unusable], where: str) -> InputError:
    listed = "".join(f"\n    {f'{item.name} {item.version}'.strip()}: {item.reason}" for item in sorted(unusable))
    return InputError(
        f"these packages have no wheel that can be used, and there may be more:{listed}",
        where=where,
        todo=Unusable(name="", version="", reason="").todo,
    )


def _without_wheel(message: str) -> dict[str, Unusable]:
    """Return the packages that uv could not use because it may not build."""
    text = " ".join(message.split())
    versions = {match["name"]: match["version"].rstrip(",.") for match in _UNUSABLE_VERSION.finditer(text)}
    found: dict[str, Unusable] = {}
    for match in _UNUSABLE.finditer(text):
        name = canonicalize_name(match["wheel"] or match["build"])
        reason = "only a source distribution" if match["wheel"] else "a directory, repository or source archive"
        found[name] = Unusable(name=name, version=versions.get(name, ""), reason=reason)
    return found


def without_wheels(lock: Pylock) -> set[str]:
    """Return the names of the packages of an index that have a source distribution alone."""
    return {package.name for package in lock.packages if package.sdist is not None and not package.wheels}


def _needs_builds(lock: Pylock, built: set[str]) -> bool:
    """Tell whether packages that had to be built are in a resolution still: uv would not find wheels for all."""
    kept = built.intersection(package.name for package in lock.packages)
    alone = without_wheels(lock)
    return bool(kept and (kept & alone or not alone))


def _pins(packages: Iterable[Package]) -> list[str]:
    return [
        f"{package.name}=={package.version}" + (f" ; {package.marker}" if package.marker else "")
        for package in packages
        if package.version is not None and not (package.vcs or package.directory or package.archive)
    ]


def _preferences_text(preferences: Mapping[str, str]) -> str:
    """Return a lock that uv reads as the earlier output: names and versions suffice."""
    lines = ['lock-version = "1.0"', 'created-by = "nixgen"']
    for name, version in sorted(preferences.items()):
        lines += ["[[packages]]", f'name = "{canonicalize_name(name)}"', f'version = "{version}"']
    return "\n".join([*lines, ""])


def _written(path: Path, lines: Iterable[str]) -> str:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return os.fspath(path)
