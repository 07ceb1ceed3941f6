"""The builders as Nix starts them: on the environment's own Python, whichever that is."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders.conftest import BUILDERS, SHARED, Workbench, listing
from tests.support.interpreters import interpreters
from tests.support.wheels import make_wheel, write_wheel

#: Says what its code is called, which is what tracebacks, debuggers and coverage go by.
_WHERE = """
import inspect, sys
def outer():
    return lambda: print(sys._getframe().f_code.co_filename)
outer()()
print(inspect.getsource(outer).count("\\n"))
"""

#: Runs a builder, and says which modules it has imported; runpy would bring a good part of the library itself.
_LOADED = """
import os, sys
os._exit = lambda status: print(*sys.modules)
sys.path.insert(0, {!r})
with open(sys.path[0] + "/__main__.py") as file:
    exec(file.read())
"""

_FLAGS = ("-s", "-S", "-B", "-X", "utf8")


def start(python: str, builder: str, attributes: dict[str, Any], out: Path, scratch: Path, *, cores: int = 2) -> str:
    """Run a builder as nix/run.nix has it: no environment, no working PATH, attributes in a file."""
    file = scratch / f"{builder}.json"
    file.write_text(json.dumps(attributes), encoding="utf-8")
    done = subprocess.run(
        [python, *_FLAGS, BUILDERS / "__main__.py", builder],
        env={
            "attributesPath": str(file),
            "out": str(out),
            "PATH": str(Path(python).parent),
            "PYTHONHASHSEED": "0",
            "NIX_BUILD_CORES": str(cores),
        },
        cwd=scratch,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr or "failed in silence"


@pytest.mark.parametrize("version", interpreters())
def test_an_environment_is_built_on_every_python(
    version: str, workbench: Workbench, tmp_path: Path, run: Callable[..., str]
) -> None:
    """Tree and environment are built and run on every Python of this machine, from 3.8 on."""
    python = interpreters()[version]
    wheel = make_wheel(
        files={
            "demo/__init__.py": "import sys\ndef main():\n    print(sys.prefix, *sys.argv[1:])\n",
            "demo/where.py": _WHERE,
            **{f"demo/größe{number}.py": "x = 1\n" for number in range(100)},
        },
        entry_points={"console_scripts": {"tool": "demo:main"}},
    )
    tree, env = workbench.store / ("t" * 32 + "-demo-1.0"), workbench.store / ("e" * 32 + "-env")
    assert start(python, "tree", workbench.attributes(wheel), tree, tmp_path) == ""
    none = {"given": [], "ignore": [], "required": True}
    attributes = {"trees": [str(tree)], "python": python, "prefer": [], "libraries": none, **SHARED}
    assert start(python, "env", attributes, env, tmp_path) == ""
    assert run(env / "bin/tool", "a b") == f"{env} a b\n"
    where = env / f"lib/python{version}/site-packages/demo/where.py"
    assert run(env / "bin/python", "-c", "import demo.where") == f"{where}\n2\n"
    assert run(env / "bin/python", "-m", "demo.where") == f"{where}\n2\n"
    assert len(list(tree.rglob("*.pyc"))) == 102
    listed = "import importlib.metadata as m; print(m.version('demo'), len(m.files('demo')))"
    # 102 modules and their bytecode, five files of .dist-info and the command.
    assert run(env / "bin/python", "-c", listed) == "1.0 210\n"


@pytest.mark.parametrize("version", interpreters())
def test_two_builds_of_a_tree_agree(version: str, workbench: Workbench, tmp_path: Path) -> None:
    """A tree has the same bytes whether one process compiled everything or several did."""
    python = interpreters()[version]
    text = "def f(x, fork=1): return x in {{'a', 'b', 'c', 'fork'}}\ndef g(x): return x in {{'a', 'b', 'c'}} or {}\n"
    modules = {f"demo/m{number}.py": text.format(number) for number in range(100)}
    attributes = workbench.attributes(make_wheel(files=modules))
    out = workbench.store / ("t" * 32 + "-demo-1.0")
    built = []
    for cores in (1, 2):
        assert start(python, "tree", attributes, out, tmp_path, cores=cores) == ""
        built.append({path: (out / path).read_bytes() for path in listing(out)})
        out.rename(tmp_path / f"cores-{cores}")
    assert len([path for path in built[0] if path.endswith(".pyc")]) == 100
    assert built[0] == built[1]


def test_unpack_and_nothing_are_started(tmp_path: Path) -> None:
    """Each builder is started by its name."""
    python = next(iter(interpreters().values()))
    wheel = write_wheel(tmp_path, make_wheel())
    assert start(python, "unpack", {"wheel": str(wheel)}, tmp_path / "unpacked", tmp_path) == ""
    assert (tmp_path / "unpacked/files/demo/__init__.py").is_file()
    assert start(python, "nothing", {}, tmp_path / "empty", tmp_path) == ""
    assert (tmp_path / "empty").read_bytes() == b""


def test_an_unknown_builder_is_named(tmp_path: Path) -> None:
    """A name that is no builder's stops the build with a message."""
    python = next(iter(interpreters().values()))
    assert start(python, "os", {}, tmp_path / "out", tmp_path) == "nixgen: there is no builder named 'os'\n"


def loaded(builder: str, attributes: dict[str, Any], out: Path) -> set[str]:
    """Run a builder, and return what it has imported."""
    file = out.with_name(f"{builder}.json")
    file.write_text(json.dumps(attributes), encoding="utf-8")
    python = next(iter(interpreters().values()))
    return set(
        subprocess.run(
            [python, *_FLAGS, "-c", _LOADED.format(str(BUILDERS)), builder],
            env={"attributesPath": str(file), "out": str(out), "PYTHONHASHSEED": "0"},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
    )


def test_a_small_tree_starts_soon(workbench: Workbench, tmp_path: Path) -> None:
    """What takes its time to import is not imported where nothing needs it."""
    modules = loaded("tree", workbench.attributes(make_wheel()), tmp_path / "out")
    assert "tree" in modules
    late = {"ast", "elf", "launcher", "libraries", "mmap", "pickle", "py_compile", "shutil", "tokenize", "traceback"}
    assert late.isdisjoint(modules)


def test_an_environment_starts_sooner(workbench: Workbench, tmp_path: Path) -> None:
    """An environment is made without regular expressions, and without what needs them: half of the time was theirs."""
    tree = workbench.store / ("t" * 32 + "-demo-1.0")
    wheel = make_wheel(entry_points={"console_scripts": {"tool": "demo:main"}})
    python = next(iter(interpreters().values()))
    assert start(python, "tree", workbench.attributes(wheel), tree, tmp_path) == ""
    none = {"given": [], "ignore": [], "required": False}
    attributes = {"trees": [str(tree)], "python": python, "prefer": [], "libraries": none, **SHARED}
    modules = loaded("env", attributes, tmp_path / "out")
    assert "env" in modules
    assert {"re", "json", "shutil", "collections", "contextlib", "tempfile"}.isdisjoint(modules)


def test_nothing_is_written_beside_the_builders(tmp_path: Path) -> None:
    """The directory of the builders holds sources only, whatever was run."""
    python = next(iter(interpreters().values()))
    start(python, "nothing", {}, tmp_path / "out", tmp_path)
    assert {name for name in os.listdir(BUILDERS) if not name.endswith(".py")} == set()  # noqa: PTH208
