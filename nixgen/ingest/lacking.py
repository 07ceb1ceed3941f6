"""What of some wheels is still to be fetched, because the store does not have it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from nixgen.leaf import leaf_path
from nixgen.model import WheelIndex
from nixgen.store import Store


@dataclass(frozen=True, kw_only=True)
class Lacking:
    """What a store lacks.

    Attributes:
        files: how many files, each content once.
        size: their bytes, unpacked.
        wheels: how many wheels they are in.
    """

    files: int
    size: int
    wheels: int


def lacking(wheels: Iterable[WheelIndex], store: Store) -> Lacking:
    """Return what of some wheels a store lacks.

    Raises:
        NixError: the store cannot be asked.
    """
    leaves: dict[str, tuple[int, str]] = {}
    for index in wheels:
        for path, file in index.files.items():
            if file.size != 0:
                leaf = leaf_path(path.rpartition("/")[2], file.sha256, store.directory)
                leaves.setdefault(leaf, (file.size, index.source.filename))
    missing = [leaves[leaf] for leaf in store.invalid(leaves)]
    return Lacking(
        files=len(missing), size=sum(size for size, _ in missing), wheels=len({wheel for _, wheel in missing})
    )
