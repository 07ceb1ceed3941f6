"""What to lock for, of what the user says, what the existing lock has, and what this machine is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from nixgen.errors import UsageError
from nixgen.lock import Lock
from nixgen.pythons import find_python
from nixgen.targets import Target, ask_interpreter, default_system, default_version


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a user says of the targets; what is left open, the existing lock or the machine decides.

    Attributes:
        pythons: versions (``3.11``, ``3.12.4``, ``3.13t``) and paths of interpreters.
        systems: Nix systems.
        glibc, musl, macos: newest version of each that wheels may ask for.
        standalone: whether the lock names a Python that is fetched.
    """

    pythons: tuple[str, ...] = ()
    systems: tuple[str, ...] = ()
    glibc: str | None = None
    musl: str | None = None
    macos: str | None = None
    standalone: bool | None = None


def choose_targets(wish: Wish, previous: Lock | None, default: Callable[[], str] = default_version) -> list[Target]:
    """Return what to lock for: what the user says, for the rest what the existing lock has, else the project.

    A Nix system does not tell glibc from musl, so a lock has one of them: an environment has no way to choose.

    Args:
        wish: what the user says.
        previous: the existing lock.
        default: gives the Python that the project asks for, as ``--python`` takes it.

    Raises:
        UsageError: an option is not understood, or one system would have both glibc and musl.
        InputError: an interpreter cannot be asked.
    """
    held = [locked.target for locked in previous.targets] if previous else []
    if held and replace(wish, standalone=None) == Wish():
        return held
    systems: list[str | None] = list(wish.systems or dict.fromkeys(target.system for target in held)) or [None]
    pythons = list(wish.pythons or dict.fromkeys(_asked(target) for target in held)) or [default()]
    kept = {target.system: target for target in held}
    found: dict[str, Target] = {}
    for python in pythons:
        for system in systems:
            asked = ask_interpreter(python) if _is_path(python) else None
            if asked is not None and not wish.systems and _libc(wish, asked.system) == {}:
                target = asked
            else:
                version = python if asked is None else _asked(asked)
                chosen = system or (default_system() if asked is None else asked.system)
                libc = _libc(wish, chosen)
                if not libc and chosen in kept:
                    libc = {kept[chosen].libc: "{}.{}".format(*kept[chosen].floor)}
                target = Target.parse(version, chosen, **libc)
            found.setdefault(target.key, target)
    _refuse_two_libcs(found.values())
    return list(found.values())


def lacking(targets: Iterable[Target]) -> Iterator[str]:
    """Yield a line for each target that this machine has the system of, and no Python that a build would find."""
    try:
        system = default_system()
    except UsageError:
        return
    for target in targets:
        if target.system == system and find_python(target.python) is None:
            yield (
                f"this machine has no Python {target.python}, which `nixgen build` needs: "
                f"`uv python install {target.python}`; or nixpkgs' Python, through `nixgen init`; or name one "
                "(`nixgen build --python PATH`); or lock one that is fetched (`nixgen lock --standalone`)"
            )


def _libc(wish: Wish, system: str) -> dict[str, str]:
    """Return what the user says of a system's libc, as ``Target.parse`` takes it."""
    names = ["macos"] if system.endswith("-darwin") else ["glibc", "musl"]
    return {name: value for name in names if (value := getattr(wish, name)) is not None}


def _refuse_two_libcs(targets: Iterable[Target]) -> None:
    libcs: dict[str, str] = {}
    for target in targets:
        if libcs.setdefault(target.system, target.libc) != target.libc:
            raise UsageError(
                "one lock cannot hold targets for glibc and for musl",
                where=target.system,
                todo="lock in two directories, or name one with --glibc or --musl",
            )


def _asked(target: Target) -> str:
    """Return a target's Python as ``--python`` takes it."""
    return target.full_version + ("t" if target.free_threaded else "")


def _is_path(python: str) -> bool:
    return "/" in python
