"""What a failed build lacked."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest


@pytest.fixture
def lacking(monkeypatch: pytest.MonkeyPatch) -> object:
    """Give the builders' module."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "nix" / "builders"))
    return importlib.import_module("lacking")


@pytest.mark.parametrize(
    ("said", "kind", "name", "advice"),
    [
        ("error: command 'gcc' failed: No such file or directory", "program", "gcc", 'packages = ["gcc"]'),
        ("error: command 'x86_64-linux-gnu-gcc' failed: No such file or directory", "program", None, '["gcc"]'),
        ("unable to execute 'swig': No such file or directory", "program", "swig", '["swig"]'),
        ("/bin/sh: 1: pg_config: not found", "program", "pg_config", '["pg_config"]'),
        ("ERROR: Unknown compiler(s): [['cc'], ['gcc'], ['clang']]", "program", "cc", '["gcc"]'),
        ("src/x.c:3:10: fatal error: openssl/ssl.h: No such file or directory", "header", None, '["openssl"]'),
        ("x.c:1:10: fatal error: ffi.h: No such file or directory", "header", "ffi.h", '["libffi"]'),
        ("Package libfoo was not found in the pkg-config search path.", "library", "libfoo", '["libfoo"]'),
        ('meson.build:3:0: ERROR: Dependency "openblas" not found, tried pkgconfig', "library", "openblas", "openblas"),
        ("/usr/bin/ld: cannot find -lxml2", "library", "xml2", "xml2"),
        ("fatal: unable to access 'https://x/': Could not resolve host: x.org", "network", "x.org", "no network"),
        ("URLError: <urlopen error [Errno -3] Temporary failure in name resolution>", "network", None, "no network"),
        ("ModuleNotFoundError: No module named 'numpy.core'", "module", "numpy.core", 'requires = ["numpy"]'),
    ],
)
def test_what_tools_say_is_understood(lacking: object, said: str, kind: str, name: str | None, advice: str) -> None:
    """Each message gives a kind, a name, and a line to add that names the package."""
    found = lacking.found(f"compiling\n{said}\nfailed\n")  # type: ignore[attr-defined]
    assert [item[0] for item in found] == [kind]
    assert name is None or found[0][1] == name
    sentence = lacking.advice("demo", *found[0])  # type: ignore[attr-defined]
    assert advice in sentence and "[tool.nixgen.build.demo]" in sentence


def test_other_failures_lack_nothing(lacking: object) -> None:
    """A failure of the code itself is not taken for something that is missing."""
    assert lacking.found("Traceback (most recent call last):\nValueError: wrong\n") == []  # type: ignore[attr-defined]
