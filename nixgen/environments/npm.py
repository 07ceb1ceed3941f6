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
    from nixgen.environments.npm_choice import NpmChoice
    from nixgen.environments.request import Request
    from nixgen.store import Store

#: The store keeps a file once that several packages have, by hard links (Nix manual, "auto-optimise-store").
SHARED = {"auto-optimise-store": "true"}


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
        # Imported here: a build of what was built needs none of it.
        from nixgen.environments.build import substituting_choice
        from nixgen.environments.npm_choice import NpmChoice

        with substituting_choice(NpmChoice.of(request)) as choice:
            found = _build(choice, out_link, observer, mounted=request.mounted)
        last.keep(found)
    return found


def _build(choice: NpmChoice, out_link: Path | None, observer: Observer, *, mounted: bool) -> str:
    from nixgen.environments.npm_choice import build_packages
    from nixgen.store import Store

    store = Store(choice.settings)
    with store.connect() as daemon:
        return build_packages(choice, store, daemon, observer, out_link, mounted=mounted)[0]


def store_places(request: Request, store: Store) -> dict[str, str]:
    """Return where the package of each place of the lock lies in the store, or would if it were built.

    Raises:
        NixError: Nix is missing, or cannot evaluate.
    """
    return places_of(expression_of(request), store)


def expression_of(request: Request) -> str:
    """Return the environment of npm's packages as text of the Nix language."""
    from nixgen.emit.nix import nix_path, nix_set
    from nixgen.environments.build import nix_of

    return f"(import {nix_path(nix_of(request.base))} {nix_set(arguments_of(request))}).npm"


def places_of(expression: str, store: Store) -> dict[str, str]:
    """Return what ``store_places`` does, of an environment as text of the Nix language."""
    found: dict[str, str] = store.evaluate(f"{expression}.nixgen.packages")
    return found


def npm_access(base: Path, mirrors: Sequence[str] = (), caches: Sequence[str] = ()) -> Access:
    """Return how servers are reached that have npm's packages: as others, and as .npmrc says.

    Args:
        base: the project's directory.
        mirrors: those that the command line names.
        caches: binary caches, whose URLs may carry a login.
    """
    from nixgen.environments.fetch import access_of
    from nixgen.npm.npmrc import Npmrc

    return Npmrc.read(base).access(access_of(base, mirrors, caches))


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
