"""From selections and indexes to a lock: which wheels a target has, and whether they fit into one environment.

Pure: no files, no network, no clock.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from .errors import InputError
from .lock import Lock, TargetLock
from .model import Built, Clause, LockedPackage, LockedWheel, Overrides, Selection, WheelIndex
from .targets import Target
from .wheels.schemes import installed_path
from .wheels.text import index_hash

#: Given the names of packages, tells for each which packages it asks for.
Requires = Callable[[Sequence[str]], Mapping[str, Container[str]]]


@dataclass(frozen=True, kw_only=True)
class Collision:
    """One path of an environment that several packages fill differently.

    Attributes:
        path: relative to the environment.
        packages: who brings something for it, sorted.
        directory: whether one of them has a directory there.
    """

    path: str
    packages: tuple[str, ...]
    directory: bool = False


def plan(
    selections: Mapping[str, Selection],
    targets: Sequence[Target],
    indexes: Mapping[str, WheelIndex],
    prefer: Mapping[str, str] | None = None,
    overrides: Mapping[str, Overrides] | None = None,
    verified: Container[str] = (),
    requires: Requires | None = None,
    built: Built | None = None,
) -> Lock:
    """Return the lock of some targets.

    Args:
        selections: what each target needs, by the target's key.
        targets: in the order in which they are preferred.
        indexes: the index of every wheel that the selections name and builds need, by file name; none of a wheel of
            which nothing is pinned.
        prefer: pattern of paths in an environment (``fnmatch``) to the package whose file stands there.
        overrides: what the user says of placement, by package; nothing else of the kind gets into the lock.
        verified: file names of the wheels of which every file was seen.
        requires: tells which of some packages ask for which, so that one wheel can win over another; None where none
            may.
        built: what was built of sources, and how.

    Raises:
        InputError: where wheels of one environment have different files for one path, naming all such paths.
    """
    builds = {} if built is None else built.builds

    def locked_wheel(package: LockedPackage) -> LockedWheel:
        filename = package.wheel.filename
        return LockedWheel(
            source=package.wheel,
            name=package.name,
            index=index_hash(indexes[filename]) if filename in indexes else None,
            verified=filename in verified,
            overrides=(overrides or {}).get(package.name, Overrides()),
            build=builds.get(filename),
        )

    locked = []
    used: dict[str, LockedWheel] = {}
    names: dict[str, set[str]] = {"extras": set(), "groups": set(), "default_groups": set(), "members": set()}
    for target in targets:
        selection = selections[target.key]
        packages = _merged(selection.packages, indexes)
        collisions = find_collisions(packages, indexes, target)
        settled, open_collisions = _settle(collisions, prefer or {})
        if requires is not None:
            ruled, open_collisions = _rule(open_collisions, requires)
            settled |= ruled
        reachable = [c for c in open_collisions if _reachable(c, packages, selection)]
        if reachable:
            raise _collision_error(reachable, target)
        locked.append(TargetLock(target=target, packages=packages, prefer=settled))
        for package in packages:
            used[package.wheel.filename] = locked_wheel(package)
        for kind, values in names.items():
            values.update(getattr(selection, kind))
    tools = [package for package in (built.tools if built else ()) if package.wheel.filename not in used]
    tools = [*_merged(tools, indexes)]
    used |= {package.wheel.filename: locked_wheel(package) for package in tools}
    choices = {kind: tuple(sorted(values)) for kind, values in names.items()}
    return Lock(
        targets=tuple(locked),
        wheels=used,
        tools=tuple(tools),
        extras=choices["extras"],
        groups=choices["groups"],
        default_groups=choices["default_groups"],
        members=choices["members"],
    )


def _merged(packages: Iterable[LockedPackage], indexes: Mapping[str, WheelIndex]) -> tuple[LockedPackage, ...]:
    """Return packages with what their indexes know of their wheels; of those with one wheel, one that all want."""
    found: dict[str, LockedPackage] = {}
    for package in packages:
        filename = package.wheel.filename
        other = found.get(filename, package)
        when = package.when if other is package else tuple(dict.fromkeys([*other.when, *package.when]))
        wheel = indexes[filename].source if filename in indexes else package.wheel
        found[filename] = replace(package, wheel=wheel, when=when)
    return tuple(found.values())


def installed_paths(index: WheelIndex, python: str) -> Iterator[tuple[str, str]]:
    """Yield where each file of a wheel goes, relative to the environment, with what tells its content from another's.

    Commands count with their object reference as content; RECORD does not count, since no two wheels share one.

    Args:
        index: the wheel's index.
        python: version of the target's Python, ``3.11``.
    """
    # sysconfig's scheme "venv"; nix/builders/layout.py installs by the same table.
    roots = {
        "site": f"lib/python{python}/site-packages/",
        "scripts": "bin/",
        "headers": f"include/site/python{python}/{index.name}/",
        "data": "",
    }
    for path, file in index.files.items():
        scheme, inner = installed_path(path, index.data_dir)
        yield roots[scheme] + inner, file.sha256
    for name, reference in {**index.console_scripts, **index.gui_scripts}.items():
        yield f"bin/{name}", reference


def find_collisions(
    packages: Iterable[LockedPackage], indexes: Mapping[str, WheelIndex], target: Target
) -> list[Collision]:
    """Return the paths that several packages of a target fill differently, sorted.

    A file where another wheel has a directory counts too, and on macOS, whose usual file system folds case, names that
    differ in case only.
    """
    fold = target.system.endswith("-darwin")
    contents: dict[str, dict[str, set[str]]] = {}
    directories: dict[str, set[str]] = {}
    spelling: dict[str, str] = {}
    for package in packages:
        if package.wheel.filename not in indexes:
            continue  # nobody knows yet what will be built
        for path, content in installed_paths(indexes[package.wheel.filename], target.python):
            key = path.casefold() if fold else path
            spelling.setdefault(key, path)
            contents.setdefault(key, {}).setdefault(content, set()).add(package.name)
            parent = key.rpartition("/")[0]
            while parent and package.name not in directories.setdefault(parent, set()):
                directories[parent].add(package.name)
                parent = parent.rpartition("/")[0]
    found = []
    for key, by_content in contents.items():
        owners = set().union(*by_content.values())
        if len(by_content) > 1 and len(owners) > 1:
            found.append(Collision(path=spelling[key], packages=tuple(sorted(owners))))
        elif key in directories:
            packages_there = tuple(sorted(owners | directories[key]))
            found.append(Collision(path=spelling[key], packages=packages_there, directory=True))
    return sorted(found, key=lambda collision: collision.path)


def _settle(collisions: Iterable[Collision], prefer: Mapping[str, str]) -> tuple[dict[str, str], list[Collision]]:
    settled, remaining = {}, []
    for collision in collisions:
        winner = next(
            (
                package
                for pattern, package in prefer.items()
                if package in collision.packages and fnmatch.fnmatchcase(collision.path, pattern)
            ),
            None,
        )
        if winner is None:
            remaining.append(collision)
        else:
            settled[collision.path] = winner
    return settled, remaining


def _rule(collisions: Sequence[Collision], requires: Requires) -> tuple[dict[str, str], list[Collision]]:
    """Settle files, each wheel as a whole over another: who asks for the other wins, else the later name.

    That is who comes last where wheels are installed one after the other, in order of their names, what is asked for
    before who asks: pip's order, in which the last one wins. A file where another has a directory is never settled.
    """
    files = [collision for collision in collisions if not collision.directory]
    if not files:
        return {}, list(collisions)
    asked = requires(sorted({name for collision in files for name in collision.packages}))

    def last(packages: Sequence[str]) -> str:
        """Return the last one that none of the others asks for; where all are asked for, the last one."""
        free = [
            name for name in packages if not any(name in asked.get(other, ()) for other in packages if other != name)
        ]
        return max(free or packages)

    settled = {collision.path: last(collision.packages) for collision in files}
    return settled, [collision for collision in collisions if collision.directory]


def _reachable(collision: Collision, packages: Iterable[LockedPackage], selection: Selection) -> bool:
    """Tell whether a plain choice meets a collision: the defaults, or one extra or group beside them.

    Packages that only meet in a combination somebody has to ask for (two extras that exclude each other) are left to
    the build, which checks what is really chosen.
    """
    defaults = frozenset(f"group:{name}" for name in selection.default_groups)
    choices = [defaults]
    choices += [defaults | {f"extra:{name}"} for name in selection.extras]
    choices += [defaults | {f"group:{name}"} for name in selection.groups]
    choices += [defaults | {f"package:{name}"} for name in selection.members]
    involved = [package for package in packages if package.name in collision.packages]
    return any(len({p.name for p in involved if wanted(p.when, choice)}) > 1 for choice in choices)


def wanted(when: Iterable[Clause], chosen: frozenset[str]) -> bool:
    """Tell whether a package belongs to an environment with these selectors (``nix/lock.nix`` has the same rule)."""
    member = _member(chosen)
    return any(
        all((selector[1:] not in chosen) if selector[0] == "!" else (selector in chosen) for selector in clause)
        for clause in when
        if _member(clause) == member
    )


def _member(selectors: Iterable[str]) -> str | None:
    return next((selector for selector in selectors if selector.startswith("package:")), None)


def choose(
    lock: Lock,
    *,
    system: str,
    python: str | None = None,
    extras: Sequence[str] = (),
    groups: Sequence[str] | None = None,
    member: str | None = None,
) -> tuple[TargetLock, tuple[LockedPackage, ...]]:
    """Return the target of a lock that a build takes, and its packages, as ``nix/lock.nix`` does.

    Args:
        lock: the lock.
        system: a Nix system.
        python: a Python version, ``3.11``; None takes the first target of the system.
        extras: extras to have.
        groups: dependency groups to have; None takes the lock's default groups.
        member: a member of the workspace, whose environment it is; None for the root's.

    Raises:
        InputError: where the lock holds no such target, extra, group or member; says what it holds.
    """
    if not lock.targets and lock.npm is not None:
        raise InputError(
            "the lock has packages of npm alone, and this is for those of Python",
            where="nixgen.lock",
            todo="`nixgen list` shows them; `nixgen build`, `sync`, `venv` and `run` take them",
        )
    fitting = [
        locked for locked in lock.targets if locked.target.system == system and python in (None, locked.target.python)
    ]
    if not fitting:
        held = ", ".join(f"Python {t.target.python} on {t.target.system}" for t in lock.targets)
        raise InputError(
            f"the lock has nothing for {'any Python' if python is None else f'Python {python}'} on {system}",
            where=f"nixgen.lock, which has: {held}",
            todo=f"run `nixgen lock --system {system}" + ("`" if python is None else f" --python {python}`"),
        )
    for kind, asked, held_names in (
        ("extra", extras, lock.extras),
        ("group", groups or (), lock.groups),
        ("member", [member] if member else (), lock.members),
    ):
        if unknown := sorted(set(asked) - set(held_names)):
            raise InputError(
                f"the lock holds no {kind} named {', '.join(unknown)}",
                where=f"nixgen.lock, which holds: {', '.join(held_names) or 'none'}",
                todo="choose among these, or lock again with it",
            )
    chosen = frozenset(
        [f"extra:{name}" for name in extras]
        + [f"group:{name}" for name in (lock.default_groups if groups is None else groups)]
        + ([f"package:{member}"] if member else [])
    )
    packages = tuple(package for package in fitting[0].packages if wanted(package.when, chosen))
    return fitting[0], packages


def _collision_error(collisions: Sequence[Collision], target: Target) -> InputError:
    shown = [f"{c.path}: {' and '.join(c.packages)}" for c in collisions[:20]]
    more = [f"and {len(collisions) - 20} more"] if len(collisions) > 20 else []
    first = collisions[0]
    return InputError(
        "these wheels have different files for one path:" + "".join(f"\n    {line}" for line in [*shown, *more]),
        where=f"the environment for Python {target.python} on {target.system}",
        todo=(
            "leave one of the packages out, or say in pyproject.toml whose file stands there:\n"
            f'    [tool.nixgen.prefer]\n    "{first.path}" = "{first.packages[0]}"'
        ),
    )
