"""Packages that npm takes from Git: the files of a commit, packed as npm would.

npm decides which files a package has (``files``, ``.npmignore``, ``.gitignore``): it is asked once, when the package is
locked. From then on the lock has them, and Nix packs the same archive without npm.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from nixgen.credentials import has_unescaped_login
from nixgen.errors import InputError, NixError
from nixgen.library import builder_module
from nixgen.npm.model import Checkout
from nixgen.npm.running import run_npm
from nixgen.processes import run
from nixgen.store import Store

#: Where npm writes an SSH URL for a repository that anybody can read, and asks by HTTPS first (hosted-git-info).
_HOSTED = ("bitbucket.org", "github.com", "gitlab.com")

_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_SCHEMES = ("file", "git", "http", "https", "ssh")

#: What npm's own command cannot pack without; npm installs from Git without them.
_NEEDED = {"name": "package", "version": "0.0.0"}


def checkout_of(resolved: str) -> Checkout | None:
    """Return the commit that npm's lock says a package is of; None where it says another thing.

    Logins are left out: Git has its own. Of SSH, the user's name stays.

    Args:
        resolved: as npm writes it: ``git+ssh://git@host/owner/name.git#<commit>``.
    """
    url, _, commit = resolved.removeprefix("git+").partition("#")
    scheme, between, rest = url.partition("://")
    is_git = resolved.startswith("git+") or scheme == "git"
    if not (is_git and between and scheme in _SCHEMES and _COMMIT.fullmatch(commit)) or has_unescaped_login(url):
        return None
    authority, slash, path = rest.partition("?")[0].partition("/")
    if scheme != "file" and "@" in path:  # perhaps the end of a login that is not escaped
        return None
    login, _, server = authority.rpartition("@")
    host, _, port = server.rpartition(":")
    if host and not port.isdigit() and not port.endswith("]"):  # ssh's own form: host:owner/name
        server, path = host, f"{port}{slash}{path}"
    if scheme == "ssh" and server in _HOSTED:
        scheme = "https"
    user = login.partition(":")[0]
    said = f"{user}@" if user and scheme == "ssh" else ""
    return Checkout(repository=f"{scheme}://{said}{server}/{path}", commit=commit)


def pack(checkout: Checkout, archive: Path) -> Checkout:
    """Write the archive of a package, and return where it is from as far as it is known by then.

    Args:
        checkout: where it is from; where its files are not known, npm says which these are.
        archive: the file to write; a directory beside it is made and removed.

    Raises:
        NixError: Nix cannot fetch the commit, with the repository.
        InputError: npm does not pack it, or it has not what the lock says.
        MachineError: there is no npm.
    """
    packing = builder_module("npm_pack")
    known = checkout if checkout.files is not None else _reachable(checkout)
    source = _fetched(known)
    if known.files is None:
        found = covering(_packed(source, archive), packing.regular(str(source)))
        known = replace(known, files=tuple(found))
    try:
        packing.pack(str(source), known.files, str(archive))
    except OSError as error:
        raise InputError(
            f"commit {checkout.commit} has not the files that the lock says: {error.strerror}",
            where=checkout.repository,
            todo="see who changed the lock, and lock again",
        ) from error
    return known


def covering(packed: Iterable[str], there: Iterable[str]) -> Iterator[str]:
    """Yield the fewest names for some files: a directory, with a "/" at its end, for all below it.

    None stands for all that are there.

    Args:
        packed: the files.
        there: all files that there are.
    """
    wanted = set(packed)
    others = set(there) - wanted
    if not others:
        return
    partly = {directory for path in others for directory in _above(path)}
    found = set()
    for path in wanted:
        whole = next((directory for directory in _above(path) if directory not in partly), None)
        found.add(path if whole is None else f"{whole}/")
    yield from sorted(found)


def _above(path: str) -> Iterator[str]:
    """Yield the directories above a path, the uppermost first."""
    for position, sign in enumerate(path):
        if sign == "/":
            yield path[:position]


def _reachable(checkout: Checkout) -> Checkout:
    """Return a commit by SSH where a host that npm knows does not show its repository to everybody, as npm does."""
    parts = urlsplit(checkout.repository)
    if parts.scheme != "https" or parts.hostname not in _HOSTED:
        return checkout
    quiet = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = run(["git", "ls-remote", "--quiet", checkout.repository, "HEAD"], env=quiet)
    except OSError:  # Nix says that there is no Git
        return checkout
    return checkout if done.returncode == 0 else replace(checkout, repository=f"ssh://git@{parts.hostname}{parts.path}")


def _fetched(checkout: Checkout) -> Path:
    try:
        return Path(Store().fetch_git(checkout.repository, checkout.commit))
    except NixError as error:
        raise NixError(
            f"commit {checkout.commit} cannot be fetched: {error.what}",
            where=checkout.repository,
            todo="see whether it is there, and whether this user's Git may read it: its logins count, and no other",
        ) from error


def _packed(source: Path, archive: Path) -> Collection[str]:
    """Return the files that npm packs of a directory."""
    directory = archive.with_name(f"{archive.name}.pack")
    directory.mkdir()
    try:
        said = _manifest(source)
        if _NEEDED.keys() - said.keys():
            copy = directory / "package"
            shutil.copytree(source, copy, symlinks=True)
            copy.chmod(0o755)
            (copy / "package.json").unlink(missing_ok=True)
            (copy / "package.json").write_text(json.dumps({**_NEEDED, **said}), encoding="utf-8")
            source = copy
        answer = json.loads(run_npm(["pack", str(source), "--dry-run", "--json"], cwd=directory))
        # A list until npm 11, and a table by name from then on.
        (one,) = answer.values() if isinstance(answer, dict) else answer
        return [str(file["path"]) for file in one["files"]]
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _manifest(source: Path) -> dict[str, Any]:
    from nixgen.npm.manifest import read_manifest

    return dict(read_manifest(source / "package.json"))
