"""What of an environment other machines cannot cheaply make, and what they make the rest of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from nixgen.environments.build import arguments_of, build, build_of, fetch_all
from nixgen.environments.builds import index_of_build
from nixgen.environments.choice import Choice
from nixgen.environments.fetch import read_indexes
from nixgen.environments.kinds import Kinds
from nixgen.indexes import index_leaf
from nixgen.leaf import flat_path, store_name
from nixgen.model import LockedPackage, LockedWheel, WheelIndex
from nixgen.observer import SILENT, Observer
from nixgen.sources.fetch import archive_path
from nixgen.sources.leaves import leaves_of
from nixgen.store import Store
from nixgen.targets import default_system
from nixgen.verification.derivations import derivations_of
from nixgen.wheels.text import index_bytes, index_hash

if TYPE_CHECKING:
    from nixgen.environments.request import Request


@dataclass(frozen=True, kw_only=True)
class Flat:
    """A file that is known by its SHA-256, and lies in the store by it: a wheel, an index, an archive.

    Attributes:
        path: its store path.
        sha256: 64 hexadecimal digits.
        name: what it is called in messages.
        url, file, content: where it is had: the one that is set.
        index: of a wheel, the SHA-256 of its index; "" for another file.
        leaves: of a wheel, what is made of it.
        for_builds: whether nothing but a build needs it.
    """

    path: str
    sha256: str
    name: str
    url: str | None = None
    file: Path | None = None
    content: bytes | None = None
    index: str = ""
    leaves: frozenset[str] = frozenset()
    for_builds: bool = False


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What belongs into a cache.

    Attributes:
        environment: the store path that was asked for.
        base: the project's directory.
        built: store paths that are built, each behind those that it needs: programs, trees, the environment, its
            image; wheels of sources.
        flats: what all that is made of.
        archives: store paths of archives that something is built of, known by another hash, to how Nix writes that.
        others: what else the environment needs, leaves aside: evaluation makes it, or another cache has it.
        wheels: store path of a wheel that was built of a source to the SHA-256 of its index.
        mirrors, caches: from where those are fetched, as a user names them.
    """

    environment: str
    base: Path
    built: Sequence[str]
    flats: Sequence[Flat]
    others: Sequence[str] = ()
    archives: Mapping[str, str] = field(default_factory=dict)
    wheels: Mapping[str, str] = field(default_factory=dict)
    mirrors: Sequence[str] = ()
    caches: Sequence[str] = ()


def contents_of(request: Request, roots: Path, observer: Observer = SILENT) -> list[Contents]:
    """Build the environments of a lock, of Python's packages and of npm's, and return what of them a cache is to have.

    Args:
        request: which; their images where these are asked for.
        roots: an empty directory for links that keep what is built from collection.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``nixgen.environments.build.build`` and ``nixgen.environments.npm.build_npm``.
    """
    from nixgen.caches.npm_contents import contents_of_npm

    kinds = Kinds.of(request.base)
    found = [contents_of_python(request, roots, observer)] if kinds.python else []
    if kinds.npm:
        (roots / "npm").mkdir()
        found.append(contents_of_npm(request, roots / "npm", observer))
    return found


def contents_of_python(request: Request, roots: Path, observer: Observer = SILENT) -> Contents:
    """Build an environment, and return what of it belongs into a cache.

    Args:
        request: the environment; its image where that is asked for, and where it is built.
        roots: an empty directory for links that keep what is built from collection.
        observer: is told what goes on.

    Raises:
        NixgenError: as ``nixgen.environments.build.build``.
    """
    environment = build(request._replace(mounted=False), roots / "environment", observer)
    asked = build(request, roots / "image", observer) if request.mounted else environment
    choice = Choice.of(request)
    store = Store(choice.settings)
    needed = _needed(choice)
    indexes = read_indexes(choice, [wheel for wheel in needed if wheel.build is None], observer)
    indexes |= {
        wheel.source.filename: index_of_build(wheel, choice.base) for wheel in needed if wheel.build and wheel.index
    }
    flats = [*_flats(choice, indexes, store.directory), *_indexes(indexes.values(), store.directory)]
    built_wheels = _wheels(choice, store, roots, observer)
    built = [*built_wheels, *outputs_of(choice.base, arguments_of(choice), "mounted", store, environment, roots)]
    whole = set().union(*(store.requisites(Path(path)) for path in {environment, asked}))
    leaves = _leaves(indexes.values(), store.directory)
    return Contents(
        environment=asked,
        base=request.base,
        built=built,
        others=sorted(whole - leaves - {*built}),
        wheels=built_wheels,
        flats=list({flat.path: flat for flat in flats}.values()),
        mirrors=choice.mirrors,
        caches=choice.caches,
    )


def _indexes(indexes: Iterable[WheelIndex], store_dir: str) -> Iterator[Flat]:
    for index in indexes:
        sha256, name = index_hash(index), f"the index of {index.source.filename}"
        yield Flat(path=index_leaf(sha256, store_dir), sha256=sha256, name=name, content=index_bytes(index))


def outputs_of(
    base: Path, given: Mapping[str, str], image_of: str, store: Store, environment: str, roots: Path
) -> list[str]:
    """Return what nixgen's derivations have made of an environment, and of its image where that is built.

    Args:
        base: the project's directory.
        given: the arguments of nix/default.nix, as text of the Nix language.
        image_of: the attribute that is the image.
        store: has all of it.
        environment: the store path.
        roots: gets a link to the image.
    """
    from nixgen.emit.default import is_our_default
    from nixgen.names import NIX_DIRECTORY

    nix = base / NIX_DIRECTORY
    arguments = [word for name, value in given.items() for word in ("--arg", name, value)]
    attribute = ["-A", image_of] if is_our_default(nix / "default.nix") else []
    derivation = store.instantiate(nix, [*arguments, *attribute]).partition("!")[0]
    made = derivations_of(derivation)
    closure = {*store.requisites(Path(environment))}
    image = next((output for output, one in made.items() if one.path == derivation), environment)
    if not store.invalid([image]):
        store.realise(image, roots / "mounted")
        closure |= {*store.requisites(Path(image))}
    return [output for output in made if output in closure]


def _wheels(choice: Choice, store: Store, roots: Path, observer: Observer) -> dict[str, str]:
    """Return of each wheel that is built of a source and pinned the store path and the SHA-256 of its index.

    What is not there is built.
    """
    pinned = {wheel.source.filename: wheel.index for wheel in _needed(choice) if wheel.build and wheel.index}
    names = [*pinned]
    if not names:
        return {}
    from nixgen.emit.nix import nix_string

    fetch_all(choice, observer, builds=True)
    wanted = " ".join(f"made.nixgen.built.{nix_string(name)}" for name in names)
    outputs = build_of(choice, f"(made: [ {wanted} ])", observer).split()
    for number, output in enumerate(outputs):
        store.realise(output, roots / f"built-{number}")
    return {output: pinned[name] for output, name in zip(outputs, names, strict=True)}


def _leaves(indexes: Iterable[WheelIndex], store_dir: str) -> frozenset[str]:
    """Return the store paths of all leaves of some wheels, their indexes among them."""
    return frozenset(
        path for index in indexes for path in (*leaves_of(index, store_dir), index_leaf(index_hash(index), store_dir))
    )


def _flats(choice: Choice, indexes: Mapping[str, WheelIndex], store_dir: str) -> Iterator[Flat]:
    own = {package.wheel.filename for package in choice.packages}
    for wheel in _needed(choice):
        source = wheel.source
        if source.source is not None:
            archive = source.source
            if archive.sha256 and (archive.url or archive.path):
                yield Flat(
                    path=archive_path(archive, store_dir),
                    sha256=archive.sha256,
                    name=f"the source of {wheel.name}",
                    url=archive.url,
                    for_builds=True,
                    file=None if archive.url else choice.base / (archive.path or ""),
                )
        elif source.sha256 is not None:
            yield Flat(
                path=flat_path(store_name(source.filename), bytes.fromhex(source.sha256), store_dir),
                sha256=source.sha256,
                name=source.filename,
                url=source.url,
                file=None if source.url else choice.base / (source.path or ""),
                index=wheel.index or "",
                for_builds=source.filename not in own,
                leaves=_leaves([indexes[source.filename]], store_dir),
            )
    if choice.archive is not None:
        name = unquote(choice.archive.url.rpartition("/")[2])
        path = flat_path(store_name(name), bytes.fromhex(choice.archive.sha256), store_dir)
        yield Flat(path=path, sha256=choice.archive.sha256, name=name, url=choice.archive.url, for_builds=True)


def _needed(choice: Choice) -> list[LockedWheel]:
    """Return the wheels of an environment, and those that they are built with, and so on."""
    found: dict[str, LockedWheel] = {}
    pending = [package.wheel.filename for package in _sorted(choice.packages)]
    while pending:
        name = pending.pop()
        if name not in found:
            wheel = found[name] = choice.lock.wheels[name]
            if wheel.build is not None:
                pending += wheel.build.requires.get(f"{choice.python}-{default_system()}", ())
    return list(found.values())


def _sorted(packages: Sequence[LockedPackage]) -> list[LockedPackage]:
    return sorted(packages, key=lambda package: package.wheel.filename, reverse=True)
