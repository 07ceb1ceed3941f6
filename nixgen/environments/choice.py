"""Which environment of a lock is meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from nixgen.environments.request import Request
from nixgen.lock import Lock
from nixgen.model import LockedPackage, PythonArchive
from nixgen.names import LOCK_NAME
from nixgen.plan import choose
from nixgen.pythons import machine_python, managed_python
from nixgen.settings import Settings
from nixgen.store import Store
from nixgen.targets import ask_interpreter, default_system
from nixgen.ties import is_tied


@dataclass(frozen=True, kw_only=True)
class Choice:
    """An environment of a lock.

    Attributes:
        base: the project's directory.
        lock: its lock.
        packages: what the environment holds.
        python: version of its Python.
        interpreter: path of the interpreter to build with: the one that is given, or where the machine has none of that
            version where a build looks for it, the one that uv manages; None takes the machine's own.
        archive: the Python that the lock names, and Nix fetches to build with; None for another interpreter.
        member: the member of a workspace whose environment it is; None for the root's.
        extras, groups: as the Nix library takes them.
        settings: settings for Nix by name.
        libraries: directories of shared libraries.
        ignore_libraries: patterns of those that may be missing.
        editable: names of packages that are left out, to be installed on top.
        mirrors: from where wheels are fetched in place of the lock's URLs, as texts.
        caches: from where wheels and what is made of them are taken first, as texts.
        trusted_keys: public keys of whom Nix is to believe what caches give, beside its own.
    """

    base: Path
    lock: Lock
    packages: tuple[LockedPackage, ...]
    python: str
    interpreter: str | None
    archive: PythonArchive | None
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    libraries: tuple[str, ...] = ()
    ignore_libraries: tuple[str, ...] = ()
    editable: tuple[str, ...] = ()
    member: str | None = None
    mirrors: tuple[str, ...] = field(default=(), repr=False)
    caches: tuple[str, ...] = field(default=(), repr=False)
    trusted_keys: tuple[str, ...] = ()

    @property
    def untied(self) -> set[str]:
        """The file names of its wheels whose index is not known to be theirs."""
        wheels = (self.lock.wheels[package.wheel.filename] for package in self.packages)
        return {wheel.source.filename for wheel in wheels if not is_tied(wheel)}

    @classmethod
    def of(cls, request: Request) -> Choice:
        """Read the lock and choose.

        Raises:
            InputError: there is no lock, or it does not hold what is asked for.
        """
        lock = Lock.from_file(request.base / LOCK_NAME)
        python, interpreter = request.python, None
        if request.interpreter is not None:
            interpreter = _in_store(request.interpreter) or str(request.interpreter.absolute())
            python = ask_interpreter(request.interpreter).python
        groups = lock.default_groups if request.default_groups else ()
        groups = lock.groups if request.all_groups else tuple(dict.fromkeys([*groups, *request.groups]))
        extras = lock.extras if request.all_extras else tuple(dict.fromkeys(request.extras))
        locked, packages = choose(
            lock, system=default_system(), python=python, extras=extras, groups=groups, member=request.member
        )
        archive = locked.archive if interpreter is None else None
        if interpreter is None and archive is None:
            interpreter = _managed(request.base, locked.target.python)
        return cls(
            base=request.base,
            lock=lock,
            packages=packages,
            python=locked.target.python,
            interpreter=interpreter,
            archive=archive,
            extras=extras,
            groups=groups,
            settings=request.settings,
            libraries=tuple(str(path.resolve()) for path in request.libraries),
            ignore_libraries=request.ignore_libraries,
            member=request.member,
            editable=_editable(packages) if request.editable and _knows_editable(request.base) else (),
            mirrors=request.mirrors,
            caches=request.caches or Settings.read(request.base / "pyproject.toml").caches,
            trusted_keys=request.trusted_keys,
        )


def _managed(base: Path, version: str) -> str | None:
    """Return the Python of uv that a build takes where it finds none of the machine's; None where it finds one.

    What a user has written in nix/default.nix chooses by itself.
    """
    from nixgen.emit.default import is_our_default
    from nixgen.names import NIX_DIRECTORY

    default = base / NIX_DIRECTORY / "default.nix"
    if machine_python(version) is not None or not (default.is_file() and is_our_default(default)):
        return None
    found = managed_python(f"@{version}")
    return None if found is None else str(found)


def _in_store(python: Path) -> str | None:
    """Return what an interpreter in a profile links to: builds see the store, and not the profile."""
    resolved = str(python.resolve())
    return resolved if resolved.startswith(Store().directory + "/") else None


def _editable(packages: Iterable[LockedPackage]) -> tuple[str, ...]:
    """Return the names of the packages that lie in the project's directory."""
    return tuple(
        package.name
        for package in packages
        if package.wheel.source is not None
        and package.wheel.source.directory is not None
        and not package.wheel.source.directory.startswith(("/", "../"))
    )


def _knows_editable(base: Path) -> bool:
    """Tell whether nix/default.nix, which is the user's, takes the argument: one of before it does not."""
    default = base / "nix" / "default.nix"
    return default.is_file() and b"editable" in default.read_bytes()
