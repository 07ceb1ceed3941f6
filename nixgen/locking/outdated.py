"""Which packages of a lock have newer versions: those that the requirements allow, and any."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from packaging.version import InvalidVersion, Version

from nixgen.environments.choice import Choice
from nixgen.environments.graph import source_of, target_of
from nixgen.inputs import read, uv
from nixgen.inputs.edit import lock_with_uv, restored
from nixgen.inputs.options import ResolverOptions
from nixgen.locking.again import deciding_lock
from nixgen.observer import SILENT, Observer
from nixgen.settings import Settings
from nixgen.targets import Target
from nixgen.temporary import temporary_directory


@dataclass(frozen=True, kw_only=True)
class Outdated:
    """A package of which there is a newer version.

    Attributes:
        name: the package.
        current: the version in the lock.
        allowed: the newest that the requirements allow; None where another tool's lock decides.
        latest: the newest with a wheel for the target, whatever is required; None where no index has it.
    """

    name: str
    current: str
    allowed: str | None
    latest: str | None


def outdated(choice: Choice, options: ResolverOptions, observer: Observer = SILENT) -> list[Outdated]:
    """Return the packages of an environment that have newer versions, sorted by name; uv asks the indexes.

    Packages that come from no index are left out.

    Args:
        choice: the environment.
        options: how uv resolves.
        observer: is told what goes on.

    Raises:
        InputError: the requirements cannot be resolved.
        NetworkError: an index does not answer.
    """
    target = target_of(choice).target
    settings = Settings.read(choice.base / "pyproject.toml")
    options = replace(
        options,
        no_build=options.no_build or settings.no_build,
        from_source=tuple(dict.fromkeys([*options.from_source, *settings.from_source])),
    )
    current = {
        package.name: package.version
        for package in choice.packages
        if source_of(package.wheel)[0] in ("index", "archive")
    }
    with observer.waiting("asking the index"):
        allowed: Mapping[str, str] | None = None
        decides = deciding_lock(choice.base)
        if decides is None:
            newest = replace(options, upgrade=True)
            with restored([choice.base / "uv.lock"], always=True):
                lock_with_uv(choice.base, newest)
                asked = read((), targets=[target], base=choice.base, options=newest)
            allowed = {package.name: package.version for package in asked.selections[target.key].packages}
        else:
            observer.note(f"{decides} decides the versions: what it would allow is its tool's to say")
        latest = _latest(current, target, choice, options)
    found = [
        Outdated(
            name=name,
            current=version,
            allowed=None if allowed is None else allowed.get(name),
            latest=latest.get(name),
        )
        for name, version in sorted(current.items())
    ]
    return [one for one in found if any(_is_newer(other, one.current) for other in (one.allowed, one.latest))]


def _latest(names: Iterable[str], target: Target, choice: Choice, options: ResolverOptions) -> dict[str, str]:
    """Return the newest version of each package by itself, whatever others ask for."""
    listed = sorted(names)
    if not listed:
        return {}
    with temporary_directory() as directory:
        file = directory.resolve() / "requirements.txt"
        file.write_text("".join(f"{name}\n" for name in listed), encoding="utf-8")
        resolution = uv.compile_requirements(
            [str(file)],
            python=target.full_version,
            cwd=choice.base,
            where="the index",
            options=replace(options, constraints=(), overrides=(), extra=(*options.extra, "--no-deps"), upgrade=True),
            system=target,
        )
    return {str(package.name): str(package.version) for package in resolution.lock.packages}


def _is_newer(version: str | None, than: str) -> bool:
    try:
        return version is not None and Version(version) > Version(than)
    except InvalidVersion:
        return version != than
