"""Shared libraries that are opened, not linked."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from typing import Any

import elf
import plugins
import pytest

from tests.builders.conftest import Workbench, site
from tests.support.elf import make_elf
from tests.support.wheels import make_wheel

HOST = make_elf(soname="libhost.so.1", functions=["dlopen", "realpath"])
WHEEL = {
    "demo/__init__.py": "",
    "demo/lib/libhost.so.1": HOST,
    "demo/lib/libshapes.so.1": make_elf(soname="libshapes.so.1", run_path="$ORIGIN"),
    "demo/plugins/images/libshapes.so": make_elf(
        needed=["libhost.so.1", "libshapes.so.1"], run_path="$ORIGIN/../../lib"
    ),
}


def test_a_plugin_finds_its_libraries(workbench: Workbench) -> None:
    """A plugin that is opened by its resolved path finds what it needs; a link would not."""
    code = "import ctypes, os, sys; ctypes.CDLL(os.path.realpath(sys.argv[1]))"
    said = {}
    for name, overrides in (("rules", None), ("links", {"link": ["*"]})):
        env = workbench.env(workbench.tree(make_wheel(files=WHEEL), overrides))
        command = [env / "bin/python", "-c", code, site(env) / "demo/plugins/images/libshapes.so"]
        said[name] = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    assert said["rules"] == ""
    assert "cannot open shared object file" in said["links"]


def of_wheel(files: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return the plugins among ELF files and what looks beside it; a file's content is arguments of ``make_elf``."""
    found: tuple[list[str], list[str]] = plugins.of_wheel(
        {path: elf.read(make_elf(**content)) for path, content in files.items()}
    )
    return found


@pytest.mark.parametrize(
    ("plugin", "host", "copied"),
    [
        ({}, {}, True),
        ({"run_path": "$ORIGIN/../lib/."}, {}, True),
        ({}, {"functions": ["dlopen"]}, False),
        ({}, {"functions": ["realpath"]}, False),
        ({"functions": ["PyInit_plugin"]}, {}, False),
        ({"run_path": "/usr/lib"}, {}, False),
        ({"run_path": "$ORIGIN/../../other/lib"}, {}, False),
        ({"needed": ["libc.so.6", "libX11.so.6"]}, {}, False),
        ({"needed": ["libQt6Core.so.6", "libc.so.6"]}, {}, True),
        ({"interpreter": "/lib/ld.so"}, {}, False),
    ],
)
def test_only_what_a_host_opens_is_a_plugin(plugin: dict[str, Any], host: dict[str, Any], copied: bool) -> None:
    """It lies apart from its wheel's libraries, and needs one that opens what it resolves; no module of Python does."""
    files = {
        "demo/lib/libhost.so.1": {"soname": "libhost.so.1", "functions": ["dlopen", "readlink"], **host},
        "demo/plugins/a.so": {"needed": ["libhost.so.1"], "run_path": "$ORIGIN/../lib", **plugin},
    }
    assert of_wheel(files)[0] == (["demo/plugins/a.so"] if copied else [])


def test_what_is_linked_is_no_plugin() -> None:
    """A library that another of the wheel needs is found through that, whatever it needs itself."""
    files = {
        "demo/lib/libhost.so.1": {"soname": "libhost.so.1", "functions": ["dlopen", "realpath"]},
        "demo/more/liba.so": {"needed": ["libhost.so.1"], "run_path": "$ORIGIN/../lib"},
        "demo/module.so": {"needed": ["liba.so"], "run_path": "$ORIGIN/more", "functions": ["PyInit_module"]},
        "demo/alone.so": {"needed": ["libc.so.6"], "functions": ["PyInit_alone"]},
    }
    assert of_wheel(files) == ([], ["demo/module.so"])
