"""Take a stream into the store: leaves of its wheels, each by its hash, and then what was made of them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from nixgen.access import Access
from nixgen.caches.reading import Wanted, fetch_all
from nixgen.caches.stream import Manifest, receive
from nixgen.caches.substituting import substituting
from nixgen.environments.fetch import MAX_METADATA
from nixgen.errors import InputError, NixError
from nixgen.indexes import index_leaf
from nixgen.ingest import ingest
from nixgen.model import WheelIndex, WheelSource
from nixgen.observer import SILENT, Observer
from nixgen.sources.leaves import add_leaves
from nixgen.store import Store
from nixgen.temporary import temporary_directory
from nixgen.wheels.text import parse_index


def pull(
    stream: IO[bytes],
    settings: Mapping[str, str],
    keys: Sequence[str],
    links: Sequence[Path] = (),
    observer: Observer = SILENT,
) -> Sequence[str]:
    """Take what ``nixgen push --stdout`` has written, and return the store paths of the environments.

    Args:
        stream: what it has written.
        settings: for Nix, by name.
        keys: public keys to believe, beside Nix's.
        links: a link to make to each environment, which keeps it from garbage collection.
        observer: is told what goes on.

    Raises:
        InputError: the stream was cut off, or is none.
        VerificationError: a file is not what its wheel's index says, or a wheel not what was said of it.
        NixError: Nix does not take what was made of them: it knows no key that has signed it.
    """
    with temporary_directory() as directory:
        directory.chmod(0o755)  # Nix's daemon reads there
        manifest = receive(stream, directory)
        said = [str(directory)]
        with substituting(settings, said, keys, Access(), Store(settings).directory) as options:
            store = Store(options)
            with store.connect() as hold:
                indexes = _indexes(manifest, said, store, directory)
                # Each leaf has its hash. Whether an index is its wheel's is no matter: what is signed names its leaves.
                wheels = [indexes[index] for _, _, index in manifest.wheels]
                observer.fetched(ingest(wheels, store, base=directory, hold=hold, caches=said))
                for path, index in manifest.built.items():
                    _take(store, path, None)
                    add_leaves(indexes[index], Path(path), store, hold)
                for number, environment in enumerate(manifest.environments):
                    _take(store, environment, links[number] if number < len(links) else None)
    return manifest.environments


def _indexes(manifest: Manifest, said: Sequence[str], store: Store, scratch: Path) -> dict[str, WheelIndex]:
    """Return the indexes of a stream's wheels by their SHA-256.

    Raises:
        InputError: one is missing, or of a wheel that cannot be.
    """
    sources = {index: WheelSource(filename=name, path=name, sha256=sha256) for name, sha256, index in manifest.wheels}
    sources |= {index: WheelSource(filename=f"{path[-40:]}", path=path) for path, index in manifest.built.items()}
    wanted = {
        index: Wanted(path=index_leaf(index, store.directory), sha256=index, name=source.filename)
        for index, source in sources.items()
    }
    (scratch / "indexes").mkdir()
    found = fetch_all(said, Access(), wanted.values(), scratch / "indexes", MAX_METADATA)
    read = {}
    for index, source in sources.items():
        path = found.get(wanted[index].path)
        try:
            if path is None:
                raise ValueError("its index is missing")
            content = path.read_bytes()
            name = "" if source.sha256 is None else parse_wheel_filename(source.filename)[0]
            assert hashlib.sha256(content).hexdigest() == index
            read[index] = parse_index(content, source, name)
        except (ValueError, InvalidWheelFilename) as error:
            raise InputError(
                f"the stream has no good index of {source.filename}: {error}",
                where="the stream",
                todo="push it again, without --there",
            ) from error
    return read


def _take(store: Store, path: str, link: Path | None) -> None:
    try:
        store.realise(path, link)
    except NixError as error:
        raise NixError(
            f"Nix does not take {path}:\n{error.what}",
            where="the stream",
            todo="name the public key that the sender signed with (--trusted-key); where it has sent too little "
            "(--there), have it send all",
        ) from error
