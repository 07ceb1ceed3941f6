"""Which packages of npm have newer versions, as npm itself says (``npm outdated``)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from nixgen.errors import InputError
from nixgen.inputs.discover import read_text
from nixgen.locking.outdated import Outdated
from nixgen.npm.edges import find
from nixgen.npm.locking import find_lock
from nixgen.npm.package_lock import MODULES, own_name, parse
from nixgen.npm.running import explain, run_npm
from nixgen.npm.selection import Selection
from nixgen.npm.versions import in_order, precedence
from nixgen.observer import SILENT, Observer
from nixgen.temporary import temporary_directory

#: What npm reads of a package.json to know who asks for whom.
_TABLES = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "peerDependenciesMeta")


def outdated_npm(selection: Selection, base: Path, observer: Observer = SILENT) -> list[Outdated]:
    """Return the packages of an environment that have newer versions, sorted by name, each version once.

    npm looks at what is installed: it is given the tree of its lock with nothing but each package's package.json.
    "allowed" is what it calls "wanted", the lowest where several packages ask for one.

    Args:
        selection: the environment.
        base: the project's directory.
        observer: is told what goes on.

    Raises:
        InputError: npm's lock is not there or cannot be read, or npm refuses something.
        MachineError: there is no npm.
        NetworkError: a registry does not answer.
    """
    path = find_lock(base)
    if path is None:
        raise InputError("there is no lock of npm's", where=str(base), todo="let npm make it: `npm install`")
    text = read_text(path)
    parse(text, where=str(path))
    places = {package.at: package for package in selection.packages}
    with observer.waiting("asking npm"), temporary_directory() as created:
        directory = created.resolve()
        _lay_out(json.loads(text), places, base, directory)
        said = json.loads(run_npm(["outdated", "--all", "--json"], cwd=directory, finds=1) or "{}")
        if isinstance(said.get("error"), dict) and "code" in said["error"]:
            raise explain("outdated", said["error"].get("summary") or said["error"]["code"], base)
        wanted: dict[tuple[str, str], list[tuple[str, str]]] = {}
        for one in _each(said):
            at = Path(one.get("location") or directory).relative_to(directory).as_posix()
            package = places.get(at)
            if package is not None and package.archive is not None:
                versions = str(one["wanted"]), str(one["latest"])
                wanted.setdefault((package.name, package.version), []).append(versions)
    found = []
    for (name, current), some in sorted(wanted.items()):
        allowed, latest = in_order(one for one, _ in some)[0], in_order(one for _, one in some)[-1]
        if max(precedence(allowed), precedence(latest)) > precedence(current):
            found.append(Outdated(name=name, current=current, allowed=allowed, latest=latest))
    return found


def _each(said: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what npm says of each package and each of those that ask for it."""
    for value in said.values():
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))


def _lay_out(lock: Mapping[str, Any], places: Mapping[str, object], base: Path, directory: Path) -> None:
    """Write the package.json of each package of a lock at its place, as far as an environment has it."""
    for name in ("package.json", ".npmrc"):
        if (base / name).is_file():
            shutil.copy(base / name, directory / name)
    entries = {at: entry for at, entry in lock["packages"].items() if ".." not in at.split("/") and at}
    for at, entry in entries.items():
        if at.startswith("/") or not isinstance(entry, dict):
            continue
        target = directory / at
        if entry.get("link"):
            end = directory / str(entry.get("resolved", ""))
            if at in places and end.is_relative_to(directory) and ".." not in end.parts:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.symlink_to(end)
        elif at in places or MODULES not in at.split("/"):
            target.mkdir(parents=True, exist_ok=True)
            named = {"name": own_name(at)} if at in places else {}
            said = {**named, **{key: entry[key] for key in ("name", "version", *_TABLES) if key in entry}}
            # npm would ask for what is for other systems too: a tool in machine code has 25 of these.
            for table in ("optionalDependencies", "peerDependencies"):
                wanted = said.get(table)
                if isinstance(wanted, dict):
                    said[table] = {name: one for name, one in wanted.items() if find(places, at, name) is not None}
            (target / "package.json").write_text(json.dumps(said), encoding="utf-8")
