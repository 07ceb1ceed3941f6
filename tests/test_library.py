"""The Nix library that comes with nixgen."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nixgen import library
from nixgen.errors import InputError
from nixgen.library import builder_module, library_directory
from tests.support.nix import LIBRARY


def test_the_library_is_that_of_the_checkout() -> None:
    """In a checkout the library is the one beside the package."""
    assert library_directory() == LIBRARY


def test_an_installed_package_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed nixgen takes the library inside its package; one without any says so."""
    package = tmp_path / "site-packages/nixgen"
    package.mkdir(parents=True)
    monkeypatch.setattr(library, "__file__", str(package / "library.py"))
    with pytest.raises(InputError, match="the Nix library is missing"):
        library_directory()
    shutil.copytree(LIBRARY, package / "nix")
    assert library_directory() == package / "nix"


def test_what_builds_run_is_run_here_too() -> None:
    """A module of the builders is that file, loaded once."""
    index = builder_module("index")
    assert Path(index.__file__ or "") == LIBRARY / "builders/index.py"
    assert builder_module("index") is index
