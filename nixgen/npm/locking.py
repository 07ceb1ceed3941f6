"""From a project with npm's lock to the section of nixgen.lock: read, held against what is wanted, fetched, planned."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nixgen.access import Access
from nixgen.credentials import has_login, may_hold_secret, public_url, redacted
from nixgen.errors import InputError
from nixgen.fingerprint import fingerprints
from nixgen.npm.archive import ArchiveIndex
from nixgen.npm.checkout import checkout_of
from nixgen.npm.edges import holders
from nixgen.npm.fetch import Fetched, Fetching, Wanted, fetch
from nixgen.npm.manifest import check_fresh, names_of, read_manifest, settings_of, wants_packages
from nixgen.npm.model import Checkout, NpmArchive, NpmLock, NpmPackage
from nixgen.npm.npmrc import Npmrc, default_registry
from nixgen.npm.package_lock import LOCK_NAMES, Entry, PackageLock, parse
from nixgen.npm.plan import Seen, installed, plan
from nixgen.observer import SILENT, Observer

#: Locks of other tools, and what makes one of npm's of each.
_OTHERS = {
    "pnpm-lock.yaml": "run `npm install --package-lock-only`, which resolves package.json anew: no tool takes over "
    "pnpm's versions. Where they must stay, pin them in package.json first (`pnpm list --depth 0` says them)",
    "yarn.lock": "run `npm install --package-lock-only`, which takes over the versions of a yarn.lock of Yarn 1; one "
    "of a newer Yarn becomes one of those first: `yarn set version classic && yarn install`",
    "bun.lock": "run `npm install --package-lock-only`, which resolves package.json anew, or `bun install --yarn` "
    "first, whose yarn.lock npm takes over",
}

_ARCHIVE = "`npm install https://HOST/OWNER/NAME/archive/COMMIT.tar.gz`"


@dataclass(frozen=True, kw_only=True)
class NpmLocked:
    """What was locked of npm, and what that took.

    Attributes:
        section: of the lock.
        inputs: a hash of what each file said that was locked, by its path as the lock has it.
        indexes: of each archive, by the place of the package.
        downloaded: bytes read over the network.
    """

    section: NpmLock
    inputs: Mapping[str, str]
    indexes: Mapping[str, ArchiveIndex]
    downloaded: int

    @property
    def with_scripts(self) -> list[NpmPackage]:
        """The packages with install scripts, each version once."""
        found = {(package.name, package.version): package for package in self.section.packages if package.scripts}
        return [found[key] for key in sorted(found)]


def find_lock(directory: Path) -> Path | None:
    """Return npm's lock in a directory; None where it has none.

    npm-shrinkwrap.json goes before package-lock.json (npm's documentation, "npm-shrinkwrap.json").
    """
    return next((directory / name for name in LOCK_NAMES if (directory / name).is_file()), None)


def check_other_locks(directory: Path) -> None:
    """See that a directory which wants packages of npm has npm's lock.

    Raises:
        InputError: it has a package.json that wants some, and no lock, or one of another tool.
    """
    for name, todo in _OTHERS.items():
        if (directory / name).is_file():
            raise InputError(
                f"a {name} is not read, and there is no package-lock.json", where=str(directory), todo=todo
            )
    if (directory / "package.json").is_file() and wants_packages(read_manifest(directory / "package.json")):
        raise InputError(
            "package.json alone does not say which versions are wanted",
            where=str(directory),
            todo="let npm lock them: `npm install --package-lock-only`",
        )


def lock_npm(
    path: Path,
    *,
    base: Path,
    settings: Mapping[str, Any],
    previous: NpmLock | None,
    access: Access,
    observer: Observer = SILENT,
) -> NpmLocked:
    """Return the section of a project's lock.

    Args:
        path: npm's lock.
        base: the directory of nixgen.lock.
        settings: ``[tool.nixgen.npm]`` of pyproject.toml.
        previous: the section of before; None where there was none.
        access: how servers are reached, npm's own settings aside.
        observer: is told what goes on.

    Raises:
        InputError: the lock cannot be read, is older than package.json, has what cannot be taken, or archives are
            refused.
        NixgenError: as ``nixgen.npm.fetch.fetch``.
    """
    directory, where = path.parent, _relative(path, base)
    if directory.resolve() != base.resolve():
        raise InputError("npm's lock lies elsewhere", where=str(path), todo=f"lock there: `nixgen -C {directory} lock`")
    lock = parse(_text(path), where=where)
    manifests = {
        place: read_manifest(directory / place / "package.json")
        for place in lock.said
        if place == "" or (directory / place / "package.json").is_file()
    }
    check_fresh(lock, manifests, base=directory, where=where)
    scripts, unprepared = (_named(key, manifests[""], settings) for key in ("scripts", "unprepared"))
    npmrc = Npmrc.read(directory)
    got: dict[str, Fetched] = {}
    unread: dict[str, NpmArchive] = {}
    downloaded = 0
    while True:  # once; twice where an archive lacks what its package says that it bundles
        entries = {at: entry for at, entry in installed(lock).items() if at not in got and at not in unread}
        wanted = _wanted(entries, npmrc, where, _checkouts(previous))
        unread |= {at: archive for at, asked in wanted.items() if (archive := _unread(entries[at], asked)) is not None}
        wanted = {at: asked for at, asked in wanted.items() if at not in unread}
        with observer.counting("reading packages") as progress:
            fetching = _fetch(wanted, base, previous, npmrc.access(access), progress)
        downloaded += fetching.downloaded
        got |= {at: fetching.found[asked] for at, asked in wanted.items()}
        lacking = _lacking(lock, {at: one.index for at, one in got.items()})
        if not lacking:
            break
        lock = replace(lock, entries={**lock.entries, **lacking})
    _check_prepared(lock, got, unprepared, where)
    seen = {
        at: Seen(archive=one.archive, scripts=one.index.scripts, imports=one.index.imports) for at, one in got.items()
    }
    seen |= {at: Seen(archive=archive) for at, archive in unread.items()}
    section = plan(lock, seen, sorted(scripts))
    for note in _notes(lock, section, npmrc, got, access):
        observer.note(note)
    return NpmLocked(
        section=section,
        inputs=fingerprints([path, *(directory / place / "package.json" for place in manifests)], base),
        indexes={at: one.index for at, one in got.items()},
        downloaded=downloaded,
    )


def _fetch(
    wanted: Mapping[str, Wanted],
    base: Path,
    previous: NpmLock | None,
    access: Access,
    progress: Callable[..., None] | None,
) -> Fetching:
    archives = (package.archive for package in previous.packages) if previous is not None else ()
    known = {archive.url: archive for archive in archives if archive is not None and archive.url is not None}
    return fetch(wanted.values(), base=base, known=known, access=access, progress=progress)


def _named(key: str, manifest: Mapping[str, Any], settings: Mapping[str, Any]) -> set[str]:
    """Return the packages that a list of the project's settings names, in package.json and in pyproject.toml."""
    said = settings_of(manifest, where="package.json")
    names = names_of(said, key, where="package.json, nixgen")
    return {*names, *names_of(settings, key, where="[tool.nixgen.npm]")}


def _checkouts(previous: NpmLock | None) -> dict[tuple[str, str], NpmArchive]:
    """Return the archives from Git of the lock of before, by commit and path of the repository."""
    archives = (package.archive for package in previous.packages) if previous is not None else ()
    return {_commit(one.checkout): one for one in archives if one is not None and one.checkout is not None}


def _commit(checkout: Checkout) -> tuple[str, str]:
    parts = urlsplit(checkout.repository)
    return checkout.commit, f"{parts.hostname}{parts.path}"  # by HTTPS or SSH


def _check_prepared(lock: PackageLock, got: Mapping[str, Fetched], unprepared: Collection[str], where: str) -> None:
    """See that what comes from Git needs nothing run before it is packed.

    Raises:
        InputError: some packages do; names all of them, and what npm would run.
    """
    lines = [
        f"{at}: {one.index.prepare}"
        for at, one in sorted(got.items())
        if one.archive.checkout is not None and one.index.prepare and lock.entries[at].name not in unprepared
    ]
    if lines:
        raise InputError(
            "these packages come from Git, and have a script `prepare` that npm runs before it packs them:"
            + "".join(f"\n    {line}" for line in lines),
            where=where,
            todo="ask for a release of them, or for an archive that was packed where it runs (`npm pack`); where the "
            'files are good as they are in Git, as with scripts for Git\'s hooks, write "nixgen": {"unprepared": '
            '["name"]} in package.json, or unprepared = ["name"] below [tool.nixgen.npm] in pyproject.toml',
        )


def _wanted(
    entries: Mapping[str, Entry], npmrc: Npmrc, where: str, checkouts: Mapping[tuple[str, str], NpmArchive]
) -> dict[str, Wanted]:
    """Return the archive of each package.

    Raises:
        InputError: some come from where no archive is; names all of them.
    """
    own: list[str] = []  # npm's own registry, asked for once
    found, problems = {}, []
    for at, entry in entries.items():
        resolved, what = entry.resolved, f"{entry.name} {entry.version}"
        if resolved is None:
            registry = npmrc.registry_of(entry.name)
            if registry is None:
                own = own or [default_registry()]
                registry = own[0]
            base_name = entry.name.rpartition("/")[2]
            url = f"{registry}{entry.name}/-/{base_name}-{entry.version}.tgz"
            found[at] = Wanted(what=what, url=url, integrity=entry.integrity)
        elif resolved.startswith("file:"):
            path = posixpath.normpath(resolved.removeprefix("file:"))
            found[at] = Wanted(what=what, path=path, integrity=entry.integrity)
        elif urlsplit(resolved).scheme in ("http", "https"):
            found[at] = Wanted(what=what, url=public_url(resolved), integrity=entry.integrity)
        elif (checkout := checkout_of(resolved)) is not None:
            known = checkouts.get(_commit(checkout))
            # npm says no hash of it, or one of what it packs, which it compares with nothing.
            found[at] = Wanted(
                what=what,
                checkout=checkout if known is None else known.checkout,
                integrity=known.integrity if known is not None else None,
            )
        else:
            problems.append(f"{at}: {_shown(resolved)}")
    if problems:
        raise InputError(
            "these packages come from where nothing can be had from by a commit or a hash:"
            + "".join(f"\n    {problem}" for problem in problems),
            where=where,
            todo=f"ask for a release, or for an archive: {_ARCHIVE}",
        )
    return found


def _unread(entry: Entry, asked: Wanted) -> NpmArchive | None:
    """Return the archive of a package that is not looked at; None where it is.

    Of a tool in machine code there is one optional package for each system (50 of the 240 of Vite and ESLint, and most
    of their bytes); npm fetches the one that fits, and so does a build, which refuses what a lock would have refused.
    """
    if not entry.optional or not (entry.os or entry.cpu or entry.libc) or entry.has_scripts:
        return None
    return asked.unread


def _shown(resolved: str) -> str:
    """Return where a package comes from, for messages: without a login."""
    head, between, rest = resolved.partition("://")
    return redacted(f"{head}{between}{rest.rpartition('@')[2] if '@' in rest.partition('/')[0] else rest}")


def _lacking(lock: PackageLock, indexes: Mapping[str, ArchiveIndex]) -> dict[str, Entry]:
    """Return the packages that are said to be bundled and are not in the archive: npm installs them then."""
    return {
        at: replace(lock.entries[at], bundled=False)
        for at, holder in holders(lock.entries).items()
        if holder in indexes
        and at[len(holder) + 1 :] not in indexes[holder].bundled
        and (lock.entries[at].integrity or lock.entries[at].resolved)
    }


def _notes(
    lock: PackageLock, section: NpmLock, npmrc: Npmrc, got: Mapping[str, Fetched], access: Access
) -> Iterator[str]:
    """Yield what a user should know, a line each."""
    beside = sorted(at for at in lock.entries if at.startswith("../") and lock.entries[at].is_installed)
    if beside:
        directories = sorted({at.partition("/node_modules/")[0] for at in beside})
        yield f"{', '.join(directories)} is not below the project: what it needs is not locked here, but there"
    unhashed = sorted({entry.name for at, entry in installed(lock).items() if at in got and _is_unhashed(entry)})
    if unhashed:
        yield f"npm's lock has no hash of {_some(unhashed)}: what was sent just now is what is locked"
    for at, one in got.items():
        name = lock.entries[at].name
        if one.index.name not in ("", name):
            yield f"{at}: the archive calls itself {one.index.name}, and npm's lock calls it {name}"
        for warning in one.index.warnings:
            yield f"{name} {lock.entries[at].version}: {warning}"
    names = {package.name for package in section.packages}
    if unknown := sorted(set(section.scripts) - names):
        yield f"install scripts are allowed of {_some(unknown)}, and the lock has no such package"
    logged_in = npmrc.access(access).credentials
    hosts = {
        urlsplit(package.archive.url).netloc
        for package in section.packages
        if package.archive is not None
        and package.archive.url is not None
        and logged_in.authorization(package.archive.url) is not None
        and access.credentials.authorization(package.archive.url) is None
    }
    if hosts:
        yield (
            f"the login for {', '.join(sorted(hosts))} is not in the lock: `nixgen build` takes it from .npmrc, and "
            "`nix-build` from Nix's netrc-file"
        )
    # Not each "@": scopes have one.
    if any(has_login(url) or "?" in url for entry in lock.entries.values() if (url := entry.resolved)):
        yield "npm's lock has URLs with a login or a query, which are not in this lock: take care who reads it"


def _is_unhashed(entry: Entry) -> bool:
    """Tell whether npm's lock says nothing that an archive can be compared with: a commit is a hash."""
    return entry.integrity is None and checkout_of(entry.resolved or "") is None


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def urls_with_login(path: Path) -> Iterable[str]:
    """Return the URLs of npm's lock that carry a login or a token, for ``Access`` alone.

    Where it cannot be read, there are none: whoever reads it says why.
    """
    try:
        lock = parse(_text(path), where=str(path))
    except InputError:
        return ()
    return [entry.resolved for entry in lock.entries.values() if entry.resolved and may_hold_secret(entry.resolved)]


def _text(path: Path) -> str:
    from nixgen.inputs.discover import read_text

    return read_text(path)


def _relative(path: Path, base: Path) -> str:
    try:
        return path.absolute().relative_to(base.absolute()).as_posix()
    except ValueError:
        return str(path)
