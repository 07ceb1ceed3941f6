"""Which libraries an environment loads."""

from __future__ import annotations

import ast
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.builders.conftest import Workbench, listing, manifest_of, site
from tests.support.elf import EXECUTABLE, make_elf
from tests.support.wheels import make_wheel

Run = Callable[..., str]

PTH = "0-nixgen-libraries.pth"
MODULE = "_nixgen_libraries/__init__.py"

#: Loads a library of the package when it is imported, as an extension module is.
LOADING = "import ctypes, os\nctypes.CDLL(os.path.join(os.path.dirname(__file__), 'ext.so'))\n"


def native(name: str, *needed: str, **more: bytes | str) -> tuple[str, bytes]:
    """Make a wheel whose package needs libraries to be imported."""
    return make_wheel(
        name, files={f"{name}/__init__.py": LOADING, f"{name}/ext.so": make_elf(soname="ext.so", needed=needed), **more}
    )


def library(directory: Path, soname: str, *needed: str, name: str | None = None, **more: Any) -> Path:
    """Put a library into a directory, which is made where it is missing."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / (name or soname)
    path.write_bytes(make_elf(soname=soname, needed=needed, **more))
    return path


def preloaded(env: Path) -> tuple[list[str], list[str]]:
    """Return the names that load, and the libraries that they load, of an environment."""
    call = ast.parse((site(env) / MODULE).read_text()).body[-1]
    assert isinstance(call, ast.Expr) and isinstance(call.value, ast.Call)
    names, libraries = map(ast.literal_eval, call.value.args)
    return names, libraries


@pytest.fixture
def lib(tmp_path: Path) -> Path:
    """Give a directory for libraries."""
    return tmp_path / "given/lib"


def test_a_tree_says_what_its_wheel_needs_and_provides(workbench: Workbench) -> None:
    """A manifest has what no library of the wheel is by its file name or SONAME, and what they are."""
    wheel = make_wheel(
        files={
            "demo/ext.so": make_elf(needed=["libz.so.1", "libm.so.6", "libown-1234.so", "libsoname.so.2", "libz.so.1"]),
            "demo.libs/libown-1234.so": make_elf(soname="other.so", needed=["libc.so.6"]),
            "demo.libs/file.so": make_elf(soname="libsoname.so.2"),
        }
    )
    manifest = manifest_of(workbench.tree(wheel))
    assert manifest["needed"] == ["libc.so.6", "libm.so.6", "libz.so.1"]
    assert manifest["provides"] == ["ext.so", "file.so", "libown-1234.so", "libsoname.so.2", "other.so"]


def test_programs_and_other_machines_need_nothing(workbench: Workbench) -> None:
    """Programs start processes of their own, and what is for another machine is loaded by nobody."""
    wheel = make_wheel(
        files={
            "demo/program": make_elf(needed=["libprogram.so"], interpreter="/lib/ld.so"),
            "demo/fixed": make_elf(needed=["libfixed.so"], kind=EXECUTABLE),
            "demo/narrow.so": make_elf(needed=["libnarrow.so"], wide=False),
            "demo/big.so": make_elf(needed=["libbig.so"], order=">"),
            "demo/broken.so": b"\x7fELF" + b"\xff" * 200,
            "demo/empty.so": b"",
        }
    )
    manifest = manifest_of(workbench.tree(wheel))
    assert (manifest["needed"], manifest["provides"]) == ([], [])


def test_an_environment_without_needs_has_no_preload(workbench: Workbench, lib: Path) -> None:
    """Neither pure wheels nor those that need the C library alone have a file for it, whatever is given."""
    library(lib, "libodd.so.1")
    wheels = [make_wheel(), native("one", "libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "libpython3.11.so.1.0")]
    for libraries in ([], [lib]):
        for required in (False, True):
            env = workbench.env(*wheels, libraries=libraries, required=required)
            assert not [path for path in site(env).iterdir() if "nixgen" in path.name]


def test_a_package_finds_what_is_given(workbench: Workbench, run: Run, lib: Path) -> None:
    """A package that cannot be imported without a library is imported with it, isolated and without variables too."""
    path = library(lib, "libodd.so.1")
    env = workbench.env(native("one", "libodd.so.1"), libraries=[lib.parent])
    for options in ([], ["-I"], ["-E"], ["-s"]):
        assert run(env / "bin/python", *options, "-c", "import one; print(one.__name__)") == "one\n"
    assert preloaded(env) == (["one"], [str(path)])
    failed = workbench.env(native("one", "libodd.so.1"))
    with pytest.raises(AssertionError, match=r"libodd\.so\.1: cannot open shared object"):
        run(failed / "bin/python", "-c", "import one")


def test_nothing_is_loaded_before_it_is_needed(workbench: Workbench, run: Run, lib: Path) -> None:
    """Python starts, and imports other packages, without the libraries and without ctypes."""
    library(lib, "libodd.so.1")
    env = workbench.env(native("one", "libodd.so.1"), make_wheel("pure", files={"pure.py": ""}), libraries=[lib])
    code = (
        "import sys, pure; maps = lambda: 'libodd' in open('/proc/self/maps').read();"
        "print(maps(), 'ctypes' in sys.modules); import one; print(maps())"
    )
    assert run(env / "bin/python", "-c", code) == "False False\nTrue\n"


def test_a_directory_is_one_of_libraries_or_has_lib(workbench: Workbench, lib: Path, tmp_path: Path) -> None:
    """What is given has the libraries itself or in ``lib``; the first that has one wins."""
    first, second = library(lib, "libodd.so.1"), library(tmp_path / "flat", "libodd.so.1")
    wheel = native("one", "libodd.so.1")
    assert preloaded(workbench.env(wheel, libraries=[lib.parent, second.parent]))[1] == [str(first)]
    assert preloaded(workbench.env(wheel, libraries=[second.parent, lib.parent]))[1] == [str(second)]
    with pytest.raises(SystemExit, match=r"is not there\n  where: /nowhere"):
        workbench.env(wheel, libraries=[Path("/nowhere")])


def test_libraries_come_after_what_they_need(workbench: Workbench, run: Run, lib: Path, tmp_path: Path) -> None:
    """Needs of libraries are found too and loaded first; one that a run path leads to is left to the loader."""
    own = library(tmp_path / "own", "libown.so")
    library(lib, "liba.so", "libm.so.6", "libb.so", "libc-odd.so")
    library(lib, "libb.so", "libd.so")
    library(lib, "libc-odd.so", "libb.so", own.name, run_path=f"$ORIGIN/nowhere:{own.parent}")
    library(lib, "libd.so", "liba.so")
    env = workbench.env(native("one", "liba.so"), libraries=[lib], required=True)
    names, libraries = preloaded(env)
    assert [Path(path).name for path in libraries] == ["libd.so", "libb.so", "libc-odd.so", "liba.so"]
    library(lib, "libd.so")
    assert run(workbench.env(native("one", "liba.so"), libraries=[lib]) / "bin/python", "-c", "import one") == ""
    assert names == ["one"]


def test_what_is_no_such_library_is_passed_over(workbench: Workbench, lib: Path, tmp_path: Path) -> None:
    """A file of another machine, of another SONAME or no library at all does not count: the loader refuses it."""
    wheel = native("one", "libodd.so.1")
    right = library(tmp_path / "right", "libodd.so.1")
    library(lib, "libodd.so.2", name="libodd.so.1")
    narrow = library(tmp_path / "narrow", "libodd.so.1", wide=False).parent
    (tmp_path / "text").mkdir()
    (tmp_path / "text/libodd.so.1").write_text("GROUP ( libodd.so.1 )")
    (tmp_path / "directory/libodd.so.1").mkdir(parents=True)
    given = [lib, narrow, tmp_path / "text", tmp_path / "directory", right.parent]
    assert preloaded(workbench.env(wheel, libraries=given))[1] == [str(right)]


def test_what_nothing_provides_stops_the_build(workbench: Workbench, lib: Path) -> None:
    """With a Python of the store, each SONAME that is missing is named with who needs it, and what to do."""
    library(lib, "libhalf.so", "libdeep.so")
    wheels = [native("one", "libodd.so.1", "libhalf.so"), native("two", "libodd.so.1"), make_wheel()]
    with pytest.raises(SystemExit) as caught:
        workbench.env(*wheels, libraries=[lib], required=True)
    lines = str(caught.value).splitlines()
    assert lines[1:3] == [f"    libdeep.so: {lib}/libhalf.so", "    libodd.so.1: one, two"]
    assert [line.partition(":")[0] for line in lines[3:]] == ["  where", "  what to do"]
    assert "--ignore-library" in lines[4]


def test_ignored_libraries_are_neither_missed_nor_looked_for(workbench: Workbench, lib: Path) -> None:
    """Patterns take SONAMEs out, whether something has them or not, with the packages that need nothing else."""
    library(lib, "libodd.so.1")
    wheels = [native("one", "libodd.so.1"), native("two", "libcuda.so.1", "libodd.so.1")]
    env = workbench.env(*wheels, libraries=[lib], required=True, ignore=["libcuda.so.*"])
    assert preloaded(env) == (["one", "two"], [f"{lib}/libodd.so.1"])
    env = workbench.env(*wheels, libraries=[lib], required=True, ignore=["*"])
    assert not (site(env) / MODULE).exists()


def test_the_machines_python_misses_nothing(workbench: Workbench, lib: Path) -> None:
    """Where nothing is required, what is given is loaded and the rest is left to Python's own search."""
    library(lib, "libodd.so.1")
    env = workbench.env(native("one", "libodd.so.1", "libelsewhere.so"), libraries=[lib])
    assert preloaded(env)[1] == [f"{lib}/libodd.so.1"]
    assert not (site(workbench.env(native("one", "libodd.so.1"))) / MODULE).exists()


def test_another_wheel_may_bring_a_library(workbench: Workbench, lib: Path) -> None:
    """What another wheel brings is not missed, and what is given stands before it."""
    one, two = native("one", "libshared.so.1"), make_wheel("two", files={"two/x.so": make_elf(soname="libshared.so.1")})
    assert not (site(workbench.env(one, two, required=True)) / MODULE).exists()
    path = library(lib, "libshared.so.1")
    assert preloaded(workbench.env(one, two, libraries=[lib], required=True)) == (["one"], [str(path)])
    with pytest.raises(SystemExit, match=r"libshared\.so\.1: one"):
        workbench.env(one, required=True)


def test_two_wheels_with_one_library_each_keep_their_own(workbench: Workbench, run: Run, lib: Path) -> None:
    """Wheels that bring a library of one name need nothing of it, and are imported together."""
    wheels = [
        native(
            name,
            "libsame.so.1",
            "libodd.so.1",
            **{f"{name}.libs/libsame.so.1": make_elf(soname="libsame.so.1"), f"{name}/x.py": ""},
        )
        for name in ("one", "two")
    ]
    assert manifest_of(workbench.tree(wheels[0]))["needed"] == ["libodd.so.1"]
    path = library(lib, "libodd.so.1")
    env = workbench.env(*wheels, libraries=[lib], required=True)
    assert preloaded(env) == (["one", "two"], [str(path)])


def test_all_kinds_of_modules_load(workbench: Workbench, lib: Path) -> None:
    """Extension modules, packages, single modules and namespace packages load, whatever else lies beside them."""
    library(lib, "libodd.so.1")
    extension = make_elf(needed=["libodd.so.1"])
    wheel = make_wheel(
        files={
            "_ext.abi3.so": extension,
            "single.py": "",
            "space/inner/__init__.py": "",
            "demo.libs/liba.so": make_elf(soname="liba.so"),
            "odd-name/x.py": "",
        }
    )
    env = workbench.env(wheel, make_wheel("other", files={"other.py": ""}), libraries=[lib])
    assert preloaded(env)[0] == ["_ext", "demo", "single", "space"]


def test_other_pth_files_come_later(workbench: Workbench, lib: Path) -> None:
    """A ``.pth`` file of a wheel that imports a package with needs finds them met."""
    library(lib, "libodd.so.1")
    wheel = native("one", "libodd.so.1", **{"Aone.pth": "import one\n"})
    env = workbench.env(wheel, libraries=[lib])
    command = [env / "bin/python", "-c", "import sys; print('one' in sys.modules)"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("True\n", "")


def test_children_and_variables_are_left_alone(workbench: Workbench, run: Run, lib: Path) -> None:
    """After loading, variables are as they were, and a child of any program has none of the libraries."""
    library(lib, "libodd.so.1")
    env = workbench.env(native("one", "libodd.so.1"), libraries=[lib])
    code = """
import os, subprocess, sys
before = dict(os.environ)
import one
assert dict(os.environ) == before
child = subprocess.run(["/bin/cat", "/proc/self/maps", "/proc/self/environ"], stdout=subprocess.PIPE).stdout
print(b"libodd" in child, b"LD_" in child)
print(subprocess.run([sys.executable, "-c", "import one; print(one.__name__)"], stdout=subprocess.PIPE).stdout)
"""
    assert run(env / "bin/python", "-c", code) == "False False\nb'one\\n'\n"


def test_the_rest_of_importing_is_as_before(workbench: Workbench, run: Run, lib: Path, tmp_path: Path) -> None:
    """Metadata, namespace packages, archives, pickles, find_spec and processes work before and after loading."""
    library(lib, "libodd.so.1")
    one = native("one", "libodd.so.1", **{"space/a.py": "x = 1\n", "one/data.txt": "text"})
    two = make_wheel("two", files={"space/b.py": "x = 2\n"})
    env = workbench.env(one, two, libraries=[lib])
    (tmp_path / "zipped.py").write_text("class Zipped: pass\n")
    archive = shutil.make_archive(str(tmp_path / "archive"), "zip", tmp_path, "zipped.py")
    script = tmp_path / "script.py"
    script.write_text(
        f"""
import importlib.metadata, importlib.util, multiprocessing, pickle, pkgutil, sys
sys.path.insert(0, {archive!r})

def all_of_it():
    import zipped
    assert sorted(d.metadata["Name"] for d in importlib.metadata.distributions()) == ["one", "two"]
    assert type(pickle.loads(pickle.dumps(zipped.Zipped()))) is zipped.Zipped
    assert importlib.util.find_spec("nixgen_nowhere") is None
    assert "one" in {{module.name for module in pkgutil.iter_modules()}}
    importlib.invalidate_caches()

if __name__ == "__main__":
    all_of_it()
    assert importlib.util.find_spec("one").origin.endswith("one/__init__.py")
    all_of_it()
    import one, space.a, space.b
    assert (space.a.x, space.b.x) == (1, 2)
    all_of_it()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.apply(len, [[1, 2]]))
"""
    )
    assert run(env / "bin/python", script) == "2\n"


def test_without_site_nothing_happens(workbench: Workbench, run: Run, lib: Path) -> None:
    """``python -S`` has no site-packages and no finder."""
    library(lib, "libodd.so.1")
    env = workbench.env(native("one", "libodd.so.1"), libraries=[lib])
    code = "import sys; print([type(f).__name__ for f in sys.meta_path if 'Library' in type(f).__name__])"
    assert run(env / "bin/python", "-S", "-c", code) == "[]\n"
    assert run(env / "bin/python", "-c", code) == "['LibraryFinder']\n"


def test_the_package_has_bytecode_without_a_path(workbench: Workbench, run: Run, lib: Path) -> None:
    """Python takes the package's bytecode as it is; it does not hold the environment's path, nor go to another tree."""
    library(lib, "libodd.so.1")
    other = workbench.tree(make_wheel("other", files={"other.py": ""}))
    before = listing(other)
    env = workbench.env(native("one", "libodd.so.1"), other, libraries=[lib])
    assert (site(env) / "__pycache__").is_symlink()
    assert listing(other) == before
    (cached,) = (site(env) / "_nixgen_libraries/__pycache__").iterdir()
    assert str(env).encode() not in cached.read_bytes()
    shown = subprocess.run([env / "bin/python", "-v", "-c", ""], capture_output=True, text=True, check=True).stderr
    assert f"# code object from '{cached}'" in shown or f"# {cached} matches" in shown
    assert run(env / "bin/python", "-c", "import _nixgen_libraries as n; print(n.install.__code__.co_filename)") == (
        f"{site(env) / MODULE}\n"
    )


def test_directories_of_the_interpreter_count(workbench: Workbench, lib: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A library that only the interpreter's own run path leads to is loaded by its path: not every need follows it."""
    import libraries

    path = library(lib, "libodd.so.1")
    python = lib.parent / "bin/python"
    python.parent.mkdir()
    python.write_bytes(make_elf(interpreter="/lib/ld.so", run_path="$ORIGIN/../lib", kind=EXECUTABLE))
    assert libraries._own_directories(str(python)) == [f"{python.parent}/../lib"]
    monkeypatch.setattr("libraries._own_directories", lambda _: [str(lib)])
    assert preloaded(workbench.env(native("one", "libodd.so.1"), required=True))[1] == [str(path)]
