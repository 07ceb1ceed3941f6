"""The Nix library that comes with nixgen: where it is, and the part of it that nixgen runs too."""

from __future__ import annotations

import functools
import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from nixgen.errors import InputError


def library_directory() -> Path:
    """Return the directory of the Nix library: in the installed package, or beside it in a checkout.

    Raises:
        InputError: it is not there.
    """
    package = Path(__file__).resolve().parent
    for candidate in (package / "nix", package.parent / "nix"):
        if (candidate / "builders").is_dir():
            return candidate
    raise InputError(
        "the Nix library is missing from this installation of nixgen",
        where=str(package),
        todo="install nixgen again",
    )


@functools.cache
def builder_module(name: str) -> ModuleType:
    """Return a module of ``nix/builders``, so that what a build does and what nixgen does is written once.

    Args:
        name: of a module that imports none of its neighbours.
    """
    return module_of("builders", name)


def module_of(part: str, name: str) -> ModuleType:
    """Return a Python module of the library, beside which no bytecode is written: it is shipped as it lies there.

    Args:
        part: the directory of the library.
        name: of the module.
    """
    path = library_directory() / part / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"nixgen_{part}_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        spec.loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = before
    return module
