"""What nixgen writes into a project: the lock, the Nix library, and once the files that a person edits."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from ..errors import InputError
from ..lock import LOCK_NAME, Lock

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
            _replace_directory(path, _contents(library_directory()))
        elif path == nix / "default.nix":
            write_text(path, render("default.nix"))
        else:
            write_text(path, lock.to_text())
    return changed


def changes(directory: Path, lock: Lock) -> list[Path]:
    """Return what ``write_project`` would change, the lock last: it is what makes the rest count."""
    nix = directory / NIX_DIRECTORY
    found = []
    if _contents(nix / LIBRARY_DIRECTORY) != _contents(library_directory()):
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


def nix_string(text: str) -> str:
    """Return a string literal of the Nix language for any text (Nix manual, "String")."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("${", "\\${")
    return '"' + escaped.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t") + '"'


def nix_list(texts: Iterable[str]) -> str:
    """Return a list of strings of the Nix language."""
    return "[ " + "".join(f"{nix_string(text)} " for text in texts) + "]"


def nix_path(path: Path) -> str:
    """Return an expression of the Nix language for a path of any name."""
    return f"(/. + {nix_string(str(path.absolute()))})"


def write_text(path: Path, text: str) -> None:
    """Write a file by rename."""
    with _beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="")
        temporary.replace(path)


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()


def _replace_directory(path: Path, contents: Mapping[str, bytes]) -> None:
    with _beside(path) as temporary, _beside(path) as previous:
        for name, content in contents.items():
            (temporary / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).write_bytes(content)
        try:
            if path.exists():
                path.rename(previous)
            temporary.rename(path)
        except BaseException:
            if previous.exists() and not path.exists():
                previous.rename(path)
            raise


def _contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Give a name beside a path for something that will be renamed to it, and leave nothing there."""
    holder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield holder / path.name
    finally:
        shutil.rmtree(holder, ignore_errors=True)
