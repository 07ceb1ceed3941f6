"""What nixgen writes into a project: the lock, the Nix library, and once the files that a person edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..indexes import VENDORED
from ..library import library_directory
from ..lock import Lock
from ..names import LIBRARY_DIRECTORY, LOCK_NAME, NIX_DIRECTORY
from ..temporary import is_temporary, sweep
from .default import check_default
from .files import contents, replace_directory, write_bytes, write_text
from .nix import nix_string


@dataclass(frozen=True, kw_only=True)
class Files:
    """What nixgen writes into a project.

    The library in ``nix/nixgen`` always becomes this nixgen's own; ``nix/default.nix`` belongs to the user and is
    written only where it is missing.

    Attributes:
        lock: the lock.
        vendored: content of the files in ``nix/index`` by their names; None where there are to be none.
    """

    lock: Lock
    vendored: Mapping[str, bytes] | None = None

    def write(self, directory: Path) -> list[Path]:
        """Write all of it, and return the files and directories that changed.

        Every write is a rename, and what the lock does not need any more goes after it: an interruption leaves the
        previous state. What a killed process left half written is removed.

        Args:
            directory: the project's directory.
        """
        changed = self.changes(directory)
        nix = directory / NIX_DIRECTORY
        nix.mkdir(exist_ok=True)
        for place in (directory, nix, directory / VENDORED):
            sweep(place)
        for path in changed:
            if path == nix / LIBRARY_DIRECTORY:
                replace_directory(path, contents(library_directory()))
            elif path == directory / VENDORED:
                path.mkdir(exist_ok=True)
                for name, content in (self.vendored or {}).items():
                    if not _holds(path / name, content):
                        write_bytes(path / name, content)
            elif path == nix / "default.nix":
                write_text(path, render("default.nix"))
            else:
                write_text(path, self.lock.to_text())
        if self.vendored is not None:
            for path in (directory / VENDORED).iterdir():
                if path.name not in self.vendored and not is_temporary(path.name):
                    path.unlink()
        return changed

    def changes(self, directory: Path) -> list[Path]:
        """Return what ``write`` would change, the lock last: it is what makes the rest count."""
        nix = directory / NIX_DIRECTORY
        if (nix / "default.nix").is_file():
            check_default(nix / "default.nix")
        found = []
        if contents(nix / LIBRARY_DIRECTORY) != contents(library_directory()):
            found.append(nix / LIBRARY_DIRECTORY)
        if not (nix / "default.nix").exists():
            found.append(nix / "default.nix")
        if self.vendored is not None and contents(directory / VENDORED) != self.vendored:
            found.append(directory / VENDORED)
        if not _holds(directory / LOCK_NAME, self.lock.to_text().encode()):
            found.append(directory / LOCK_NAME)
        return found


def render(template: str, **values: object) -> str:
    """Return a template of ``emit/templates`` with its values filled in; an unknown value is an error."""
    # Imported here: a build writes nothing, and so needs no templates.
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("nixgen.emit"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,
    )
    environment.filters["nix"] = nix_string
    return environment.get_template(f"{template}.j2").render(**values)


def _holds(path: Path, content: bytes) -> bool:
    return path.is_file() and path.read_bytes() == content
