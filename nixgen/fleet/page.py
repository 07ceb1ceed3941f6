"""What the page with a fleet's treemap shows."""

from __future__ import annotations

from nixgen.fleet.figures import Figures, PackageFigures
from nixgen.fleet.holders import Holder


def page_data(figures: Figures, name: str) -> dict[str, object]:
    """Return it: each content counts once, with the version that has it, or with those that have it together.

    A version is what it is called, bytes, number of files, what it is (0 the newest here, 1 an older one, 2 what
    several versions have) and numbers of locks.

    Args:
        figures: of the fleet.
        name: what to call it.
    """
    packages = [[called(package), _versions(package)] for package in figures.packages if package.bytes]
    if figures.several_bytes:
        packages.append(["in several packages", [["licences and the like", *_several(figures), 2, []]]])
    return {
        "fleet": {
            "name": name,
            "locks": [lock.path for lock in figures.locks],
            "packages": packages,
            "versions": figures.versions,
            "files": figures.files,
            "bytes": figures.bytes,
            "unique": figures.unique_bytes,
            "copied": figures.copied,
        }
    }


def called(package: PackageFigures | Holder) -> str:
    """Return what to call a package beside those of Python and of npm that have its name."""
    return f"{package.name} (npm)" if package.kind == "npm" else package.name


def _versions(package: PackageFigures) -> list[list[object]]:
    last = len(package.versions) - 1
    found: list[list[object]] = [
        [one.version, one.own_bytes, one.own_files, int(number < last), list(one.locks)]
        for number, one in enumerate(package.versions)
        if one.own_bytes
    ]
    if package.between_bytes:
        held = sorted({lock for one in package.versions for lock in one.locks})
        found.append(["in several versions", package.between_bytes, package.between_files, 2, held])
    return found


def _several(figures: Figures) -> tuple[int, int]:
    return figures.several_bytes, figures.several_files
