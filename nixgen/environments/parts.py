"""What an environment is made of, built without the environment: trees, and a Python that is fetched.

It is what the derivation of the environment takes, so that a build of it finds everything and makes nothing but links.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nixgen.environments.build import arguments_of, explained_failure, fetch_all, nix_of, substituting_choice
from nixgen.environments.choice import Choice
from nixgen.errors import NixError
from nixgen.observer import SILENT, Observer
from nixgen.store import Store
from nixgen.verification.derivations import Derivation

if TYPE_CHECKING:
    from nixgen.store.daemon import Daemon


@dataclass(frozen=True, kw_only=True)
class Parts:
    """What an environment is made of.

    Attributes:
        trees: store path of each package's tree, by the file name of the wheel.
        others: the other store paths that are built for it by nixgen's builders.
        derivations: the ``.drv`` of all of these.
        foreign: the ``.drv`` of what else it needs, as of a Python of nixpkgs.
    """

    trees: Mapping[str, str] = field(default_factory=dict)
    others: Sequence[str] = ()
    derivations: Sequence[str] = ()
    foreign: Sequence[str] = ()


def find_parts(choice: Choice) -> Parts:
    """Return what an environment is made of, whose leaves are in the store; nothing is built.

    Where the project's own ``nix/default.nix`` makes something else of the environment, that is the one part.

    Raises:
        NixError: with what Nix said; a leaf is missing.
    """
    store = Store(choice.settings)
    arguments = [word for name, value in arguments_of(choice).items() for word in ("--arg", name, value)]
    try:
        path = store.instantiate(nix_of(choice.base), arguments).partition("!")[0]
    except NixError as error:
        raise explained_failure(error, choice, store) from error
    environment = Derivation.read(path)
    if environment is None or environment.what != "environment":
        return Parts(foreign=[path])
    made = {one.output: name for name in environment.inputs if (one := Derivation.read(name)) is not None}
    trees: list[str] = json.loads(environment.attributes)["trees"]
    return Parts(
        trees={package.wheel.filename: tree for package, tree in zip(choice.packages, trees, strict=True)},
        others=[output for output in made if output not in set(trees)],
        derivations=[*made.values()],
        foreign=[name for name in environment.inputs if name not in set(made.values())],
    )


def build_parts(choice: Choice, observer: Observer = SILENT, *, hold: Daemon) -> tuple[Parts, Sequence[str]]:
    """Put what an environment is made of into the store, leaves and all, as ``build_choice`` does, and not itself.

    Args:
        choice: the environment.
        observer: is told what goes on.
        hold: keeps all of it from garbage collection as long as it is open.

    Returns:
        what it is made of, and the store paths of what is not a tree; all of it is valid.

    Raises:
        NixError: with what Nix said.
        NixgenError: as ``nixgen.environments.fetch.fetch``.
    """
    with substituting_choice(choice) as choice:
        fetch_all(choice, observer, hold=hold)
        parts = find_parts(choice)
        hold.hold([*parts.trees.values(), *parts.others])
        store = Store(choice.settings)
        try:
            with observer.waiting("building") as watch:
                store.build_all(parts.derivations, watch)
                foreign = store.build_all(parts.foreign, watch)
        except NixError as error:
            raise explained_failure(error, choice, store) from error
    hold.hold(foreign)
    return parts, [*parts.others, *foreign]
