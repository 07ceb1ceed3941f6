"""What package-lock.json says: one entry for each place of the tree that npm lays out.

Format 2 and 3 have it as ``packages`` (npm's documentation, "package-lock.json"); 2 repeats it for older npm.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from nixgen.errors import InputError
from nixgen.npm.names import commands, is_package_name

#: The locks of npm, in the order in which it takes them.
LOCK_NAMES = ("npm-shrinkwrap.json", "package-lock.json")

#: The formats that are read.
_FORMATS = (2, 3)

_RENEW = "run `npm install --package-lock-only`"
_CONFLICT = re.compile(r"^<{7} ", re.MULTILINE)

#: The directory that packages lie in.
MODULES = "node_modules"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What package-lock.json says of one place.

    Attributes:
        at: the place; "" for the project, a directory of the project where a link ends.
        name: the package's own name.
        version: "" where it has none.
        resolved: where it comes from, as npm writes it: a URL, ``file:``, ``git+…``; None for the registry.
        integrity: hashes of its archive, as npm writes them; None where there are none.
        link: the directory that a link ends at; None for what is no link.
        wants: the packages that it asks for, and whether it does without each.
        bundled: whether it lies in the archive of the package above it.
        bin: paths by the names of commands.
        os, cpu, libc: where it runs.
        dev, optional, dev_optional, peer: why it is there.
        has_scripts: whether it has install scripts.
    """

    at: str
    name: str
    version: str = ""
    resolved: str | None = None
    integrity: str | None = None
    link: str | None = None
    wants: Mapping[str, bool] = field(default_factory=dict)
    bundled: bool = False
    bin: Mapping[str, str] = field(default_factory=dict)
    os: tuple[str, ...] = ()
    cpu: tuple[str, ...] = ()
    libc: tuple[str, ...] = ()
    dev: bool = False
    optional: bool = False
    dev_optional: bool = False
    peer: bool = False
    has_scripts: bool = False

    @property
    def is_installed(self) -> bool:
        """Whether it stands in a ``node_modules``, and is not a directory of somebody's."""
        return MODULES in self.at.split("/")


@dataclass(frozen=True, kw_only=True)
class PackageLock:
    """A package-lock.json.

    Attributes:
        name: the project's own name; "" where it has none.
        entries: by place, sorted; the project itself too, at "".
        workspaces: directories of the project's workspaces, sorted.
        said: what it says of the project and of each directory that a link ends at, as JSON has it, by directory.
    """

    name: str
    entries: Mapping[str, Entry]
    workspaces: tuple[str, ...]
    said: Mapping[str, Mapping[str, Any]]


def parse(text: str, *, where: str) -> PackageLock:
    """Read the text of a package-lock.json.

    Args:
        text: its content.
        where: what it is called in messages.

    Raises:
        InputError: it is none, has a format of npm 6 or one that is not known, or names places that there cannot be;
            says all of these.
    """
    data = _json(text, where)
    version = data.get("lockfileVersion")
    if version not in _FORMATS or not isinstance(data.get("packages"), dict):
        raise InputError(
            f"the lock has format {version}, and formats 2 and 3 are read",
            where=where,
            todo=f"{_RENEW} with npm 7 or newer, which writes it anew with the same versions",
        )
    raw = {at: said for at, said in data["packages"].items() if isinstance(said, dict) and not said.get("extraneous")}
    problems = [*_problems(raw)]
    if problems:
        raise InputError(
            "the lock cannot be one of npm's:" + "".join(f"\n    {problem}" for problem in problems[:20]),
            where=where,
            todo=f"see who changed it; to make it anew, remove it and {_RENEW}",
        )
    entries = {at: _entry(at, raw[at]) for at in sorted(raw)}
    entries.setdefault("", Entry(at="", name=""))
    name = raw.get("", {}).get("name") or data.get("name")
    ends = {entry.link for entry in entries.values() if entry.link is not None}
    return PackageLock(
        name=name if isinstance(name, str) else "",
        entries=entries,
        workspaces=tuple(sorted(end for end in ends if is_workspace(end, raw.get("", {}).get("workspaces")))),
        said={at: raw.get(at, {}) for at in sorted({"", *ends})},
    )


def wanted(said: Mapping[str, Any], *, development: bool) -> dict[str, bool]:
    """Return what a package.json, or an entry of a lock, asks for, and whether it does without each.

    The later counts, as npm loads them: peers, dependencies, optional ones, those of development.

    Args:
        said: the JSON.
        development: whether ``devDependencies`` count: those of the project and of its directories do.
    """
    meta = _table(said.get("peerDependenciesMeta"))
    found = {name: _table(meta.get(name)).get("optional") is True for name in _table(said.get("peerDependencies"))}
    found |= dict.fromkeys(_table(said.get("dependencies")), False)
    found |= dict.fromkeys(_table(said.get("optionalDependencies")), True)
    if development:
        found |= dict.fromkeys(_table(said.get("devDependencies")), False)
    return found


def is_workspace(directory: str, patterns: Any) -> bool:
    """Tell whether a directory of the project is one of its workspaces.

    Args:
        directory: relative to the project's.
        patterns: ``workspaces`` of its package.json: a list, or a table with ``packages``.
    """
    listed = _table(patterns).get("packages") if isinstance(patterns, dict) else patterns
    found = False
    for pattern in listed if isinstance(listed, list) else []:
        if isinstance(pattern, str):
            negated = pattern.startswith("!")
            if _matches(directory, pattern.lstrip("!")):
                found = not negated
    return found


def _matches(directory: str, pattern: str) -> bool:
    pattern = posixpath.normpath(pattern.removeprefix("/"))
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\{[^{}/]*\})", pattern)
    signs = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    said = "".join(signs.get(part) or _choice(part) for part in parts)
    return re.fullmatch(said, directory) is not None


def _choice(part: str) -> str:
    if part.startswith("{") and part.endswith("}"):
        return "(?:" + "|".join(map(re.escape, part[1:-1].split(","))) + ")"
    return re.escape(part)


def own_name(at: str) -> str:
    """Return what a package is called at its place: the last part, with the scope."""
    return at.rpartition(f"{MODULES}/")[2]


def _json(text: str, where: str) -> Mapping[str, Any]:
    try:
        data = json.loads(text)
    except ValueError as error:
        conflict = _CONFLICT.search(text)
        what = "the lock has a conflict of a merge in it" if conflict else f"this is no JSON: {error}"
        line = f":{text.count(chr(10), 0, conflict.end()) + 1}" if conflict else ""
        raise InputError(what, where=where + line, todo=f"{_RENEW}, which mends it") from error
    if not isinstance(data, dict):
        raise InputError("this is no package-lock.json", where=where, todo=_RENEW)
    return data


def _problems(raw: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for at, said in raw.items():
        parts = at.split("/")
        if at.startswith("/") or "\\" in at or re.match(r"[A-Za-z]:", at) or (at and ({"", "."} & set(parts))):
            yield f"{at!r} is no place in the project"
            continue
        before, *names = re.split(rf"(?:^|/){MODULES}(?:/|$)", at)
        depth = 0
        for part in before.split("/"):
            if part != "..":
                depth += 1
            elif depth:
                yield f"{at!r} goes up after it went down"
                break
        yield from (f"{at!r}: {name!r} is no name of a package" for name in names if not is_package_name(name))
        own = said.get("name")
        if names and own is not None and not (isinstance(own, str) and is_package_name(own)):
            yield f"{at!r}: {own!r} is no name of a package"
        if said.get("link") and _target(said) not in raw:
            yield f"{at!r} is a link to {said.get('resolved')!r}, of which the lock says nothing"


def _entry(at: str, said: Mapping[str, Any]) -> Entry:
    installed = MODULES in at.split("/")
    name = said.get("name") or (own_name(at) if installed else posixpath.basename(at))
    return Entry(
        at=at,
        name=str(name),
        version=_text(said, "version") or "",
        resolved=None if said.get("link") else _text(said, "resolved"),
        integrity=_text(said, "integrity"),
        link=_target(said) if said.get("link") else None,
        wants={} if said.get("link") else wanted(said, development=not installed),
        bundled=said.get("inBundle") is True,
        bin=commands(said.get("bin"), str(name).rpartition("/")[2]),
        os=_listed(said, "os"),
        cpu=_listed(said, "cpu"),
        libc=_listed(said, "libc"),
        dev=said.get("dev") is True,
        optional=said.get("optional") is True,
        dev_optional=said.get("devOptional") is True,
        peer=said.get("peer") is True,
        has_scripts=said.get("hasInstallScript") is True,
    )


def _target(said: Mapping[str, Any]) -> str:
    return posixpath.normpath(str(said.get("resolved") or "").removeprefix("file:")).removeprefix("./")


def _text(said: Mapping[str, Any], key: str) -> str | None:
    value = said.get(key)
    return value if isinstance(value, str) and value else None


def _listed(said: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = said.get(key)
    listed = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(item for item in listed if isinstance(item, str))


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
