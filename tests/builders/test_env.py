"""Trees, merged into a virtual environment."""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import posixpath
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import layout
import pytest
import uv

from tests.builders.conftest import INTERPRETER, Workbench, listing, record_of, site
from tests.builders.test_tree import RICH
from tests.support.elf import make_elf
from tests.support.wheels import make_wheel

Run = Callable[..., str]

SITE = layout.site_packages()


def said(run: Run, env: Path, code: str, *options: str) -> str:
    """Return what the environment's Python prints."""
    return run(env / "bin/python", *options, "-c", code).rstrip("\n")


def test_python_takes_it_for_a_virtual_environment(workbench: Workbench, run: Run) -> None:
    """``bin/python`` has the environment as its prefix, the interpreter's as its base, and its site-packages."""
    env = workbench.env(make_wheel())
    major, minor = sys.version_info[:2]
    for name in ("python", "python3", f"python{major}.{minor}"):
        code = "import sys, demo; print(sys.prefix, sys.base_prefix == sys.prefix, demo.answer, demo.__file__)"
        assert run(env / "bin" / name, "-c", code).rstrip("\n") == (f"{env} False 42 {site(env)}/demo/__init__.py")
    assert said(run, env, "import sysconfig; print(sysconfig.get_path('purelib'))") == str(site(env))
    assert said(run, env, "import site; print(site.ENABLE_USER_SITE)") == "False"


def test_pyvenv_cfg_says_what_venv_would(workbench: Workbench) -> None:
    """``pyvenv.cfg`` names the interpreter's directory and version, and no system packages."""
    lines = dict(line.split(" = ") for line in (workbench.env() / "pyvenv.cfg").read_text().splitlines())
    assert lines == {
        "home": str(Path(INTERPRETER).parent),
        "include-system-site-packages": "false",
        "version": "{}.{}.{}".format(*sys.version_info),
    }


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no lib64")
def test_lib64_is_lib(workbench: Workbench) -> None:
    """``lib64`` leads to ``lib``, as venv makes it on 64 bits."""
    assert (workbench.env() / "lib64").readlink() == Path("lib")


def test_commands_run(workbench: Workbench, run: Run) -> None:
    """Console and GUI commands and scripts of the wheel run in the environment."""
    env = workbench.env(RICH)
    assert [run(env / "bin" / name) for name in ("tool", "window", "script", "shell")] == [
        "ran\n",
        "ran\n",
        "script\n",
        "shell\n",
    ]


def test_commands_are_real_files(workbench: Workbench, run: Run, tmp_path: Path) -> None:
    """A launcher is a real file of the environment: whoever resolves its path finds the Python beside it."""
    env = workbench.env(RICH)
    assert not (env / "bin/tool").is_symlink()
    assert (env / "bin/tool").stat().st_mode & 0o777 == 0o555
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/tool").symlink_to(env / "bin/tool")
    assert run(tmp_path / "bin/tool") == "ran\n"
    assert run((tmp_path / "bin/tool").resolve()) == "ran\n"


def test_a_link_from_another_environment_runs_that_one(workbench: Workbench, run: Run) -> None:
    """A link to a launcher in another virtual environment's ``bin`` runs that environment's Python."""
    wheel = make_wheel(
        files={"demo.py": "import sys\ndef main():\n    print(sys.prefix)\n"},
        entry_points={"console_scripts": {"where": "demo:main"}},
    )
    env = workbench.env(wheel)
    other = workbench.root / "venv"
    run(INTERPRETER, "-m", "venv", "--without-pip", other)
    (other / "bin/where").symlink_to(env / "bin/where")
    (site(other) / "demo.py").symlink_to(site(env) / "demo.py")
    assert run(env / "bin/where") == f"{env}\n"
    assert run(other / "bin/where") == f"{other}\n"


def test_metadata_is_complete(workbench: Workbench, run: Run) -> None:
    """``importlib.metadata`` finds versions, entry points, texts and files, all of which exist."""
    env = workbench.env(RICH, make_wheel("other", "2!3.0+local", {"other.py": ""}))
    code = """
import json, importlib.metadata as m
d = m.distribution("demo-pkg")
print(json.dumps({
    "versions": {d.metadata["Name"]: d.version for d in m.distributions()},
    "points": sorted((p.group, p.name, p.value) for p in d.entry_points),
    "top": d.read_text("top_level.txt"),
    "installer": d.read_text("INSTALLER"),
    "missing": [str(f) for f in d.files if not f.locate().exists()],
    "names": [f.name for f in d.files],
    "hashed": sum(f.hash is not None for f in d.files),
}))"""
    found = json.loads(said(run, env, code))
    names = found.pop("names")
    hashed = found.pop("hashed")
    assert found == {
        "versions": {"demo-pkg": "1.0", "other": "2!3.0+local"},
        "points": [
            ["console_scripts", "tool", "demo:main"],
            ["demo", "a", "b"],
            ["gui_scripts", "window", "demo:main"],
        ],
        "top": "demo\n",
        "installer": "nixgen\n",
        "missing": [],
    }
    assert {"tool", "window", "script", "demo.h", "odd, name.txt", "RECORD"} <= set(names)
    assert hashed == len(names) - 1 - len([name for name in names if name.endswith(".pyc")])


def test_pip_and_uv_see_every_package(workbench: Workbench, run: Run, pip: Sequence[str]) -> None:
    """``pip list``, ``pip check``, ``pip show -f`` and ``uv pip list`` see the packages as in any environment."""
    env = workbench.env(RICH, make_wheel("other", "2.0", {"other.py": ""}, metadata=["Requires-Dist: demo-pkg>=1"]))
    expected = [{"name": "demo-pkg", "version": "1.0"}, {"name": "other", "version": "2.0"}]
    there = [*pip, "--python", env / "bin/python"]
    assert json.loads(run(*there, "list", "--format=json")) == expected
    assert run(*there, "check") == "No broken requirements found.\n"
    assert "  ../../../bin/tool\n" in run(*there, "show", "-f", "demo-pkg")
    listed = run(uv.find_uv_bin(), "pip", "list", "--no-config", "--offline", "-p", env / "bin/python", "--format=json")
    assert json.loads(listed) == expected
    run(uv.find_uv_bin(), "pip", "check", "--no-config", "--offline", "-p", env / "bin/python")


def test_dist_info_is_a_real_directory(workbench: Workbench) -> None:
    """``.dist-info`` is a real directory with linked entries: uv does not see a linked one."""
    info = site(workbench.env(RICH)) / "demo_pkg-1.0.dist-info"
    assert not info.is_symlink()
    assert all(path.is_symlink() for path in info.iterdir())


def test_a_directory_of_one_wheel_is_one_link(workbench: Workbench) -> None:
    """What one wheel owns is linked once; what several share is a real directory."""
    one = make_wheel("one", files={"one/a.py": "", "one/sub/b.py": ""}, data={"data/share/one/x": "1"})
    two = make_wheel("two", files={"two/a.py": ""}, data={"data/share/two/x": "1", "data/etc/two.conf": "1"})
    env = workbench.env(one, two)
    assert (site(env) / "one").is_symlink()
    assert (site(env) / "two").is_symlink()
    assert not (env / "share").is_symlink()
    assert (env / "share/one").is_symlink()
    assert (env / "etc").is_symlink()
    assert not (env / "nix-support").exists()
    assert not any(path.is_symlink() for path in (env / "bin", env / "lib", site(env)))


def test_links_lead_to_leaves(workbench: Workbench) -> None:
    """A linked file of a shared directory leads to its leaf at once, not through the tree."""
    env = workbench.env(make_wheel("one", files={"one.py": "x = 1\n"}), make_wheel("two", files={"two.py": "x = 2\n"}))
    target = (site(env) / "one.py").readlink()
    assert target.parent == workbench.store
    assert target.is_file()


def test_pth_files_are_run(workbench: Workbench, run: Run) -> None:
    """A ``.pth`` file adds its directory and runs its lines when Python starts."""
    wheel = make_wheel(files={"demo.pth": "extra\nimport sys; sys.from_pth = 42\n", "extra/hidden.py": "x = 1\n"})
    assert said(run, workbench.env(wheel), "import sys, hidden; print(sys.from_pth, hidden.x)") == "42 1"


_PKGUTIL = "__path__ = __import__('pkgutil').extend_path(__path__, __name__)\n"
_DECLARED = "try:\n    __import__('pkg_resources').declare_namespace(__name__)\nexcept ImportError:\n    " + _PKGUTIL


@pytest.mark.parametrize("marker", [None, _PKGUTIL, _DECLARED], ids=["implicit", "pkgutil", "pkg_resources"])
def test_namespace_packages_meet(workbench: Workbench, run: Run, marker: str | None) -> None:
    """Two wheels that share a namespace package, of each of the three kinds, are both importable."""
    shared = {} if marker is None else {"space/__init__.py": marker}
    one = make_wheel("space-one", files={**shared, "space/one/__init__.py": "x = 1\n", "space/flat.py": "x = 3\n"})
    two = make_wheel("space-two", files={**shared, "space/two/__init__.py": "x = 2\n"})
    env = workbench.env(one, two)
    assert (
        said(run, env, "import space.one, space.two, space.flat as f; print(space.one.x, space.two.x, f.x)") == "1 2 3"
    )
    assert not (site(env) / "space").is_symlink()
    assert (site(env) / "space/one").is_symlink()


def test_bytecode_is_used(workbench: Workbench, run: Run) -> None:
    """Python takes the environment's bytecode as it is, and a traceback shows the path in the environment."""
    env = workbench.env(make_wheel(files={"demo/__init__.py": "def f():\n    return 1 / 0\n"}))
    shown = subprocess.run(
        [env / "bin/python", "-v", "-c", "import demo; demo.f()"], capture_output=True, text=True, check=False
    ).stderr
    cached = importlib.util.cache_from_source(str(site(env) / "demo/__init__.py"))
    assert f"# {cached} matches" in shown or f"# code object from '{cached}'" in shown
    assert f'File "{site(env)}/demo/__init__.py", line 2, in f' in shown
    assert "# wrote" not in shown


def test_bytecode_of_a_preferred_source_is_its_own(workbench: Workbench, run: Run) -> None:
    """Where one wheel's source is preferred, its bytecode stands too: Python would not notice another's."""
    one = make_wheel("one", files={"shared.py": "x = 'one'\n", "only_one.py": "x = 1\n"})
    two = make_wheel("two", files={"shared.py": "x = 'two'\n", "only_two.py": "x = 2\n"})
    for winner in ("one", "two"):
        env = workbench.env(one, two, prefer={f"{SITE}/shared.py": winner}, name=winner)
        code = "import shared, only_one, only_two; print(shared.x, only_one.x, only_two.x)"
        assert said(run, env, code) == f"{winner} 1 2"


def test_a_preferred_source_that_does_not_compile_has_no_bytecode(workbench: Workbench) -> None:
    """Bytecode of the source that lost does not stand in for the one that cannot be compiled."""
    one = make_wheel("one", files={"shared.py": "x = 'one'\n", "other.py": ""})
    two = make_wheel("two", files={"shared.py": "print 'two'\n"})
    env = workbench.env(one, two, prefer={f"{SITE}/shared.py": "two"})
    names = [path.name.partition(".")[0] for path in (site(env) / "__pycache__").iterdir()]
    assert names == ["other"]


def test_equal_files_are_no_conflict(workbench: Workbench, run: Run) -> None:
    """One path with equal content in two wheels is one file, and its bytecode works."""
    files = {"shared/__init__.py": "x = 1\n", "shared/LICENSE": "free"}
    env = workbench.env(
        make_wheel("one", files={**files, "shared/one.py": ""}), make_wheel("two", files={**files, "shared/two.py": ""})
    )
    assert said(run, env, "import shared.one, shared.two; print(shared.x)") == "1"


def test_different_files_stop_the_build(workbench: Workbench) -> None:
    """Two wheels with different files for one path stop the build, which names every path and both wheels."""
    one = make_wheel("one", files={"shared/a.txt": "1", "shared/b.txt": "1", "shared/same": "x"})
    two = make_wheel("two", files={"shared/a.txt": "2", "shared/b.txt": "2", "shared/same": "x"})
    with pytest.raises(SystemExit) as caught:
        workbench.env(one, two)
    lines = str(caught.value).splitlines()[1:]
    assert lines == [f"  {SITE}/shared/{name}.txt: one, two" for name in "ab"]


def test_different_commands_of_one_name_stop_the_build(workbench: Workbench) -> None:
    """Commands are files too: two that differ stop the build, two that say the same do not."""
    one = make_wheel("one", files={"one.py": ""}, entry_points={"console_scripts": {"tool": "one:main"}})
    two = make_wheel("two", files={"two.py": ""}, entry_points={"console_scripts": {"tool": "two:main"}})
    same = make_wheel("same", files={"same.py": ""}, entry_points={"console_scripts": {"tool": "one:main"}})
    with pytest.raises(SystemExit, match="bin/tool: one, two"):
        workbench.env(one, two)
    assert "from one import main" in (workbench.env(one, same) / "bin/tool").read_text()
    env = workbench.env(one, two, prefer={"bin/tool": "two"})
    assert "from two import main" in (env / "bin/tool").read_text()


@pytest.mark.parametrize("winner", ["one", "two"])
def test_prefer_settles_a_conflict(workbench: Workbench, winner: str) -> None:
    """The distribution that the lock prefers for a path has its file there."""
    one, two = (make_wheel(name, files={"shared/a.txt": name, f"shared/{name}": "x"}) for name in ("one", "two"))
    env = workbench.env(one, two, prefer={f"{SITE}/shared/a.txt": winner})
    assert (site(env) / "shared/a.txt").read_text() == winner
    assert sorted(path.name for path in (site(env) / "shared").iterdir()) == ["a.txt", "one", "two"]


def test_a_preference_for_somebody_else_settles_nothing(workbench: Workbench) -> None:
    """A preference for a distribution that has no such file leaves the conflict."""
    one, two = (make_wheel(name, files={"shared/a.txt": name}) for name in ("one", "two"))
    with pytest.raises(SystemExit, match=r"a\.txt: one, two"):
        workbench.env(one, two, prefer={f"{SITE}/shared/a.txt": "three"})


@pytest.mark.parametrize("name", [".0", ".t0"])
def test_a_wheel_with_a_name_of_ours(workbench: Workbench, name: str) -> None:
    """A wheel's file where nixgen puts links to trees is a conflict like any other."""
    path = f"{Path(SITE).parent}/{name}"
    with pytest.raises(SystemExit, match=re.escape(path)):
        workbench.env(make_wheel("one", data={f"data/{path}": "mine"}))


def test_a_file_against_a_directory(workbench: Workbench) -> None:
    """A file where another wheel has a directory stops the build, unless one of them is preferred."""
    one = make_wheel("one", files={"shared": "a file"})
    two = make_wheel("two", files={"shared/a.txt": "1"})
    three = make_wheel("three", files={"shared/b.txt": "1"})
    with pytest.raises(SystemExit, match=f"{SITE}/shared: one, two"):
        workbench.env(one, two)
    path = f"{SITE}/shared"
    assert (site(workbench.env(one, two, prefer={path: "one"})) / "shared").read_text() == "a file"
    assert (site(workbench.env(one, two, prefer={path: "two"})) / "shared/a.txt").read_text() == "1"
    merged = site(workbench.env(one, two, three, prefer={path: "two"})) / "shared"
    assert sorted(path.name for path in merged.iterdir()) == ["a.txt", "b.txt"]


def test_a_library_reaches_another_wheel(workbench: Workbench, run: Run) -> None:
    """A library whose run path leads to another wheel's libraries is loaded with them, as torch is."""
    library = make_elf(soname="liba.so", needed=["libb.so"], run_path="$ORIGIN/../../other/lib")
    one = make_wheel("one", files={"one/lib/liba.so": library, "one/__init__.py": "", "one/sub/x.py": ""})
    two = make_wheel("two", files={"other/lib/libb.so": make_elf(soname="libb.so"), "other/__init__.py": ""})
    env = workbench.env(one, two)
    code = "import ctypes, one, os; ctypes.CDLL(os.path.join(os.path.dirname(one.__file__), 'lib', 'liba.so'))"
    assert said(run, env, code) == ""
    assert not (site(env) / "one/lib").is_symlink()
    assert not (site(env) / "one").is_symlink()
    assert (site(env) / "one/sub").is_symlink()
    assert (site(env) / "other").is_symlink()
    with pytest.raises(OSError, match=r"libb\.so"):
        ctypes.CDLL(str(site(workbench.env(one)) / "one/lib/liba.so"))


def test_a_library_of_its_own_wheel_is_reached_through_a_link(workbench: Workbench, run: Run) -> None:
    """Run paths that stay in the wheel (``numpy.libs``) need no real directory and are followed all the same."""
    library = make_elf(soname="ext.so", needed=["libz.so"], run_path="$ORIGIN/../../demo.libs")
    wheel = make_wheel(
        files={"demo/core/ext.so": library, "demo/x.py": "", "demo.libs/libz.so": make_elf(soname="libz.so")}
    )
    env = workbench.env(wheel, make_wheel("other", files={"other.py": ""}))
    assert (site(env) / "demo").is_symlink()
    assert said(run, env, f"import ctypes; ctypes.CDLL({str(site(env) / 'demo/core/ext.so')!r})") == ""


def test_a_source_that_resolves_itself_finds_its_neighbours(workbench: Workbench, run: Run) -> None:
    """A module that resolves its own location finds the wheel's files beside it, also in a shared directory."""
    source = "import os\nTEXT = open(os.path.join(os.path.dirname(os.path.realpath(__file__)), 'data.txt')).read()\n"
    one = make_wheel("one", files={"space/mod.py": source, "space/data.txt": "found"})
    two = make_wheel("two", files={"space/other.py": ""})
    assert said(run, workbench.env(one, two), "import space.mod as m; print(m.TEXT)") == "found"
    assert said(run, workbench.env(one), "import space.mod as m; print(m.TEXT)") == "found"


def test_an_environment_without_packages_works(workbench: Workbench, run: Run) -> None:
    """No wheels at all give an environment with Python and nothing else."""
    env = workbench.env()
    assert said(run, env, "import sys; print(sys.prefix)") == str(env)
    assert list(site(env).iterdir()) == []


def test_order_of_trees_does_not_matter(workbench: Workbench) -> None:
    """The same trees in another order give the same links."""
    trees = [
        workbench.tree(make_wheel(name, files={f"space/{name}.py": "", "space/same.py": "x = 1\n"})) for name in "ab"
    ]
    first, second = (workbench.env(*order) for order in (trees, trees[::-1]))
    assert listing(first) == listing(second)
    leaves = [
        {path: os.readlink(env / path) for path in listing(env) if (env / path).is_symlink() and ".pyc" not in path}  # noqa: PTH115
        for env in (first, second)
    ]
    assert leaves[0] == leaves[1]


def test_record_leads_from_the_environment(workbench: Workbench) -> None:
    """RECORD's relative paths lead to the environment's files, through linked directories too."""
    env = workbench.env(RICH)
    assert all(Path(posixpath.normpath(site(env) / path)).exists() for path in record_of(env))


def test_an_environment_only_holds_links_and_launchers(workbench: Workbench) -> None:
    """An environment costs links: its only real files are launchers, small texts, and what makes others on top."""
    env = workbench.env(RICH)
    real = {path for path in listing(env) if stat.S_ISREG((env / path).lstat().st_mode)}
    own = {"pyvenv.cfg", ".lock", "bin/nixgen-venv"}
    assert real == {*own, "bin/tool", "bin/window", "bin/script"}


def test_a_copied_environment_names_its_own_prefix(workbench: Workbench, run: Run, tmp_path: Path) -> None:
    """Nothing in an environment holds its own path, so that equal environments are equal bytes."""
    env = workbench.env(RICH)
    for path in listing(env):
        if not (env / path).is_symlink():
            assert str(env).encode() not in (env / path).read_bytes()
    copy = tmp_path / "copy"
    shutil.copytree(env, copy, symlinks=True)
    assert run(copy / "bin/tool") == "ran\n"


def test_a_program_run_by_its_path_finds_its_neighbours(workbench: Workbench, run: Run) -> None:
    """``python site-packages/demo/scripts/tool.py`` imports the module beside it; as a link it does not."""
    files = {
        "demo/__init__.py": "",
        "demo/scripts/tool.py": 'import tool_lib\nif __name__ == "__main__":\n    print(tool_lib.answer)\n',
        "demo/scripts/tool_lib.py": "answer = 42\n",
    }
    env = workbench.env(make_wheel(files=files))
    program = env / SITE / "demo" / "scripts" / "tool.py"
    assert run(env / "bin" / "python", program).strip() == "42"
    leaf = (env / SITE / "demo" / "scripts" / "tool_lib.py").resolve()
    assert leaf.name != "tool_lib.py" and program.resolve().name == "tool.py"


def test_links_are_short(workbench: Workbench) -> None:
    """A link to a tree that would cost a block goes a short way, unless that is too long as well."""
    deep = "one/" + "/".join(["a_directory_with_a_long_name"] * 3)
    files = {"one/__init__.py": "", "one/part/__init__.py": "x = 1\n", f"{deep}/__init__.py": "x = 2\n"}
    shared = make_wheel("two", files={"one/other/__init__.py": "", f"{deep}/other/__init__.py": ""})
    trees = [workbench.tree(wheel) for wheel in (make_wheel("one", files=files), shared)]
    env = workbench.env(*trees)
    links = [path for path in site(env).rglob("*") if path.is_symlink()]
    targets = {str(path.relative_to(site(env))): str(path.readlink()) for path in links}
    assert targets["one/part"] == "../../.0/one/part"
    assert targets["one-1.0.dist-info/RECORD"] == "../../.0/one-1.0.dist-info/RECORD"
    assert targets[f"{deep}/other"].startswith(str(workbench.store))
    for path in links:
        assert path.resolve().is_relative_to(workbench.store) and path.exists()
    ways = site(env).parent
    assert [(ways / f".t{number}").readlink() for number in range(2)] == trees
    assert (site(env) / "one/part").resolve() == (ways / ".0").resolve() / "one/part"
