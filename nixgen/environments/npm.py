"""The environment of a lock's npm packages, built."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nixgen.environments.freshness import check_inputs
from nixgen.environments.last_build import LastBuild
from nixgen.observer import SILENT, Observer

if TYPE_CHECKING:
    from nixgen.access import Access
    from nixgen.environments.request import Request
    from nixgen.store import Store

#: The store keeps a file once that several packages have, by hard links (Nix manual, "auto-optimise-store").
_SHARED = {"auto-optimise-store": "true"}

#: What says so where Nix may not.
_NOT_SHARED = (
    "files that several packages have lie in the store several times: Nix shares them where its configuration says "
    "auto-optimise-store = true, or for users whom it trusts"
)


def build_npm(request: Request, out_link: Path | None, observer: Observer = SILENT) -> str:
    """Build the environment of npm's packages, or its image, and return the store path.

    The store is asked once which packages it lacks; the archives of these are fetched, many at once, and Nix makes the
    packages of them. What was built before, of all that it was built of, is not evaluated again.

    Args:
        request: the environment.
        out_link: a link to make, which keeps it from garbage collection; None makes none.
        observer: is told what goes on.

    Raises:
        InputError: there is no lock, or nothing of npm's in it.
        NixgenError: as ``nixgen.npm.supply.supply``, or with what Nix said; what the link led to stays.
    """
    request = request._replace(npm=True)
    check_inputs(request.base, request.check, observer)
    last = LastBuild(request, out_link)
    found = last.find()
    if found is None:
        observer.working()
        found = _build(request, out_link, observer)
        last.keep(found)
    return found


def _build(request: Request, out_link: Path | None, observer: Observer) -> str:
    from nixgen.errors import InputError
    from nixgen.lock import Lock
    from nixgen.names import LOCK_NAME
    from nixgen.npm.fitting import fitting
    from nixgen.npm.supply import supply
    from nixgen.store import Store
    from nixgen.targets import default_system

    lock = Lock.from_file(request.base / LOCK_NAME)
    if lock.npm is None:
        raise InputError(
            "the lock has nothing of npm",
            where=str(request.base / LOCK_NAME),
            todo="run `nixgen lock` in a project with a package-lock.json",
        )
    packages = fitting(lock.npm, default_system(), request.omit)
    store = Store({**_SHARED, **request.settings})
    expression = _expression(request)
    places = _places(expression, store)
    before = {path.rpartition("/")[0] for path in places.values()}
    with store.connect() as daemon:
        daemon.hold(before)
        lacking = store.invalid(before)
        needed = [package for package in packages if places.get(package.at, "").rpartition("/")[0] in lacking]
        with observer.counting("fetching") as progress:
            done = supply(
                needed,
                store,
                base=request.base,
                hold=daemon,
                access=lambda: npm_access(request.base, request.mirrors),
                progress=progress,
            )
        if done.added:
            observer.supplied(done)
        meant = f"({expression}).mounted" if request.mounted else expression
        with observer.waiting("building") as watch:
            built = store.build(meant, [], out_link, watch)
    if lacking and not _is_shared(lacking):
        observer.note(_NOT_SHARED)
    return built


def store_places(request: Request, store: Store) -> dict[str, str]:
    """Return where the package of each place of the lock lies in the store, or would if it were built.

    Raises:
        NixError: Nix is missing, or cannot evaluate.
    """
    return _places(_expression(request), store)


def _expression(request: Request) -> str:
    """Return the environment of npm's packages as text of the Nix language."""
    from nixgen.emit.nix import nix_path, nix_set
    from nixgen.environments.build import nix_of

    return f"(import {nix_path(nix_of(request.base))} {nix_set(arguments_of(request))}).npm"


def _places(expression: str, store: Store) -> dict[str, str]:
    found: dict[str, str] = store.evaluate(f"{expression}.nixgen.packages")
    return found


def npm_access(base: Path, mirrors: Sequence[str] = ()) -> Access:
    """Return how servers are reached that have npm's packages: as others, and as .npmrc says.

    Args:
        base: the project's directory.
        mirrors: those that the command line names.
    """
    from nixgen.environments.fetch import access_of
    from nixgen.npm.npmrc import Npmrc

    return Npmrc.read(base).access(access_of(base, mirrors))


def arguments_of(request: Request) -> dict[str, str]:
    """Return the arguments of nix/default.nix for the environment of npm's packages, as text of the Nix language."""
    from nixgen.emit.nix import nix_list, nix_string
    from nixgen.targets import ask_interpreter, default_system

    given: dict[str, Any] = {"system": nix_string(default_system())}
    if request.interpreter is not None:
        given["python"] = nix_string(str(request.interpreter.absolute()))
        given["version"] = nix_string(ask_interpreter(request.interpreter).python)
    elif request.python is not None:
        given["version"] = nix_string(request.python)
    if request.node is not None:
        given["node"] = nix_string(str(request.node.absolute()))
    if request.omit:
        given["omit"] = nix_list(request.omit)
    return given


def _is_shared(paths: set[str]) -> bool:
    """Tell whether the store has shared the files of what was just made: then each has a name among all that it has."""
    for path in sorted(paths):
        for file in Path(path).glob("**/package.json"):
            return file.stat().st_nlink > 1
    return True
