"""Copies that an environment needs itself: what they look for lies in the trees of several wheels."""

from __future__ import annotations

import subprocess
from pathlib import Path

import env as env_builder
import layout
import pytest

from tests.builders.conftest import Workbench, site
from tests.support.elf import make_elf
from tests.support.wheels import make_wheel

#: Shows what lies beside the module, from its resolved path.
SHOWING = """
import os
print(*sorted(name for name in os.listdir(os.path.dirname(os.path.realpath(__file__))) if name.endswith(".txt")))
"""
CORE = make_wheel("core", files={"demo/__init__.py": "x = 1\n", "demo/core.txt": "core", "demo/sub/show.py": SHOWING})
MORE = make_wheel("more", files={"demo/more.txt": "more", "demo/show.py": SHOWING, "demo/sub/more.txt": "more"})

LIBRARIES = {
    "tool/__init__.py": "",
    "tool/module.so": make_elf(needed=["liba.so"], run_path="$ORIGIN/../tool.libs", functions=["PyInit_module"]),
    "tool.libs/liba.so": make_elf(soname="liba.so"),
}
FREEZER = make_wheel("freezer", files={"freezer.py": "import os\ncommand = ['ldd', os.path.realpath(x)]\n"})


def said(env: Path, *command: str | Path) -> str:
    done = subprocess.run([env / "bin/python", *command], capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def copied(env: Path) -> list[str]:
    """Return what an environment has copies of, below its site-packages."""
    return sorted(path[len(layout.site_packages()) + 1 :] for path in env_builder.copies(str(env)))


def test_a_package_that_several_wheels_fill_is_whole(workbench: Workbench) -> None:
    """What resolves its own path finds the files of all wheels; whatever needs no neighbours stays a link."""
    env = workbench.env(CORE, MORE)
    assert said(env, "-m", "demo.show") == "core.txt more.txt\n"
    assert said(env, "-m", "demo.sub.show") == "more.txt\n"
    assert copied(env) == ["demo/__init__.py", "demo/show.py", "demo/sub/show.py"]
    assert (site(env) / "demo/more.txt").is_symlink()


def test_what_may_be_no_link_is_none(workbench: Workbench) -> None:
    """A file that code passes over as a link is real also in a directory that several wheels fill."""
    skipping = "import os\nprint(*(e.name for e in os.scandir(os.path.dirname(__file__)) if not e.is_symlink()))\n"
    wheel = make_wheel("skips", files={"demo/list.py": skipping, "demo/data.txt": "x"})
    assert "data.txt" in said(workbench.env(wheel), "-m", "demo.list")
    assert "data.txt" in said(workbench.env(wheel, CORE), "-m", "demo.list")


@pytest.mark.parametrize("mark", ["__init__.py", "py.typed"])
def test_a_namespace_is_nobodys(workbench: Workbench, mark: str) -> None:
    """Packages that share nothing but a namespace, each with its own part of the marks, are not copied."""
    wheels = [
        make_wheel(name, files={f"space/{mark}": "", f"space/{name}/__init__.py": "", f"space/{name}/show.py": SHOWING})
        for name in ("one", "two")
    ]
    assert copied(workbench.env(*wheels)) == []
    assert copied(workbench.env(CORE)) == []


def test_a_freezer_finds_what_modules_need(workbench: Workbench) -> None:
    """Beside a program that asks what a module's resolved path needs, modules are copied; elsewhere they are not."""
    wheel = make_wheel("tool", files=LIBRARIES)
    code = "import ctypes, os, sys; ctypes.CDLL(os.path.realpath(sys.argv[1]))"
    alone, frozen = workbench.env(wheel), workbench.env(wheel, FREEZER)
    assert "liba.so: cannot open" in said(alone, "-c", code, site(alone) / "tool/module.so")
    assert said(frozen, "-c", code, site(frozen) / "tool/module.so") == ""
    assert (copied(alone), copied(frozen)) == ([], ["tool/module.so"])
