"""Wheels that share directories: split packages, namespaces through ``.pth`` files, libraries over several wheels."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.conftest import Workbench, site
from tests.support.elf import make_elf
from tests.support.wheels import make_wheel

Run = Callable[..., str]


def said(run: Run, env: Path, code: str, *options: str, cwd: Path | None = None) -> str:
    """Return what the environment's Python prints."""
    return run(env / "bin/python", *options, "-c", code, cwd=cwd).rstrip("\n")


def load(env: Path, path: str) -> str:
    """Return code that loads a library of the environment."""
    return f"import ctypes; ctypes.CDLL({str(site(env) / path)!r})"


def test_a_namespace_by_nspkg_pth_meets(workbench: Workbench, run: Run) -> None:
    """Wheels with ``-nspkg.pth`` files and no ``__init__.py``, as old setuptools made them, meet in one package."""
    line = (
        "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('space',));"
        "m = sys.modules.setdefault('space', types.ModuleType('space'));"
        "mp = m.__dict__.setdefault('__path__', []);(p not in mp) and mp.append(p)\n"
    )
    wheels = [
        make_wheel(f"space-{name}", files={f"space/{name}/__init__.py": "x = 1\n", f"space-{name}-nspkg.pth": line})
        for name in ("one", "two")
    ]
    env = workbench.env(*wheels)
    shown = said(run, env, "import space.one, space.two; print(list(space.__path__))")
    assert shown == f"['{site(env)}/space']"


@pytest.mark.parametrize("first", [0, 1])
def test_a_package_split_over_wheels(workbench: Workbench, run: Run, first: int) -> None:
    """A regular package whose ``__init__.py`` one wheel brings, and another's modules in it, is one package."""
    core = make_wheel("core", files={"cloud/__init__.py": "name = 'cloud'\n", "cloud/core/__init__.py": "x = 1\n"})
    blob = make_wheel("blob", files={"cloud/storage/blob/__init__.py": "from cloud.core import x\n"})
    wheels = [core, blob]
    env = workbench.env(wheels[first], wheels[1 - first])
    assert said(run, env, "import cloud, cloud.storage.blob as b; print(cloud.name, b.x)") == "cloud 1"
    assert (site(env) / "cloud/storage").is_symlink()
    assert not (site(env) / "cloud").is_symlink()


def test_a_chain_of_libraries_over_three_wheels(workbench: Workbench, run: Run) -> None:
    """A library that needs another wheel's, which needs a third's, is loaded with both."""
    one = make_elf(soname="liba.so", needed=["libb.so"], run_path="$ORIGIN/../../two/lib")
    two = make_elf(soname="libb.so", needed=["libc3.so"], run_path="$ORIGIN:$ORIGIN/../../three/lib")
    wheels = [
        make_wheel("one", files={"one/lib/liba.so": one}),
        make_wheel("two", files={"two/lib/libb.so": two}),
        make_wheel("three", files={"three/lib/libc3.so": make_elf(soname="libc3.so")}),
    ]
    env = workbench.env(*wheels)
    assert said(run, env, load(env, "one/lib/liba.so")) == ""


def test_a_library_in_a_shared_namespace(workbench: Workbench, run: Run) -> None:
    """Libraries of two wheels below one namespace directory, as ``nvidia/*/lib``, reach each other."""
    one = make_elf(soname="liba.so", needed=["libb.so"], run_path="$ORIGIN/../../two/lib")
    env = workbench.env(
        make_wheel("space-one", files={"space/one/lib/liba.so": one, "space/one/include/a.h": "1"}),
        make_wheel("space-two", files={"space/two/lib/libb.so": make_elf(soname="libb.so")}),
    )
    assert said(run, env, load(env, "space/one/lib/liba.so")) == ""
    assert not (site(env) / "space/one/lib").is_symlink()
    assert (site(env) / "space/one/include").is_symlink()


def test_a_library_beside_that_of_another_wheel(workbench: Workbench, run: Run) -> None:
    """One directory that two wheels fill with libraries, as PySide6's, serves a run path of ``$ORIGIN``."""
    one = make_elf(soname="liba.so", needed=["libb.so"], run_path="$ORIGIN")
    env = workbench.env(
        make_wheel("one", files={"qt/lib/liba.so": one, "qt/__init__.py": ""}),
        make_wheel("two", files={"qt/lib/libb.so": make_elf(soname="libb.so")}),
    )
    assert said(run, env, load(env, "qt/lib/liba.so")) == ""


def test_a_run_path_into_a_wheel_that_is_not_there(workbench: Workbench, run: Run) -> None:
    """A run path that leads to no wheel of the environment does no harm where nothing needs it."""
    one = make_elf(soname="liba.so", run_path="$ORIGIN/../../absent/lib")
    env = workbench.env(make_wheel("one", files={"one/lib/liba.so": one}))
    assert said(run, env, load(env, "one/lib/liba.so")) == ""


def test_tools_show_the_environments_path(workbench: Workbench, run: Run, tmp_path: Path) -> None:
    """Tracebacks, ``inspect`` and warnings show the source by its path in the environment, through a link too."""
    source = (
        "import inspect, traceback, warnings\n"
        "def f():\n"
        "    warnings.warn('careful')\n"
        "    return traceback.format_stack()[-1], inspect.getsource(f), inspect.getfile(f)\n"
    )
    env = workbench.env(make_wheel(files={"demo/__init__.py": source}))
    (tmp_path / "result").symlink_to(env)
    for prefix in (env, tmp_path / "result"):
        code = (
            "import warnings, demo\n"
            "with warnings.catch_warnings(record=True) as seen:\n    warnings.simplefilter('always')\n"
            "    stack, text, path = demo.f()\n"
            "shown = f'File \"{path}\", line 4' in stack, 'return traceback' in stack, 'def f' in text\n"
            "print(path, seen[0].filename, *shown)"
        )
        path = f"{site(prefix)}/demo/__init__.py"
        assert said(run, prefix, code) == f"{path} {path} True True True"


@pytest.mark.parametrize("option", ["-O", "-OO"])
def test_an_optimized_python_compiles_for_itself(workbench: Workbench, run: Run, option: str) -> None:
    """``-O`` finds no bytecode of its own and works, writing none."""
    env = workbench.env(make_wheel(files={"demo/__init__.py": "assert False\nx = __debug__\n"}))
    assert said(run, env, "import demo; print(demo.x)", option) == "False"


def test_a_spawned_process_has_the_environment(workbench: Workbench, run: Run, tmp_path: Path) -> None:
    """``multiprocessing`` with the method ``spawn`` starts the environment's Python."""
    env = workbench.env(make_wheel(files={"demo/__init__.py": "import sys\ndef f(x):\n    return x, sys.prefix\n"}))
    script = tmp_path / "script.py"
    script.write_text(
        "import demo, multiprocessing as m\nif __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(1) as pool:\n        print(*pool.map(demo.f, [1]))\n"
    )
    assert run(env / "bin/python", script) == f"(1, {str(env)!r})\n"


def test_bytecode_that_a_wheel_brings_gives_way(workbench: Workbench, run: Run) -> None:
    """A ``__pycache__`` inside a wheel is replaced where its source compiles: Python would not compare the two."""
    cached = f"demo/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    env = workbench.env(make_wheel(files={"demo/__init__.py": "x = 1\n", cached: b"rubbish"}))
    assert said(run, env, "import demo; print(demo.x)") == "1"
