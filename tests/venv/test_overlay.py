"""An overlay: a standard virtual environment of a handful of files, on top of an environment of the store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.builders.conftest import INTERPRETER, Workbench
from tests.support.wheels import make_wheel
from tests.venv.conftest import SHELLS, Venv, demo_wheel, said, shell_command

VERSION = "{}.{}".format(*sys.version_info)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_makes_the_same(venv: Venv, shell: str) -> None:
    """Each shell makes the same handful of files, and finds nothing to do the second time."""
    venv.shell = shell_command(shell)
    assert venv().stderr == ""
    commands = ["activate", "activate.fish", "nixgen-venv", "program", "shell", "tool"]
    assert sorted(venv.listing()) == sorted(
        [
            *(f".nixgen/{name}" for name in ("commands", "env", "state")),
            *(f"bin/{name}" for name in ("python", "python3", f"python{VERSION}", *commands)),
            f"lib/python{VERSION}/site-packages/zzzz-nixgen.pth",
            *(["lib64"] if sys.platform != "darwin" else []),
            ".gitignore",
            "pyvenv.cfg",
        ]
    )
    before = venv.listing()
    for mode in ("", "--check", "--dry-run", "--heal"):
        done = venv(*[mode] if mode else [])
        assert (done.stdout, done.stderr) == ("", "")
    assert venv.listing() == before


def test_it_is_a_virtual_environment(venv: Venv) -> None:
    """Prefix, schemes and site-packages are its own, and the environment's packages follow."""
    venv()
    code = "import sys, json, sysconfig, demo; print(json.dumps([sys.prefix, sys.path, sysconfig.get_path('purelib')]))"
    prefix, path, purelib = json.loads(venv.python(code))
    below = venv.directory / ".nixgen/env" / venv.site.relative_to(venv.directory)
    assert (prefix, purelib) == (str(venv.directory), str(venv.site))
    assert path[-2:] == [str(venv.site), str(below)]
    assert (venv.directory / "bin/python").readlink() == Path(INTERPRETER)


@pytest.mark.parametrize("form", ["--overlay", "--farm"])
def test_git_takes_nothing_of_it(venv: Venv, form: str) -> None:
    """`git add -A` leaves it out, unless the user's own .gitignore there says otherwise, which stays."""
    venv(form)
    said("git", "init", "--quiet", venv.directory.parent)
    assert str(venv.directory.name) not in said("git", "-C", venv.directory.parent, "status", "--short")
    (venv.directory / ".gitignore").write_text("bin\n")
    venv("--check")
    venv(form)
    assert (venv.directory / ".gitignore").read_text() == "bin\n"


def test_pth_files_of_the_environment_are_processed(venv: Venv) -> None:
    """What a wheel's .pth does happens as often as in the environment itself (site reads those of a venv twice)."""
    venv()
    code = "import sys; print(sys.from_pth)"
    assert venv.python(code) == said(venv.env / "bin/python", "-c", code)


def test_what_lies_on_top_wins(venv: Venv, tmp_path: Path) -> None:
    """Modules, distributions and paths of .pth files that a user adds come first."""
    venv()
    (tmp_path / "editable").mkdir()
    (tmp_path / "editable" / "demo.py").write_text("version = 'editable'\n")
    (venv.site / "zz_editable.pth").write_text(f"{tmp_path}/editable\n")
    assert venv.python("import demo; print(demo.version)") == "editable"
    (venv.site / "demo.py").write_text("version = 'mine'\n")
    (venv.site / "demo-9.dist-info").mkdir()
    (venv.site / "demo-9.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: demo\nVersion: 9\n")
    assert venv.python("import demo, importlib.metadata as m; print(demo.version, m.version('demo'))") == "mine 9"


def test_commands_run(venv: Venv) -> None:
    """Launchers run the virtual environment's Python, programs and scripts those of the store, by any name."""
    venv()
    assert said(venv.directory / "bin/tool", "a b") == f"1.0 {venv.directory} a b"
    assert said(venv.directory / "bin/shell", "x") == "shell x"
    (venv.directory.parent / "link").symlink_to(venv.directory / "bin/shell")
    assert said(venv.directory.parent / "link", "x") == "shell x"
    files = [path for path in (venv.directory / "bin").iterdir() if not path.name.startswith("python")]
    assert not any(path.is_symlink() for path in files)


def test_nothing_in_bin_or_site_packages_is_a_link_into_the_store(venv: Venv) -> None:
    """An installer that writes through links finds none to write through."""
    venv()
    links = {
        str(path) for path in venv.directory.rglob("*") if path.is_symlink() and venv.env in path.resolve().parents
    }
    assert links == set()
    assert (venv.directory / ".nixgen/env").resolve() == venv.env


def test_activation(venv: Venv) -> None:
    """``. bin/activate`` names the virtual environment, not what it stands on."""
    venv()
    script = f'. {venv.directory}/bin/activate; echo "$VIRTUAL_ENV"; command -v tool; unset VIRTUAL_ENV'
    assert said("bash", "-c", script).splitlines() == [str(venv.directory), f"{venv.directory}/bin/tool"]


@pytest.mark.parametrize("how", ["move", "copy", "copy without links"])
def test_moved_and_copied(venv: Venv, tmp_path: Path, how: str) -> None:
    """After a move or a copy it works at once, and fsck mends what names the old place: scripts that pip wrote."""
    venv()
    for name, head in {
        "short": f"#!{venv.directory}/bin/python\n",
        "long": f"#!/bin/sh\n'''exec' \"{venv.directory}/bin/python\" \"$0\" \"$@\"\n' '''\n",
    }.items():
        (venv.directory / "bin" / name).write_text(head + "import sys, demo\nprint(sys.prefix)\n")
        (venv.directory / "bin" / name).chmod(0o755)
    there = tmp_path / "another & place|" / "env"
    there.parent.mkdir()
    if how == "move":
        venv.directory.rename(there)
    else:
        command = ["cp", "-a", venv.directory, there]
        subprocess.run(command, check=True)
    if how == "copy without links":
        for name in ("python", "python3", f"python{VERSION}"):
            (there / "bin" / name).unlink()
            shutil.copy(INTERPRETER, there / "bin" / name)
    moved = Venv(directory=there, env=venv.env)
    if how != "copy without links":
        assert said(there / "bin/tool") == f"1.0 {there}"
    assert "it lay at" in moved("--check", code=1).stdout
    assert "it lay at" in moved("--heal").stderr
    assert moved("--check").stdout == ""
    assert [said(there / "bin" / name) for name in ("tool", "short")] == [f"1.0 {there}", str(there)]
    assert str(there) in (there / "bin/long").read_text() and os.access(there / "bin/long", os.X_OK)
    if how != "move":
        assert venv("--check").stdout == "" and said(venv.directory / "bin/short") == str(venv.directory)


def test_another_environment_and_back(venv: Venv, workbench: Workbench) -> None:
    """A new environment replaces the one below with its commands, keeps what is the user's, and can be rolled back."""
    venv()
    (venv.directory / ".nixgen/roots").mkdir()
    for name in ("older-env", venv.env.name):
        (venv.directory / ".nixgen/roots" / name).symlink_to(f"/nonexistent/{name}")
    (venv.site / "mine.py").write_text("x = 1\n")
    (venv.directory / "bin/mine").write_text("#!/bin/sh\n")
    new = make_wheel(
        "demo",
        "2.0",
        {"demo.py": "version = 2\n"},
        entry_points={"console_scripts": {"other": "demo:x", "mine": "demo:x"}},
    )
    after = Venv(directory=venv.directory, env=workbench.env(new, name="new"))
    after()
    assert venv.python("import demo, mine; print(demo.version)") == "2"
    commands = {path.name for path in (venv.directory / "bin").iterdir() if "python" not in path.name}
    assert commands == {"activate", "activate.fish", "nixgen-venv", "other", "mine"}
    assert (venv.directory / "bin/mine").read_text() == "#!/bin/sh\n"
    assert [path.name for path in (venv.directory / ".nixgen/roots").iterdir()] == [venv.env.name]
    after("--rollback")
    assert venv.python("import demo, mine; print(demo.version)") == "1.0"
    assert (venv.directory / "bin/tool").exists() and not (venv.directory / "bin/other").exists()
    assert venv("--check").stdout == ""
    assert "uses" not in after("--rollback").stderr
    assert venv.python("import demo; print(demo.version)") == "2"


def test_the_first_has_nothing_to_go_back_to(venv: Venv) -> None:
    """Rolling back the first environment is an error."""
    venv()
    assert "no environment of before" in venv("--rollback", code=3).stderr


def test_from_its_own_bin(venv: Venv) -> None:
    """``bin/nixgen-venv`` of a virtual environment heals that one, also through a link and by a relative path."""
    venv()
    (venv.directory / "lib64").unlink(missing_ok=True)
    store = {**os.environ, "NIX_STORE_DIR": str(venv.env.parent)}
    done = subprocess.run(
        ["bin/nixgen-venv"], cwd=venv.directory, env=store, capture_output=True, text=True, check=True
    )
    assert "lib64" in done.stderr or sys.platform == "darwin"
    assert venv("--check").stdout == ""


def test_the_directory_of_virtual_env(venv: Venv) -> None:
    """Without an argument VIRTUAL_ENV names the directory, with a slash at its end or without."""
    venv()
    (venv.directory / "pyvenv.cfg").unlink()
    command = ["sh", venv.env / "bin/nixgen-venv"]
    subprocess.run(command, env={**os.environ, "VIRTUAL_ENV": f"{venv.directory}/"}, check=True, capture_output=True)
    assert venv("--check").stdout == ""


@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help(venv: Venv, option: str) -> None:
    """The options are told."""
    assert "--rollback" in venv(option).stdout


def test_wrong_arguments(venv: Venv) -> None:
    """What makes no sense is refused, and makes nothing."""
    assert "usage" in venv("--nonsense", code=2).stderr
    assert "usage" in venv(venv.directory.parent, code=2).stderr
    assert "line break" in Venv(directory=Path(f"{venv.directory}\n"), env=venv.env)(code=2).stderr
    assert not venv.directory.exists()


def test_a_directory_with_strange_names(venv: Venv, tmp_path: Path) -> None:
    """Blanks, quotes and patterns in the directory's name, and in a command's, are names."""
    wheel = demo_wheel("3.0")
    assert wheel
    odd = Venv(directory=tmp_path / "a 'b' *[c] $d\\", env=venv.env)
    odd()
    assert said(odd.directory / "bin/tool") == f"1.0 {odd.directory}"
    assert odd("--check").stdout == ""


def test_a_wheels_own_program_loses(workbench: Workbench) -> None:
    """A wheel that brings a command named nixgen-venv does not get to run in its place."""
    env = workbench.env(make_wheel(data={"scripts/nixgen-venv": "#!/bin/sh\necho mine\n"}))
    assert "--rollback" in said(env / "bin/nixgen-venv", "--help")


#: A package with files beside it.
DATA = {
    "data/share/demo/a b.txt": "shared",
    "data/share/demo/.hidden": "hidden",
    "data/etc/demo.conf": "conf",
    "data/lib/demo/x.txt": "x",
    "data/top.txt": "top",
}
PLACED = [name[len("data/") :] for name in DATA]


@pytest.mark.parametrize("shell", SHELLS)
def test_files_beside_the_packages_are_below_the_prefix(workbench: Workbench, tmp_path: Path, shell: str) -> None:
    """What wheels put into share, etc and elsewhere is found there, by links in directories that installers fill."""
    other = make_wheel("other", data={"data/share/demo/other.txt": "other"})
    venv = Venv(
        directory=tmp_path / "x" / ".venv",
        env=workbench.env(make_wheel(data=DATA), other),
        shell=shell_command(shell),
    )
    assert venv().stderr == ""
    assert [(venv.directory / name).read_text() for name in PLACED] == list(DATA.values())
    assert (venv.directory / "share/demo/other.txt").read_text() == "other"
    assert not any(path.is_symlink() for path in (venv.directory / "share").rglob("*") if path.is_dir())
    assert venv("--check").stdout == ""
    (venv.directory / "share/demo/mine.txt").write_text("mine")
    (venv.directory / "etc/demo.conf").unlink()
    venv.directory.parent.rename(tmp_path / "y")
    venv.directory = tmp_path / "y" / ".venv"
    assert (venv.directory / "share/demo/a b.txt").read_text() == "shared"
    assert "etc/demo.conf" in venv("--heal").stderr
    assert (venv.directory / "etc/demo.conf").read_text() == "conf"


def test_files_beside_the_packages_follow_the_environment(workbench: Workbench, tmp_path: Path) -> None:
    """Another environment and another form take their links away with them, and nothing of the user's."""
    venv = Venv(directory=tmp_path / ".venv", env=workbench.env(make_wheel(data=DATA)))
    venv()
    (venv.directory / "share/demo/a b.txt").unlink()
    (venv.directory / "share/demo/a b.txt").write_text("mine")
    after = Venv(directory=venv.directory, env=workbench.env(demo_wheel(), name="after"))
    after()
    assert [path for path in PLACED if os.path.lexists(venv.directory / path)] == ["share/demo/a b.txt"]
    assert not (venv.directory / "etc").exists() and not (venv.directory / "lib/demo").exists()
    assert not (venv.directory / ".nixgen/data").exists()
    after("--rollback")
    assert (venv.directory / "etc/demo.conf").read_text() == "conf"
    venv("--farm")
    assert (venv.directory / "etc/demo.conf").readlink().parent == venv.env.parent
    assert (venv.directory / "share/demo/a b.txt").read_text() == "mine"
    venv("--overlay")
    assert (venv.directory / "etc/demo.conf").readlink() == Path("../.nixgen/env/etc/demo.conf")


@pytest.mark.parametrize("shell", SHELLS)
def test_what_jupyter_serves_is_real_below_the_prefix(workbench: Workbench, tmp_path: Path, shell: str) -> None:
    """Jupyter's servers refuse links out of a directory: an overlay has copies, but for what the user changed."""
    lab = "share/jupyter/lab/static"

    def wheel(version: str, *names: str) -> tuple[str, bytes]:
        themes = {f"data/share/jupyter/lab/themes/{name}": version for name in ("a.css", "b.css")}
        return make_wheel(version=version, data={**themes, **{f"data/{lab}/{name}": version for name in names}})

    words = shell_command(shell)
    venv = Venv(directory=tmp_path / ".venv", env=workbench.env(wheel("1", "a.js", "b c.js", "gone.js")), shell=words)
    venv()
    static = venv.directory / lab
    assert all(path.resolve().parent == static.resolve() for path in static.iterdir())
    assert [path.name for path in sorted((static.parent / "themes").iterdir())] == ["a.css", "b.css"]
    (static / "b c.js").unlink()
    (static / "b c.js").write_text("mine")
    (static / "a.js").unlink()
    assert "share/jupyter/lab/static/a.js" in venv("--check", code=1).stdout
    venv()
    assert (static / "a.js").read_text() == "1"
    after = Venv(directory=venv.directory, env=workbench.env(wheel("2", "a.js", "b c.js"), name="after"), shell=words)
    after()
    assert {path.name: path.read_text() for path in static.iterdir()} == {"a.js": "2", "b c.js": "mine"}
    (static / "a.js").write_text("edited")
    after("--rollback")
    assert {path.name: path.read_text() for path in static.iterdir()} == {
        **{"a.js": "edited", "b c.js": "mine", "gone.js": "1"},
    }


def test_a_link_of_the_users_is_not_followed(workbench: Workbench, tmp_path: Path) -> None:
    """Where the user has a link in the place of a directory, nothing is written through it."""
    venv = Venv(directory=tmp_path / ".venv", env=workbench.env(demo_wheel()))
    venv()
    (tmp_path / "elsewhere").mkdir()
    (venv.directory / "etc").symlink_to(tmp_path / "elsewhere")
    Venv(directory=venv.directory, env=workbench.env(make_wheel(data=DATA), name="after"))()
    assert not list((tmp_path / "elsewhere").iterdir())
    assert (venv.directory / "top.txt").read_text() == "top"
