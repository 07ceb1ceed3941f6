"""A farm: real directories with one link for each file, which installers manage, and farm.py that fills it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from tests.builders.conftest import Workbench
from tests.support.nix import LIBRARY
from tests.support.wheels import make_wheel
from tests.venv.conftest import Venv, demo_wheel, said, snapshot

#: Two wheels that share a directory, one with files that a tree copies.
LEFT = make_wheel(
    "left",
    "1.0",
    {"shared/left.py": "x = 1\n", "shared/same.txt": "same\n", "left/__init__.py": "x = 1\n", "left/empty.txt": ""},
    data={"data/share/left.txt": "left\n"},
)
RIGHT = make_wheel(
    "right",
    "1.0",
    {
        "shared/right.py": "x = 2\n",
        "shared/same.txt": "same\n",
        "right/static/index.html": "<html>",
        "right/static/app.js": "1",
        "right/__init__.py": "",
    },
)


@pytest.fixture
def farm(venv: Venv, workbench: Workbench) -> Venv:
    """A farm of three packages."""
    venv.env = workbench.env(demo_wheel(), LEFT, RIGHT, name="farm")
    venv("--farm")
    return venv


@pytest.fixture(autouse=True)
def check_store(farm: Venv) -> Iterator[None]:
    """Check that whatever a test does leaves the environment as it was."""
    before = snapshot(farm.env)
    yield
    if farm.env.exists():
        assert snapshot(farm.env) == before


@pytest.mark.parametrize("winner", ["left", "right"])
def test_a_preferred_file_stands_in_a_farm_too(farm: Venv, workbench: Workbench, winner: str) -> None:
    """Of two files for one path a farm has the one that the environment has."""
    wheels = [make_wheel(side, "2.0", {"shared/both.txt": side, f"{side}.py": ""}) for side in ("left", "right")]
    path = f"{farm.site.relative_to(farm.directory)}/shared/both.txt"
    Venv(directory=farm.directory, env=workbench.env(*wheels, prefer={path: winner}, name=winner))()
    assert (farm.directory / path).read_text() == winner


def test_an_environment_of_an_earlier_nixgen(farm: Venv, workbench: Workbench, tmp_path: Path) -> None:
    """A farm goes back to an environment that lists its trees in a file, with what its user preferred."""
    path = f"{farm.site.relative_to(farm.directory)}/shared/both.txt"
    wheels = [make_wheel(side, "2.0", {"shared/both.txt": side, f"{side}.py": ""}) for side in ("left", "right")]
    new = workbench.env(*wheels, prefer={path: "right"}, name="new")
    old = workbench.store / "old"
    shutil.copytree(new, old, symlinks=True)
    trees = []
    for way in sorted((old / "lib").glob("python*/.t*")):
        trees.append(str(way.readlink()))
        way.unlink()
    told = old / "nix-support/nixgen-env.json"
    told.chmod(0o644)
    told.write_text(json.dumps({"trees": trees, "prefer": {path: "right"}}))
    for env in (old, farm.env):
        Venv(directory=farm.directory, env=env)()
    assert not (farm.directory / path).exists()
    farm("--rollback")
    assert (farm.directory / path).read_text() == "right" and (farm.site / "left.py").exists()


def test_directories_are_real_and_files_are_links(farm: Venv) -> None:
    """Every directory is real, and every file a link to its leaf but for those that have to be real."""
    directories = [path for path in farm.directory.rglob("*") if path.is_dir() and path.parent != farm.directory]
    assert [path for path in directories if path.is_symlink()] == [farm.directory / ".nixgen/env"]
    real = {
        str(path.relative_to(farm.site)) for path in farm.site.rglob("*") if path.is_file() and not path.is_symlink()
    }
    assert real == {
        *(f"{name}-1.0.dist-info/RECORD" for name in ("demo", "left", "right")),
        *("demo/__init__.py", "left/__init__.py", "left/empty.txt"),
        *("right/__init__.py", "right/static/index.html", "right/static/app.js"),
    }
    leaf = (farm.site / "shared/left.py").readlink()
    assert leaf.parent == farm.env.parent and leaf.name.endswith("-file.py")
    assert (farm.directory / "share/left.txt").read_text() == "left\n"
    assert not list(farm.directory.rglob("__pycache__")) and not (farm.directory / "nix-support").exists()


def test_what_was_removed_can_stay_away(farm: Venv) -> None:
    """With ``--keep`` a farm stays without what was removed from it, a new one has all, and an overlay becomes one."""
    (farm.site / "shared/left.py").unlink()
    assert farm("--farm", "--keep").stderr == ""
    assert not (farm.site / "shared/left.py").exists()
    farm("--overlay")
    farm("--farm", "--keep")
    assert (farm.site / "shared/left.py").exists()


def test_a_program_that_is_served_is_real(farm: Venv, workbench: Workbench) -> None:
    """What a program would find in the tree is real in a farm where a server compares resolved paths, as Panel's does.

    A program alone stays a link, with its neighbours in the tree.
    """
    wheels = [
        make_wheel("plain", "1.0", {"plain/run.py": "", "plain/node/package.json": "{}", "plain/node/a.js": "1"}),
        make_wheel(
            "panels",
            "1.0",
            {
                "panels/serve.py": "from tornado.web import StaticFileHandler\n",
                "panels/dist/package.json": "{}",
                "panels/dist/a.js": "1",
            },
        ),
    ]
    Venv(directory=farm.directory, env=workbench.env(*wheels, name="served"))()
    assert (farm.site / "plain/node/a.js").is_symlink()
    assert not (farm.site / "panels/dist/a.js").is_symlink()
    assert (farm.site / "panels/dist/a.js").resolve().is_relative_to((farm.site / "panels/dist").resolve())


@pytest.mark.parametrize("form", ["farm", "overlay", "env"])
def test_record_lists_what_is_there(farm: Venv, form: str) -> None:
    """Every file that RECORD names is there: in a farm without the bytecode, which only importing makes."""
    if form == "overlay":
        farm("--overlay")
    python = (farm.env if form == "env" else farm.directory) / "bin/python"
    code = """
from importlib.metadata import distributions
print(sum(len(one.files) for one in distributions()), [str(f) for one in distributions() for f in one.files
      if not f.locate().exists()])
"""
    count, _, missing = said(python, "-I", "-c", code).partition(" ")
    assert (int(count) > 10, missing) == (True, "[]")


def test_what_the_environment_copies_is_real(workbench: Workbench, tmp_path: Path) -> None:
    """What finds files of several wheels from where it lies is real in a farm, also where another wheel comes later."""
    show = "import os\nprint(sorted(os.listdir(os.path.dirname(os.path.realpath(__file__)))))\n"
    core = make_wheel("core", files={"spread/__main__.py": show, "spread/core.txt": "x"})
    venv = Venv(directory=tmp_path / "spread", env=workbench.env(core, name="core"))
    venv("--farm")
    venv.env = workbench.env(core, make_wheel("more", files={"spread/more.txt": "x"}), name="more")
    venv()
    assert said(venv.directory / "bin/python", "-B", "-m", "spread") == "['__main__.py', 'core.txt', 'more.txt']"
    tool = venv.site / "spread/__main__.py"
    assert not tool.is_symlink() and tool.stat().st_mode & 0o777 == 0o644


def test_templates_of_projects_can_be_written(workbench: Workbench, tmp_path: Path) -> None:
    """What a package copies out for its user has the mode that an installer leaves, whoever asks for it."""
    files = {
        "maker/__init__.py": "import shutil\nmake = shutil.copy\n",
        "maker/templates/a.txt": "a",
        "maker/b.txt": "b",
    }
    venv = Venv(directory=tmp_path / "maker", env=workbench.env(make_wheel("maker", files=files)))
    venv("--farm")
    assert (venv.site / "maker/b.txt").is_symlink()
    assert (venv.site / "maker/templates/a.txt").lstat().st_mode & 0o777 == 0o644


def test_it_runs(farm: Venv) -> None:
    """Packages are imported from the farm itself, and commands run its Python."""
    assert farm.python("import demo, shared.left, right; print(right.__file__)") == f"{farm.site}/right/__init__.py"
    assert said(farm.directory / "bin/tool") == f"1.0 {farm.directory}"
    assert said(farm.directory / "bin/shell", "x") == "shell x"
    assert farm.python("import sys; print(sys.from_pth > 0)") == "True"


def test_a_link_is_another_name_where_it_can_be(farm: Venv) -> None:
    """On one file system and for the store's owner, a link takes no inode of its own."""
    assert (farm.site / "shared/left.py").lstat().st_nlink > 1


def test_a_store_on_another_file_system(farm: Venv, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where no name can be shared, links are made."""
    module = _module()

    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(18, "another file system")

    monkeypatch.setattr(module.os, "link", refuse)
    for path in farm.site.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    monkeypatch.chdir(farm.directory)
    module.main("fill", str(farm.env), "--all")
    assert (farm.site / "shared/left.py").lstat().st_nlink == 1
    assert farm.python("import demo, shared.left; print(demo.version)") == "1.0"


def test_to_an_overlay_and_back(farm: Venv) -> None:
    """The form can be changed; what is the user's stays, and no directory is left empty."""
    (farm.site / "mine.py").write_text("x = 1\n")
    farm.python("import demo, mine, shared.left")  # writes bytecode
    before = {name: content for name, content in farm.listing().items() if "__pycache__" not in name}
    farm("--overlay")
    assert sorted(path.name for path in farm.site.iterdir()) == ["__pycache__", "mine.py", "zzzz-nixgen.pth"]
    assert (farm.directory / "share/left.txt").readlink() == Path("../.nixgen/env/share/left.txt")
    assert said(farm.directory / "bin/tool") == f"1.0 {farm.directory}"
    farm("--farm")
    after = {name: content for name, content in farm.listing().items() if "__pycache__" not in name}
    assert {**after, ".nixgen/state": ""} == {**before, ".nixgen/state": ""}
    assert farm("--check").stdout == ""


def test_another_environment(farm: Venv, workbench: Workbench) -> None:
    """What left the environment is taken out, what came is placed, what stayed or is the user's is not touched."""
    own = farm.site / "right-3.dist-info"
    shutil.rmtree(farm.site / "right-1.0.dist-info")
    own.mkdir()
    (own / "METADATA").write_text("Metadata-Version: 2.1\nName: right\nVersion: 3\n")
    (farm.site / "right/__init__.py").write_text("x = 'mine'\n")
    stays = (farm.site / "shared/right.py").lstat().st_ino
    tree = next(path for path in workbench.store.iterdir() if path.name.endswith("-right"))
    new = workbench.env(make_wheel("left", "2.0", {"left.py": "version = 2\n"}), tree, name="new")
    after = Venv(directory=farm.directory, env=new)
    after()
    assert after.python("import left, shared.right, right; print(left.version, right.x)") == "2 mine"
    names = {path.name for path in farm.site.iterdir() if path.name != "__pycache__"}
    assert names == {"left.py", "left-2.0.dist-info", "right", "right-3.dist-info", "shared"}
    assert sorted(path.name for path in (farm.site / "shared").glob("*.*")) == ["right.py", "same.txt"]
    assert (farm.site / "shared/right.py").lstat().st_ino == stays
    assert not (farm.directory / "bin/tool").exists() and after("--check").stdout == ""
    (farm.site / "demo-9.dist-info").mkdir()
    (farm.site / "demo-9.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 9\n")
    after("--rollback")
    assert farm.python("import left, right; print(left.x, right.x)") == "1 mine"
    assert not (farm.site / "demo").exists() and not (farm.site / "demo-1.0.dist-info").exists()


def test_native_libraries(farm: Venv, workbench: Workbench) -> None:
    """What has an environment load native libraries comes with it and goes with it, in both forms."""
    env = workbench.env(make_wheel(), name="native")
    site = env / farm.site.relative_to(farm.directory)
    (site / "_nixgen_libraries").mkdir()
    (site / "_nixgen_libraries/__init__.py").write_text("import sys; sys.libraries = 'loaded'\n")
    (site / "0-nixgen-libraries.pth").write_text("import _nixgen_libraries\n")
    native = Venv(directory=farm.directory, env=env)
    code = "import sys; print(getattr(sys, 'libraries', 'none'))"
    assert farm.python(code) == "none"
    native()
    assert farm.python(code) == "loaded"
    native("--overlay")
    assert farm.python(code) == "loaded" and not list(farm.site.glob("*nixgen[-_]libraries*"))
    native("--farm")
    farm("--rollback")
    farm("--heal")
    farm()
    assert farm.python(code) == "none" and not list(farm.site.glob("*nixgen[-_]libraries*"))


def test_what_was_removed_stays_away(farm: Venv) -> None:
    """Healing does not bring back a package that the user removed; --farm does, with links that lead nowhere."""
    for name in ("left", "left-1.0.dist-info"):
        shutil.rmtree(farm.site / name)
    (farm.site / "demo/data.txt").unlink()
    (farm.site / "demo/data.txt").symlink_to("/nonexistent/file.txt")
    farm("--heal")
    assert not (farm.site / "left").exists()
    farm("--farm")
    assert (farm.site / "left/__init__.py").exists() and (farm.site / "demo/data.txt").read_text() == "data\n"


def test_broken_states_of_a_farm(farm: Venv) -> None:
    """What belongs to the environment itself is healed as in an overlay, and a list gone or cut is completed."""
    whole = farm.listing()
    for name in ("bin/python", "pyvenv.cfg", ".nixgen/env", ".nixgen/farm", "bin/activate"):
        (farm.directory / name).unlink()
        assert farm("--check", code=1).stdout
        farm("--heal")
        assert farm.listing() == whole
    placed = (farm.directory / ".nixgen/farm").read_text()
    (farm.directory / ".nixgen/farm").write_text(f"in{placed}")
    shutil.rmtree(farm.site / "demo")
    farm("--heal")
    assert farm.listing() == whole
    (farm.site / "zzzz-nixgen.pth").write_text("x")
    farm("--heal")
    assert farm.listing() == whole


def test_what_is_taken_away_meanwhile(farm: Venv) -> None:
    """Whoever fills it while the owner removes its directories is told which, in a line, without a traceback."""
    shutil.rmtree(farm.directory / "lib")
    program = LIBRARY / "venv" / "farm.py"
    words = [farm.env / "bin" / "python", "-I", "-S", "-B", program, "fill", farm.env]
    done = subprocess.run(words, cwd=farm.directory, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"nixgen-venv: lib/python3\.\d+/site-packages: No such file or directory\n", done.stderr)


def test_moved(farm: Venv) -> None:
    """A farm works at another place."""
    there = Venv(directory=farm.directory.rename(farm.directory.parent / "there"), env=farm.env)
    assert said(there.directory / "bin/tool") == f"1.0 {there.directory}"
    there("--heal")
    assert there("--check").stdout == "" and there.python("import demo; print(demo.version)") == "1.0"


class Killed(BaseException):
    """What a kill is in these tests."""


@pytest.mark.parametrize("action", ["fill", "clear"])
def test_killed_before_each_write(farm: Venv, monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    """Whichever write is the last, the next run of the program completes what was begun."""
    before, after = ("--overlay", "--farm") if action == "fill" else ("--farm", "--overlay")
    farm(after)
    whole = farm.listing()
    number, finished = 0, False
    monkeypatch.chdir(farm.directory)
    while not finished:
        farm(before)
        module = _module()
        left = [number]
        with monkeypatch.context() as patch:
            for name in ("link", "symlink", "unlink", "mkdir", "rmdir", "rename", "replace", "chmod"):
                patch.setattr(module.os, name, _counted(getattr(os, name), left))
            try:
                module.main(*((action, str(farm.env)) if action == "fill" else (action,)))
                finished = True
            except Killed:
                pass
        farm(after)
        assert farm.listing() == whole, number
        number += 5
    assert number > 30


def _counted(do: object, left: list[int]) -> object:
    def counted(*arguments: object, **options: object) -> object:
        if left[0] == 0:
            raise Killed
        left[0] -= 1
        return do(*arguments, **options)  # type: ignore[operator]

    return counted


def _module() -> ModuleType:
    spec = importlib.util.spec_from_file_location("nixgen_farm", LIBRARY / "venv" / "farm.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
