"""Commands that see an environment without links, in its own place, and nobody else does: a namespace of their own."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from types import ModuleType

from nixgen.cache import cache_directory
from nixgen.environments.build import build
from nixgen.environments.npm import build_npm
from nixgen.environments.request import Request
from nixgen.errors import MachineError
from nixgen.library import builder_module, library_directory, module_of
from nixgen.observer import SILENT, Observer
from nixgen.temporary import temporary_directory

from .program import cannot_mount

#: What overlayfs reads where no root has mounted it (the kernel's Documentation/filesystems/overlayfs.rst).
_METACOPY, _REDIRECT = "user.overlay.metacopy", "user.overlay.redirect"


def shown_alone(request: Request, observer: Observer = SILENT) -> list[str]:
    """Build the image of an environment, and return the words that stand before a command which is to see it.

    Args:
        request: the environment.
        observer: is told what goes on.

    Raises:
        MachineError: nothing can be mounted here.
        NixgenError: with what stands in the way of building it.
    """
    _check()
    return _words(Path(build(request._replace(mounted=True), _link(request, ""), observer)))


def modules_alone(request: Request, observer: Observer = SILENT) -> list[str]:
    """Build the image of a project's ``node_modules``, and return the words that stand before a command which sees it.

    It is seen over the project's own ``node_modules``, which is made, and stays, where there is none; and so for
    workspaces that have packages of their own.

    Args:
        request: the environment.
        observer: is told what goes on.

    Raises:
        MachineError: nothing can be mounted here.
        NixgenError: with what stands in the way of building it.
    """
    _check()
    image = Path(build_npm(request._replace(mounted=True), _link(request, "-npm"), observer))
    directory = request.base.absolute() / "node_modules"
    directory.mkdir(exist_ok=True)
    beside = module_of("venv", "workspaces").there(str(image), str(directory))
    for path, other in beside.items():
        Path(path).mkdir(exist_ok=True)
        if os.geteuid() != 0:
            _names(Path(other))  # where mounted.py looks: beside those of the project
    return _words(image, "--over", str(directory))


def _check() -> None:
    said = cannot_mount(user=os.geteuid() != 0)
    if said is not None:
        raise MachineError(said, where="this machine", todo="leave out --mounted")


def _link(request: Request, suffix: str) -> Path:
    """Return where a link keeps an image from garbage collection."""
    name = hashlib.sha256(str(request.base.absolute()).encode()).hexdigest()[:32]
    link = cache_directory() / "images" / f"{name}{suffix}"
    link.parent.mkdir(parents=True, exist_ok=True)
    return link


def _words(image: Path, *options: str) -> list[str]:
    program = library_directory() / "venv" / "mounted.py"
    words = [sys.executable, "-I", "-S", "-B", str(program), "run", *options]
    return [*words, *(["--names", str(_names(image))] if os.geteuid() != 0 else []), str(image), "--"]


def _names(image: Path) -> Path:
    """Return a directory with the names of an image: files without content, which say where that is.

    For who cannot mount the image itself; made once, in the user's cache directory. Each takes a block.

    Raises:
        MachineError: the file system there has no attributes.
    """
    names = cache_directory() / "names" / image.name
    if names.is_dir():
        return names
    erofs = builder_module("erofs")
    names.parent.mkdir(parents=True, exist_ok=True)
    with temporary_directory(names.parent) as made:
        try:
            _write(erofs, erofs.read((image / "image.erofs").read_bytes()), os.fsencode(made / "names"))
        except OSError as error:
            raise MachineError(
                f"cannot write the names of an environment: {error.strerror}",
                where=str(names.parent),
                todo="have XDG_CACHE_HOME name a directory of a file system with extended attributes, such as ext4",
            ) from error
        try:
            (made / "names").rename(names)
        except OSError:
            if not names.is_dir():  # somebody else was first
                raise
    return names


def _write(erofs: ModuleType, directory: object, path: bytes) -> None:
    os.mkdir(path)  # noqa: PTH102 - names are bytes
    for name, node in directory.entries.items():  # type: ignore[attr-defined]
        inside = path + b"/" + name
        if isinstance(node, erofs.Directory):
            _write(erofs, node, inside)
        elif isinstance(node, erofs.Link):
            os.symlink(node.target, inside)  # noqa: PTH211
        else:
            file = os.open(inside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            try:
                if node.content:
                    os.ftruncate(file, node.size)
                    os.setxattr(file, _METACOPY, b"")
                    os.setxattr(file, _REDIRECT, node.content)
                os.fchmod(file, node.mode)
                os.utime(file, (1, 1))
            finally:
                os.close(file)
