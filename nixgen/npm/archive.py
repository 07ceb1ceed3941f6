"""A package's archive: what is in it, whether npm would take it, and what it says of itself.

The archive is read by the builder's own reader (``nix/builders/npm_archive.py``), so that what is judged here is what a
build unpacks. npm leaves much out without a word (node-tar warns, pacote filters); what nobody packs by mistake is
refused here.
"""

from __future__ import annotations

import itertools
import json
import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nixgen.archives.findings import Findings, quoted
from nixgen.archives.names import check_names, name_problems
from nixgen.library import builder_module
from nixgen.npm.imports import brings_its_own, candidates, directory_of, imports, is_source
from nixgen.npm.names import is_package_name

#: The most that an archive's bytes may become, for one (node-tar's ``maxDecompressionRatio``), and in all.
MAX_RATIO = 1000
MAX_TOTAL = 8 * 1024**3

#: The most files of an archive.
MAX_FILES = 500_000

#: The largest file that is read for what it says: sources, package.json.
_MAX_READ = 16 * 1024**2

#: The scripts that npm runs when a package is installed, in its order.
INSTALL_SCRIPTS = ("preinstall", "install", "postinstall")

_LINKS = {b"1": "hard link", b"2": "symbolic link"}
_DEVICES = {b"3": "character device", b"4": "block device", b"6": "FIFO"}


@dataclass(frozen=True, kw_only=True)
class ArchiveIndex:
    """What nixgen knows of a package's archive.

    Attributes:
        name, version: as its package.json says; "" where it does not.
        size: of the archive, in bytes.
        files: how many files npm makes of it.
        unpacked: their sizes together, in bytes.
        license: what its package.json says of its licence; "" where it says nothing.
        scripts: its install scripts by name, in npm's order.
        prepare: the script that npm runs before it packs it from Git; "" where there is none.
        imports: the packages that its sources import and their package.json does not name, sorted, by the directory
            that they are looked for from: "" for its own, ``node_modules/x`` for what it bundles.
        bundled: the directories of the packages in it, sorted.
        warnings: oddities that stop nothing, one line each.
    """

    name: str
    version: str
    size: int
    files: int
    unpacked: int
    license: str = ""
    scripts: Mapping[str, str] = field(default_factory=dict)
    prepare: str = ""
    imports: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    bundled: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            "name": self.name,
            "version": self.version,
            "size": self.size,
            "files": self.files,
            "unpacked": self.unpacked,
            "license": self.license,
            "scripts": dict(self.scripts),
            "prepare": self.prepare,
            "imports": {directory: list(names) for directory, names in self.imports.items()},
            "bundled": list(self.bundled),
            "warnings": list(self.warnings),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> ArchiveIndex:
        """Read it again.

        Raises:
            KeyError, TypeError, ValueError, AttributeError: it is damaged.
        """
        return cls(
            name=str(data["name"]),
            version=str(data["version"]),
            size=int(data["size"]),
            files=int(data["files"]),
            unpacked=int(data["unpacked"]),
            license=str(data["license"]),
            scripts=dict(data["scripts"]),
            prepare=str(data.get("prepare", "")),  # what was read before it was asked for is in no archive from Git
            imports={directory: tuple(names) for directory, names in data["imports"].items()},
            bundled=tuple(data["bundled"]),
            warnings=tuple(data["warnings"]),
        )


class RefusedError(Exception):
    """An archive is not taken; each of ``problems`` says why, naming the member."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def read_archive(path: Path) -> ArchiveIndex:
    """Read an archive whole, and judge it.

    Args:
        path: of the ``.tgz``.

    Raises:
        RefusedError: it is hostile or damaged, or no package.
        OSError: it cannot be read.
    """
    findings, size = Findings(), path.stat().st_size
    content = _Content()
    try:
        for entry, read in builder_module("npm_archive").entries(str(path)):
            _take(entry, read, content, findings)
            if content.bytes > MAX_TOTAL or (content.bytes > size * MAX_RATIO and content.bytes > _MAX_READ):
                findings.problems.append(f"{quoted(entry.name)}: {size} bytes become more than {content.bytes} by it")
                break
            if len(content.files) > MAX_FILES:
                findings.problems.append(f"it has more than {MAX_FILES} files")
                break
    except (ValueError, EOFError) as error:
        raise RefusedError([*findings.listed(), f"it cannot be read: {error}"]) from error
    check_names([*content.files], (), findings)
    manifest = _manifest(content.texts.get("package.json"), findings)
    if findings.problems:
        raise RefusedError(findings.listed())
    name, version = manifest.get("name"), manifest.get("version")
    bundled = sorted(
        {directory_of(place) for place in content.files if posixpath.basename(place) == "package.json"} - {""}
    )
    return ArchiveIndex(
        name=name if isinstance(name, str) else "",
        version=version if isinstance(version, str) else "",
        size=size,
        files=len(content.files),
        unpacked=sum(content.files.values()),
        license=_license(manifest),
        scripts=install_scripts(manifest, has_gyp="binding.gyp" in content.files),
        prepare=_prepare(manifest),
        imports=dict(_imports(content, manifest)),
        bundled=tuple(directory for directory in bundled if f"{directory}/package.json" in content.files),
        warnings=tuple(findings.warnings),
    )


def _license(manifest: Mapping[str, Any]) -> str:
    """Return what a package.json says of the licence, also as old ones have it: a table, or a list of these."""
    said = manifest.get("license") or manifest.get("licenses")
    listed = said if isinstance(said, list) else [said]
    types = (one.get("type") if isinstance(one, dict) else one for one in listed)
    names = [one.strip() for one in types if isinstance(one, str) and one.strip()]
    return f"({' OR '.join(names)})" if len(names) > 1 else "".join(names)


def _prepare(manifest: Mapping[str, Any]) -> str:
    said = manifest.get("scripts")
    found = said.get("prepare") if isinstance(said, dict) else None
    return found if isinstance(found, str) else ""


def install_scripts(manifest: Mapping[str, Any], *, has_gyp: bool) -> dict[str, str]:
    """Return what npm would run when a package is installed, by name.

    Args:
        manifest: its package.json.
        has_gyp: whether it has a ``binding.gyp``, which npm builds where no script says how (npm's documentation,
            "scripts": ``install``).
    """
    said = manifest.get("scripts")
    said = said if isinstance(said, dict) else {}
    found = {name: said[name] for name in INSTALL_SCRIPTS if isinstance(said.get(name), str) and said[name]}
    if has_gyp and not {"preinstall", "install"} & found.keys() and manifest.get("gypfile") is not False:
        found = {"install": "node-gyp rebuild", **found}
    return found


@dataclass(kw_only=True)
class _Content:
    """What was read of an archive so far: sizes of files, and texts of some, by where npm puts them."""

    files: dict[str, int] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)
    ignores: set[str] = field(default_factory=set)
    bytes: int = 0


def _take(entry: Any, read: Callable[[], bytes], content: _Content, findings: Findings) -> None:
    """Judge an entry, and keep what counts of it; of two with one place the last one counts, as npm has it."""
    name: str = entry.name
    problems = _problems(entry)
    findings.problems.extend(f"{quoted(name)}: {problem}" for problem in problems)
    if problems or not entry.is_file:
        return
    place = builder_module("npm_archive").placed(name, content.ignores)
    if place is None:
        findings.warnings.append(f"{quoted(name)} lies in no directory, and is left out as npm does")
        return
    content.files[place] = entry.size
    content.texts.pop(place, None)
    wanted = is_source(place) or posixpath.basename(place) == "package.json"
    pieces = []
    while piece := read():
        content.bytes += len(piece)
        if wanted and entry.size <= _MAX_READ:
            pieces.append(piece)
    if pieces:
        content.texts[place] = b"".join(pieces).decode("utf-8", "replace")


def _problems(entry: Any) -> list[str]:
    """Say why an entry is not taken; nothing where it is, or is left out without harm."""
    name: str = entry.name.rstrip("/")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if name.startswith("/"):
        return ["an absolute path"]
    if entry.kind in _DEVICES:
        return [f"it is a {_DEVICES[entry.kind]}"]
    if entry.kind in _LINKS:
        # npm leaves links out. One that leads out of the package was not packed by mistake.
        target: str = entry.target
        around = [] if entry.kind == b"1" else parts[:-1]
        led = posixpath.normpath("/".join([*around, target]))
        if target.startswith("/") or led.startswith("..") or "\\" in target:
            return [f"it is a {_LINKS[entry.kind]} that leads out of the package, to {quoted(target)}"]
        return []
    if not entry.is_file and entry.kind not in (b"5", b"0", b"\0", b"7"):
        return [f"it is of no kind that is known ({entry.kind!r})"]
    if entry.size < 0:
        return ["it has a negative size"]
    # The first part is dropped, whatever it is; but not where it leads elsewhere.
    problems = name_problems("/".join(parts)) if parts else []
    inner = [part for part in parts[1:] if part]
    names = [part for before, part in itertools.pairwise(inner) if before == "node_modules"]
    problems += [
        f"{part!r} is no name of a package"
        for part in names
        if not part.startswith((".", "@")) and not is_package_name(part)
    ]
    return problems


def _manifest(text: str | None, findings: Findings) -> Mapping[str, Any]:
    if text is None:
        findings.problems.append("it has no package.json that can be read")
        return {}
    try:
        data = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        findings.problems.append(f"its package.json is no JSON: {error}")
        return {}
    if not isinstance(data, dict):
        findings.problems.append("its package.json is no table")
        return {}
    name = data.get("name")
    if isinstance(name, str) and not is_package_name(name):
        findings.problems.append(f"its package.json calls it {quoted(name)}, which is no name of a package")
    return data


def _imports(content: _Content, manifest: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield what sources import and their package does not name, by the directory of the package."""
    declared: dict[str, set[str]] = {"": _declared(manifest)}
    found: dict[str, set[str]] = {}
    for place, text in content.texts.items():
        if not is_source(place) or brings_its_own(text):
            continue
        directory = directory_of(place)
        if directory not in declared:
            declared[directory] = _declared(_json(content.texts.get(f"{directory}/package.json")))
        known = declared[directory] | found.get(directory, set())
        # Nearly every package declares what it imports: few sources are looked at closely.
        if candidates(text) - known:
            found.setdefault(directory, set()).update(imports(text) - declared[directory])
    for directory in sorted(found):
        if found[directory]:
            yield directory, tuple(sorted(found[directory]))


def _declared(manifest: Mapping[str, Any]) -> set[str]:
    """Return the names that need no edge of their own: what is declared, and the package itself."""
    tables = (manifest.get(key) for key in ("dependencies", "optionalDependencies", "peerDependencies"))
    names = {name for table in tables if isinstance(table, dict) for name in table}
    own = manifest.get("name")
    return names | ({own} if isinstance(own, str) else set())


def _json(text: str | None) -> Mapping[str, Any]:
    try:
        data = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}
