"""What nixgen writes into a project: the lock, the Nix library, and once the files that a person edits."""

from __future__ import annotations

from pathlib import Path

from ..errors import InputError
from ..lock import LOCK_NAME, Lock
from .files import contents, replace_directory, write_text
from .nix import nix_string

#: Directory of the Nix files in a project, and of the library in it.
NIX_DIRECTORY = "nix"
LIBRARY_DIRECTORY = "nixgen"


def write_project(directory: Path, lock: Lock) -> list[Path]:
    """Write the lock and ``nix/`` into a project, and return the files and directories that changed.

    The library in ``nix/nixgen`` always becomes this nixgen's own; ``nix/default.nix`` belongs to the user and is
    written only where it is missing. Every write is a rename: an interruption leaves the previous state.

    Args:
        directory: the project's directory.
        lock: what to write as ``nixgen.lock``.
    """
    changed = changes(directory, lock)
    nix = directory / NIX_DIRECTORY
    nix.mkdir(exist_ok=True)
    for path in changed:
        if path == nix / LIBRARY_DIRECTORY:
            replace_directory(path, contents(library_directory()))
        elif path == nix / "default.nix":
            write_text(path, render("default.nix"))
        else:
            write_text(path, lock.to_text())
    return changed


def changes(directory: Path, lock: Lock) -> list[Path]:
    """Return what ``write_project`` would change, the lock last: it is what makes the rest count."""
    nix = directory / NIX_DIRECTORY
    found = []
    if contents(nix / LIBRARY_DIRECTORY) != contents(library_directory()):
        found.append(nix / LIBRARY_DIRECTORY)
    if not (nix / "default.nix").exists():
        found.append(nix / "default.nix")
    if not _holds(directory / LOCK_NAME, lock.to_text()):
        found.append(directory / LOCK_NAME)
    return found


def is_our_default(path: Path) -> bool:
    """Tell whether a ``nix/default.nix`` is the one that ``write_project`` writes, without a word of the user's."""
    # The template has nothing to fill in, and so it is its own text: no need to import what fills it in.
    return path.read_bytes() == (Path(__file__).parent / "templates" / "default.nix.j2").read_bytes()


def library_directory() -> Path:
    """Return the directory of the Nix library: in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for candidate in (package / "nix", package.parent / "nix"):
        if (candidate / "builders").is_dir():
            return candidate
    raise InputError(
        "the Nix library is missing from this installation of nixgen",
        where=str(package),
        todo="install nixgen again",
    )


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


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
