"""Where the files of a wheel go."""

from __future__ import annotations

import sys
import sysconfig

import layout
import pytest


def test_site_packages_is_where_this_python_looks() -> None:
    """The running Python's site-packages is that of its scheme "venv"."""
    base = {"base": "/env", "platbase": "/env", "installed_base": "/env", "installed_platbase": "/env"}
    assert "/env/" + layout.site_packages() == sysconfig.get_path("purelib", "venv", base)


@pytest.mark.parametrize(
    ("version", "expected"),
    [((3, 9), "lib/python3.9/site-packages"), ((3, 13), "lib/python3.13/site-packages")],
)
def test_site_packages_of_a_version(version: tuple[int, int], expected: str) -> None:
    """A version names its directory with all its digits."""
    assert layout.site_packages(version) == expected


def test_a_free_threaded_python_has_a_directory_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The build without the global lock looks into ``python3.13t``."""
    monkeypatch.setattr(sys, "abiflags", "t")
    major, minor = sys.version_info[:2]
    assert layout.site_packages() == f"lib/python{major}.{minor}t/site-packages"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("demo/__init__.py", ("lib/python3.11/site-packages/demo/__init__.py", "purelib")),
        ("top.py", ("lib/python3.11/site-packages/top.py", "purelib")),
        ("demo-1.data/purelib/a.py", ("lib/python3.11/site-packages/a.py", "purelib")),
        ("demo-1.data/platlib/b/c.so", ("lib/python3.11/site-packages/b/c.so", "platlib")),
        ("demo-1.data/scripts/run", ("bin/run", "scripts")),
        ("demo-1.data/headers/a/b.h", ("include/site/python3.11/demo/a/b.h", "headers")),
        ("demo-1.data/data/share/man/x.1", ("share/man/x.1", "data")),
        ("demo-2.data/scripts/run", ("lib/python3.11/site-packages/demo-2.data/scripts/run", "purelib")),
    ],
)
def test_each_scheme_has_its_place(path: str, expected: tuple[str, str]) -> None:
    """A file goes where its scheme says; another version's ``.data`` is an ordinary directory."""
    places = layout.schemes("demo", (3, 11))
    assert layout.installed_path(path, "demo-1.data", places, layout.site_packages((3, 11))) == expected


@pytest.mark.parametrize("path", ["demo-1.data/stray", "demo-1.data/bin/x"])
def test_an_unknown_scheme_is_an_error(path: str) -> None:
    """What belongs to no scheme is refused, and named."""
    with pytest.raises(ValueError, match=path):
        layout.installed_path(path, "demo-1.data", layout.schemes("demo"), layout.site_packages())


def test_a_wheel_without_data_has_no_schemes() -> None:
    """Without a ``.data`` directory every file is one of site-packages."""
    site = layout.site_packages()
    found = layout.installed_path("a/scripts/b", "", layout.schemes("demo"), site)
    assert found == (f"{site}/a/scripts/b", "purelib")
