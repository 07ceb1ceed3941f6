"""What time breaks is healed: a table of broken states; and what nixgen did not make is left alone."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders.conftest import Workbench
from tests.support.wheels import make_wheel
from tests.venv.conftest import SHELLS, Venv, said, shell_command

VERSION = "{}.{}".format(*sys.version_info)
SITE = f"lib/python{VERSION}/site-packages"
PTH = f"{SITE}/zzzz-nixgen.pth"
LINUX = sys.platform != "darwin"

Break = Callable[[Path], object]


def link(name: str, target: str) -> Break:
    """Put a link in the place of something."""

    def do(root: Path) -> None:
        remove(name)(root)
        (root / name).symlink_to(target)

    return do


def write(name: str, content: str | bytes) -> Break:
    """Put a file in the place of something."""

    def do(root: Path) -> None:
        remove(name)(root)
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content if isinstance(content, bytes) else content.encode())

    return do


def directory(name: str) -> Break:
    """Put a directory in the place of something."""

    def do(root: Path) -> None:
        remove(name)(root)
        (root / name).mkdir(parents=True)

    return do


def remove(name: str) -> Break:
    """Take something away."""

    def do(root: Path) -> None:
        if (root / name).is_dir() and not (root / name).is_symlink():
            shutil.rmtree(root / name)
        else:
            (root / name).unlink(missing_ok=True)

    return do


def edit(name: str, old: str, new: str) -> Break:
    """Replace text of a file."""

    def do(root: Path) -> None:
        text = (root / name).read_text()
        assert old in text
        (root / name).write_text(text.replace(old, new))

    return do


def several(*breaks: Break) -> Break:
    """Break several things."""
    return lambda root: [do(root) for do in breaks]


def copy_python(root: Path) -> None:
    """Put the interpreter itself in the place of the link to it."""
    target = (root / "bin/python").resolve()
    remove("bin/python")(root)
    shutil.copy(target, root / "bin/python")


def another_micro(root: Path) -> None:
    """Leave the state of before an upgrade of the interpreter."""
    micro = sys.version_info[2] + 1
    text = (root / ".nixgen/state").read_text().splitlines()
    lines = [line for line in text if not line.startswith(("identity", "version"))]
    lines += ["identity 1 1", f"version {VERSION}.{micro}"]
    (root / ".nixgen/state").write_text("\n".join(lines) + "\n")
    edit("pyvenv.cfg", "version = {}.{}.{}".format(*sys.version_info), f"version = {VERSION}.{micro}")(root)


#: What is broken, and a word of what --check says of it.
STATES: dict[str, tuple[Break, str]] = {
    "python is missing": (remove("bin/python"), "bin/python"),
    "python leads nowhere": (link("bin/python", "/nonexistent/python3"), "bin/python"),
    "python is another program": (link("bin/python", "/bin/sh"), "bin/python"),
    "python is a regular file": (copy_python, "bin/python"),
    "python is an empty file": (write("bin/python", ""), "bin/python"),
    "python is a directory": (directory("bin/python"), "bin/python"),
    "python is its own link": (link("bin/python", "python"), "bin/python"),
    "python leads to python3 and back": (link("bin/python", "python3"), "bin/python"),
    "python3 is missing": (remove("bin/python3"), "bin/python3"),
    "pythonX.Y leads nowhere": (link(f"bin/python{VERSION}", "gone"), f"bin/python{VERSION}"),
    "another Python's name is left": (link("bin/python3.0", "python"), "bin/python3.0"),
    "pyvenv.cfg is missing": (remove("pyvenv.cfg"), "pyvenv.cfg"),
    "pyvenv.cfg is empty": (write("pyvenv.cfg", ""), "pyvenv.cfg"),
    "pyvenv.cfg is a link": (link("pyvenv.cfg", "gone"), "pyvenv.cfg"),
    "pyvenv.cfg names another interpreter": (edit("pyvenv.cfg", "home = /", "home = /opt/gone/"), "pyvenv.cfg"),
    "pyvenv.cfg has another version": (edit("pyvenv.cfg", "version = 3.", "version = 2."), "pyvenv.cfg"),
    "pyvenv.cfg has a blank line": (edit("pyvenv.cfg", "\nversion", "\n\nversion"), "pyvenv.cfg"),
    "pyvenv.cfg has odd lines": (edit("pyvenv.cfg", "\nversion", "\n= =\nno sense\n#\nversion"), "pyvenv.cfg"),
    "pyvenv.cfg is no text": (write("pyvenv.cfg", b"\xff\xfe\x01home\n=\\\n"), "pyvenv.cfg"),
    "pyvenv.cfg has another system's lines": (edit("pyvenv.cfg", "\n", "\r\n"), "pyvenv.cfg"),
    "the link to the environment is missing": (remove(".nixgen/env"), ".nixgen/env"),
    "the link to the environment leads nowhere": (link(".nixgen/env", "/nonexistent/env"), ".nixgen/env"),
    "the link to the environment leads elsewhere": (link(".nixgen/env", "/"), ".nixgen/env"),
    "the link to the environment is a file": (write(".nixgen/env", "x"), ".nixgen/env"),
    "the link to the environment is a directory": (directory(".nixgen/env"), ".nixgen/env"),
    ".gitignore is missing": (remove(".gitignore"), ".gitignore"),
    "the .pth file is missing": (remove(PTH), "zzzz-nixgen.pth"),
    "the .pth file is half": (write(PTH, "../../"), "zzzz-nixgen.pth"),
    "the .pth file is a link": (link(PTH, "gone"), "zzzz-nixgen.pth"),
    "site-packages is missing": (remove(SITE), "directories"),
    "lib is missing": (remove("lib"), "directories"),
    "bin is missing": (remove("bin"), "directories"),
    "all is missing but the marker": (several(*map(remove, ("bin", "lib", "lib64", "pyvenv.cfg"))), "directories"),
    "a command is missing": (remove("bin/tool"), "tool"),
    "the list of commands is missing": (remove(".nixgen/commands"), "commands"),
    "the list of commands is half": (write(".nixgen/commands", "/nix/st"), "commands"),
    "a lib of another Python is left": (write("lib/python3.0/site-packages/zzzz-nixgen.pth", "x"), "lib/python3.0"),
    "a temporary file is left": (write(".nixgen/new-1", "x"), ".nixgen/new-1"),
    "a temporary directory is left": (write(".nixgen/new-1-bin/tool", "x"), ".nixgen/new-1-bin"),
    "a lock of a process that is gone": (write(".nixgen/lock", "4194999\n"), "lock"),
    "a lock of an early death": (write(".nixgen/lock", ""), "lock"),
    "the marker has odd lines": (edit(".nixgen/state", "\nform", "\n\nodd\nform"), "state"),
    "the marker names another interpreter": (edit(".nixgen/state", "\npython /", "\npython /gone/"), "state"),
    "the marker has an odd form": (edit(".nixgen/state", "form overlay", "form odd"), "form"),
    "the interpreter was another micro version": (another_micro, "interpreter was"),
    "links of a farm are left": (write(".nixgen/farm", "complete /nix/store/x\n"), "farm"),
}
if LINUX:
    STATES |= {
        "lib64 is missing": (remove("lib64"), "lib64"),
        "lib64 leads nowhere": (link("lib64", "gone"), "lib64"),
        "lib64 is an empty directory": (directory("lib64"), "lib64"),
    }


@pytest.mark.parametrize("state", STATES)
def test_a_broken_state(venv: Venv, state: str) -> None:
    """--check reports it and --dry-run says what it would do, both change nothing; then it is as new, and silent."""
    # Each shell has a third of the states.
    venv.shell = shell_command([*SHELLS][list(STATES).index(state) % len(SHELLS)])
    venv()
    whole = venv.listing()
    do, word = STATES[state]
    do(venv.directory)
    broken = venv.listing()
    assert word in venv("--check", code=1).stdout
    assert word in venv("--dry-run").stdout
    assert venv.listing() == broken
    done = venv("--heal")
    assert word == "lock" or word in done.stderr
    healed = venv.listing()
    assert {**healed, ".nixgen/state": ""} == {**whole, ".nixgen/state": ""}
    assert (venv("--check").stdout, venv().stderr) == ("", "")
    assert venv.python("import demo; print(demo.version)") == "1.0"


def test_there_are_enough_states() -> None:
    """The table is as long as it should be."""
    assert len(STATES) >= 40


def test_everything_at_once(venv: Venv) -> None:
    """Many faults together are healed in one run."""
    venv()
    whole = venv.listing()
    for name in ("bin/python", PTH, ".nixgen/env", "pyvenv.cfg", "bin/tool", "lib64", ".nixgen/commands"):
        remove(name)(venv.directory)
    venv("--heal")
    assert venv.listing() == whole


def test_what_a_user_set_in_pyvenv_cfg_stays(venv: Venv) -> None:
    """The prompt and the system's packages are a user's choice."""
    venv()
    edit("pyvenv.cfg", "= false", "=TRUE")(venv.directory)
    with (venv.directory / "pyvenv.cfg").open("a") as file:
        file.write("prompt=  my own = one\nexecutable = /opt/other/python\n")
    venv("--heal")
    lines = (venv.directory / "pyvenv.cfg").read_text().splitlines()
    assert "include-system-site-packages = true" in lines and "prompt = my own = one" in lines
    assert not any("executable" in line for line in lines)
    assert venv("--check").stdout == ""


def test_what_a_user_installed_for_another_python_stays(venv: Venv) -> None:
    """A library directory of another Python loses nixgen's file alone."""
    venv()
    write("lib/python3.0/site-packages/zzzz-nixgen.pth", "x")(venv.directory)
    write("lib/python3.0/site-packages/mine.py", "x")(venv.directory)
    assert "python3.0 stays there" in venv("--heal").stderr
    assert [path.name for path in (venv.directory / "lib/python3.0/site-packages").iterdir()] == ["mine.py"]
    assert venv("--check").stdout == ""


def test_a_half_written_swap_is_completed(venv: Venv, workbench: Workbench) -> None:
    """Once the marker names a new environment, whoever comes next brings everything else there."""
    venv()
    new = Venv(
        directory=venv.directory, env=workbench.env(make_wheel("demo", "2.0", {"demo.py": "version = 2\n"}), name="new")
    )
    whole = (venv.directory / ".nixgen/state").read_text()
    new()
    after = (venv.directory / ".nixgen/state").read_text()
    new("--rollback")
    (venv.directory / ".nixgen/state").write_text(after)
    assert whole != after
    assert "leads elsewhere" in venv("--heal", "--check", code=1).stdout
    venv("--heal")
    assert venv.python("import demo; print(demo.version)") == "2"
    assert not (venv.directory / "bin/tool").exists()


def test_a_collected_environment(venv: Venv, workbench: Workbench) -> None:
    """Where the store has lost the environment, the message says what to do; another one's program heals."""
    venv()
    program = shutil.copy(venv.env / "bin/nixgen-venv", venv.directory.parent / "nixgen-venv")
    gone = venv.env.rename(venv.env.with_name("gone"))
    before = venv.listing()
    for name in (venv.directory / "bin/nixgen-venv", program):
        command = ["sh", str(name), "--heal"]
        done = subprocess.run([*command, "--check", venv.directory], capture_output=True, text=True)
        assert done.returncode == 1 and "not in the store any more" in done.stdout
        done = subprocess.run([*command, venv.directory], capture_output=True, text=True)
        assert done.returncode == 3 and f"nixgen venv {venv.directory}" in done.stderr
    assert venv.listing() == before
    other = Venv(directory=venv.directory, env=workbench.env(make_wheel(), name="other"))
    assert "another environment" in other().stderr
    assert other.python("import demo; print(demo.answer)") == "42"
    assert other("--check").stdout == "" and gone.exists()


def test_an_interpreter_that_is_gone(venv: Venv) -> None:
    """Where the environment's own interpreter is gone nothing can be healed, and nothing is changed."""
    venv()
    link("bin/python", "/nonexistent/python3")(venv.env)
    before = venv.listing()
    assert "interpreter of the environment is gone" in venv(code=3).stderr
    assert venv.listing() == before


def test_the_interpreter_is_not_looked_for_on_path(venv: Venv, tmp_path: Path) -> None:
    """Programs named python on PATH, its own among them, do not matter."""
    venv()
    (tmp_path / "bin").mkdir()
    for name in ("python", "python3", f"python{VERSION}"):
        (tmp_path / "bin" / name).write_text("#!/bin/sh\nexit 9\n")
        (tmp_path / "bin" / name).chmod(0o755)
    remove("bin/python")(venv.directory)
    venv.environment = {"PATH": f"{venv.directory}/bin:{tmp_path}/bin:/usr/bin:/bin"}
    venv("--heal")
    assert venv.python("import demo; print(demo.version)") == "1.0"


NOT_OURS: dict[str, Break] = {
    "a file of somebody's": write("notes.txt", "x"),
    "a hidden file": write(".git/HEAD", "x"),
    "an environment of another tool": lambda root: said(sys.executable, "-m", "venv", "--without-pip", root),
    "a marker that is no marker": write(".nixgen/state", "something else\n"),
}


@pytest.mark.parametrize("what", NOT_OURS)
def test_what_nixgen_did_not_make(venv: Venv, what: str) -> None:
    """A directory without nixgen's marker is left alone, and the message says so."""
    venv.directory.mkdir(parents=True)
    NOT_OURS[what](venv.directory)
    (venv.directory / "bin").mkdir(exist_ok=True)
    before = venv.listing()
    for arguments in ([], ["--heal"], ["--check"], ["--farm"]):
        assert "not made by nixgen" in venv(*arguments, code=3).stderr
    assert venv.listing() == before


def test_a_marker_that_came_alone(venv: Venv, tmp_path: Path) -> None:
    """A marker that names another place counts only beside nixgen's pyvenv.cfg: a move takes both along."""
    venv()
    other = Venv(directory=tmp_path / "other", env=venv.env)
    said(sys.executable, "-m", "venv", "--without-pip", other.directory)
    shutil.copytree(venv.directory / ".nixgen", other.directory / ".nixgen", symlinks=True)
    before = other.listing()
    assert "is that of" in other(code=3).stderr
    assert other.listing() == before


@pytest.mark.parametrize("name", ["bin", "lib", f"lib/python{VERSION}", SITE])
def test_a_directory_that_leads_out(venv: Venv, tmp_path: Path, name: str) -> None:
    """Nothing is written through a link that stands for one of the directories."""
    venv()
    (venv.directory / name).rename(tmp_path / "outside")
    (venv.directory / name).symlink_to(tmp_path / "outside")
    remove("pyvenv.cfg")(venv.directory)
    before = venv.listing()
    assert "is a link" in venv(code=3).stderr
    assert venv.listing() == before


def test_a_marker_behind_a_link(venv: Venv, tmp_path: Path) -> None:
    """A .nixgen that is a link is no marker."""
    venv()
    (venv.directory / ".nixgen").rename(tmp_path / "marker")
    (venv.directory / ".nixgen").symlink_to(tmp_path / "marker")
    assert "not made by nixgen" in venv(code=3).stderr


def test_a_newer_format(venv: Venv) -> None:
    """A marker of a format to come is refused."""
    venv()
    edit(".nixgen/state", "nixgen-venv 1", "nixgen-venv 2")(venv.directory)
    assert "newer nixgen" in venv(code=3).stderr


def test_there_is_nothing_to_heal(venv: Venv) -> None:
    """--heal makes nothing, --check and --dry-run neither."""
    assert "no such environment" in venv("--heal", code=3).stderr
    assert "is not there" in venv("--check", code=1).stdout
    assert "would be made" in venv("--dry-run").stdout
    assert not venv.directory.exists()
    venv.directory.parent.mkdir()
    venv.directory.symlink_to("nowhere")
    assert "not made by nixgen" in venv(code=3).stderr
    remove(venv.directory.name)(venv.directory.parent)
    venv.directory.write_text("")
    assert "no directory" in venv(code=3).stderr
