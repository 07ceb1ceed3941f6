"""An environment of a lock, built."""

from __future__ import annotations

import contextlib
import functools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from nixgen.environments.freshness import check_inputs
from nixgen.environments.last_build import LastBuild
from nixgen.observer import SILENT, Observer

if TYPE_CHECKING:
    from nixgen.environments.choice import Choice
    from nixgen.environments.npm_choice import NpmChoice
    from nixgen.environments.request import Request
    from nixgen.errors import NixError, NixgenError
    from nixgen.ingest import IngestReport
    from nixgen.store import Store
    from nixgen.store.daemon import Daemon

#: What Nix's message has where a leaf is missing: the name of the file that stands for all of them (nix/ingest.nix).
_LEAF_MISSING = "run-nixgen-fetch"

#: How many bytes of wheels are worth to build trees of those that are there while others arrive.
_WORTH_BUILDING_AHEAD = 16 << 20

#: How often to fetch what is missing all the same, where collections go on all the time.
_FETCHES = 3

#: What Nix says of a builder that the sandbox does not hold.
_NO_BUILDER = re.compile(r"executing '[^']*': No such file or directory")

#: What is chosen of a lock, of either kind.
AnyChoice = TypeVar("AnyChoice", "Choice", "NpmChoice")

#: Given the text of an expression that is the environment, returns that of what to build instead.
Wrap = Callable[[str], str]


def build(request: Request, out_link: Path | None, observer: Observer = SILENT) -> str:
    """Build the environment that is asked for, or its image, and return the store path.

    What was built before, of all that it was built of, is not evaluated again (``LastBuild``).

    Args:
        request: the environment.
        out_link: a link to make, which keeps it from garbage collection; None makes none.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``Choice.of`` and ``build_choice``; what the link led to stays.
    """
    check_inputs(request.base, request.check, observer)
    last = LastBuild(request, out_link)
    found = last.find()
    if found is None:
        observer.working()
        # Imported here: a build of what was built needs neither the lock nor packaging.
        from nixgen.environments.choice import Choice

        found = build_choice(Choice.of(request), out_link, observer, wrap=_image_of if request.mounted else None)
        last.keep(found)
    return found


def _image_of(environment: str) -> str:
    return f"({environment}).mounted"


def build_choice(
    choice: Choice, out_link: Path | None, observer: Observer = SILENT, *, wrap: Wrap | None = None
) -> str:
    """Build an environment, with the leaves that the store lacks, and return its store path.

    Wheels whose index is not tied to their hash are fetched before anything is built of them. Then Nix is asked first:
    evaluation finds a missing leaf, and where none is missing nothing else has to be asked (0.1 s less for 7,000
    leaves).

    Args:
        choice: the environment.
        out_link: a link to make, which keeps it from garbage collection; None makes none.
        observer: is told what goes on.
        wrap: what to build instead.

    Raises:
        NixError: with what Nix said.
        NixgenError: as ``fetch``.
    """
    with substituting_choice(choice) as choice:
        return _build_choice(choice, out_link, observer, wrap)


def _build_choice(choice: Choice, out_link: Path | None, observer: Observer, wrap: Wrap | None) -> str:
    from nixgen.errors import LostPathError, NixError
    from nixgen.store import Store

    def attempt() -> str | None:
        try:
            return _build(choice, out_link, observer, wrap)
        except NixError as error:
            if not isinstance(error, LostPathError) and _LEAF_MISSING not in error.what:
                raise
            return None

    if not choice.untied and (built := attempt()) is not None:
        return built
    # While it starts, what fetching needs is imported.
    with Store(choice.settings).start_connecting() as daemon:
        for _ in range(_FETCHES - 1):
            # No collection takes a leaf between its arrival and the build of what needs it, or hardly one.
            with building_ahead(choice) as arrived:
                fetch_all(choice, observer, hold=daemon, arrived=arrived)
            if (built := attempt()) is not None:
                return built
        fetch_all(choice, observer, hold=daemon)
        return _build(choice, out_link, observer, wrap)


@contextlib.contextmanager
def substituting_choice(choice: AnyChoice) -> Iterator[AnyChoice]:
    """Give the environment with settings for Nix to take from its caches, as long as the context lasts."""
    if not choice.caches:
        yield choice
        return
    import dataclasses

    from nixgen.caches.substituting import substituting
    from nixgen.environments.fetch import access_of
    from nixgen.store import Store

    access = access_of(choice.base, choice.mirrors, choice.caches)
    store_dir = Store(choice.settings).directory
    with substituting(choice.settings, choice.caches, choice.trusted_keys, access, store_dir) as settings:
        yield dataclasses.replace(choice, settings=settings)


@contextlib.contextmanager
def building_ahead(choice: Choice) -> Iterator[Callable[[str], None]]:
    """Give what takes the names of an environment's wheels that have arrived, and build their trees meanwhile.

    Nothing is built of few bytes, which are there before the first tree: to ask Nix for it takes a tenth of a second.
    """
    wheels = {package.wheel.filename: package.name for package in choice.packages}
    wheels = {name: package for name, package in wheels.items() if choice.lock.wheels[name].build is None}
    if sum(choice.lock.wheels[name].source.size or 0 for name in wheels) < _WORTH_BUILDING_AHEAD:
        yield lambda _: None
        return
    from nixgen.emit.nix import nix_list, nix_path, nix_set
    from nixgen.environments.ahead import Ahead
    from nixgen.store import Store

    environment = f"import {nix_path(nix_of(choice.base))} {nix_set(arguments_of(choice))}"

    def trees(names: Sequence[str]) -> str:
        return f"map (name: ({environment}).nixgen.trees.${{name}}) {nix_list(names)}"

    with Ahead(Store(choice.settings), trees, wheels) as ahead:
        yield ahead.arrived


def fetch_all(
    choice: Choice,
    observer: Observer = SILENT,
    *,
    hold: Daemon | None = None,
    builds: bool = False,
    arrived: Callable[[str], None] = lambda _: None,
) -> IngestReport:
    """Put every leaf of an environment into the store, as ``nixgen.environments.fetch.fetch`` does."""
    from nixgen.environments.fetch import fetch

    build = functools.partial(build_of, choice, observer=observer)
    return fetch(choice, observer, build=build, hold=hold, builds=builds, arrived=arrived)


def build_of(choice: Choice, function: str, observer: Observer = SILENT) -> str:
    """Build what the text of a function gives of an environment, and return its store paths, one a line.

    Raises:
        NixError: with what Nix said.
        BuildError: a source cannot be built.
    """
    return _build(choice, None, observer, lambda environment: f"({function} {environment})")


def _build(choice: Choice, out_link: Path | None, observer: Observer, wrap: Wrap | None) -> str:
    """Build an environment whose leaves are in the store."""
    from nixgen.emit.nix import nix_path, nix_set
    from nixgen.errors import NixError
    from nixgen.store import Store

    file = nix_of(choice.base)
    given = arguments_of(choice)
    expression: Path | str = file
    arguments = [word for name, value in given.items() for word in ("--arg", name, value)]
    if wrap is not None:
        expression, arguments = wrap(f"(import {nix_path(file)} {nix_set(given)})"), []
    store = Store(choice.settings)
    try:
        if wrap is _image_of and choice.caches:
            _take_image(file, arguments_of(choice), store)
        with observer.waiting("building") as watch:
            return store.build(expression, arguments, out_link, watch)
    except NixError as error:
        raise explained_failure(error, choice, store) from error


def explained_failure(error: NixError, choice: Choice, store: Store) -> NixgenError:
    """Return what a user gets of a failed build of an environment's, or of what it is made of.

    Args:
        error: with what Nix said.
        choice: the environment.
        store: where it was built.
    """
    from nixgen.errors import NixError
    from nixgen.sources.failures import explained, places_of

    if choice.archive is not None:
        from nixgen.environments.archive import explain

        of_archive = explain(error, choice.archive, sandbox=store.setting("sandbox") is not False)
        if of_archive is not None:
            return of_archive
    in_store = choice.archive is not None or (choice.interpreter or "").startswith(store.directory + "/")
    if not in_store and _NO_BUILDER.search(error.what) and store.setting("sandbox") is not False:
        return NixError(
            "Nix builds in a sandbox, which does not see the machine's own Python",
            where=choice.interpreter or f"python{choice.python}",
            todo="use a Python of the store (--python /nix/store/…/bin/python, or nixpkgs' through `nixgen init`), "
            "or build without the sandbox: --option sandbox false",
        )
    return explained(error, places_of([*choice.packages, *choice.lock.tools], choice.base))


def nix_of(base: Path) -> Path:
    """Return the directory of the Nix files that make a project's environments.

    Raises:
        InputError: there is none, or it is not nixgen's.
    """
    from nixgen.emit.default import check_default
    from nixgen.errors import InputError
    from nixgen.names import NIX_DIRECTORY

    file = base / NIX_DIRECTORY
    if not (file / "default.nix").is_file():
        raise InputError("there is no nix/default.nix", where=str(file), todo="run `nixgen lock`")
    check_default(file / "default.nix")
    return file


def _take_image(file: Path, given: Mapping[str, str], store: Store) -> None:
    """Take an image from a cache that has it, with all that it needs: a build would not ask for it (nix/mounted.nix).

    Args:
        file: of ``nix``.
        given: the arguments of nix/default.nix.
        store: asks the caches.
    """
    from nixgen.errors import NixError
    from nixgen.verification.derivations import Derivation

    arguments = [word for name, value in given.items() for word in ("--arg", name, value)]
    derivation = Derivation.read(store.instantiate(file, [*arguments, "-A", "mounted"]))
    with contextlib.suppress(NixError):
        if derivation is not None:
            store.realise(derivation.output, None)


def arguments_of(choice: Choice) -> dict[str, str]:
    """Return the arguments of nix/default.nix for an environment, as text of the Nix language."""
    from nixgen.emit.nix import nix_list, nix_string
    from nixgen.targets import default_system

    arguments = {
        "ingest": nix_string("store"),
        "version": nix_string(choice.python),
        "system": nix_string(default_system()),
        "extras": nix_list(choice.extras),
        "groups": nix_list(choice.groups),
    }
    # A nix/default.nix of before these arguments serves all who do not give them.
    for name, values in (
        ("libraries", choice.libraries),
        ("ignoreLibraries", choice.ignore_libraries),
        ("editable", choice.editable),
    ):
        if values:
            arguments[name] = nix_list(values)
    if choice.member is not None:
        arguments["package"] = nix_string(choice.member)
    if choice.interpreter is not None:
        arguments["python"] = nix_string(choice.interpreter)
    return arguments
