"""Making and healing, killed before each of its writes, run by several at once, and by those who may not write."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nixgen.errors import MachineError
from nixgen.venv import program
from tests.builders.conftest import INTERPRETER, Workbench
from tests.support.wheels import make_wheel
from tests.venv.conftest import Venv, demo_wheel
from tests.venv.test_fsck import PTH, VERSION, edit, remove, write

#: Every program that the shell writes with. The shell that runs the wrapper is killed before the write of that number.
WRITERS = ("chmod", "cp", "ln", "mkdir", "mv", "rm", "rmdir")
WRAPPER = """\
#!/bin/sh
read -r left <{counter}
[ "$left" -gt 0 ] || {{ kill -KILL $PPID; exit 1; }}
echo $((left - 1)) >{counter}
exec {program} "$@"
"""


@pytest.fixture
def killer(tmp_path: Path) -> Callable[[int], dict[str, str]]:
    """Give variables that have the program killed before its write of a number."""
    directory, counter = tmp_path / "killers", tmp_path / "left"
    directory.mkdir()
    for name in WRITERS:
        program = shutil.which(name, path="/usr/bin:/bin")
        (directory / name).write_text(WRAPPER.format(counter=counter, program=program))
        (directory / name).chmod(0o755)
    for name in ("cat", "readlink", "sed", "sh", "sleep", "stat"):
        (directory / name).symlink_to(shutil.which(name, path="/usr/bin:/bin") or name)

    def variables(number: int) -> dict[str, str]:
        counter.write_text(f"{number}\n")
        return {"PATH": str(directory)}

    return variables


def start_new(venv: Venv, _other: Venv) -> Venv:
    return venv


def start_swap(venv: Venv, other: Venv) -> Venv:
    venv()
    return other


def start_form(venv: Venv, other: Venv) -> Venv:
    venv()
    edit(".nixgen/state", "form overlay", "form farm")(venv.directory)
    edit("pyvenv.cfg", "= overlay", "= farm")(venv.directory)
    write(".nixgen/farm", "incomplete /nix/store/x\n")(venv.directory)
    return other


def start_moved(venv: Venv, _other: Venv) -> Venv:
    venv()
    write("bin/script", f"#!{venv.directory}/bin/python\n")(venv.directory)
    moved = venv.directory.rename(venv.directory.with_name("moved"))
    return Venv(directory=moved, env=venv.env)


def start_broken(venv: Venv, _other: Venv) -> Venv:
    venv()
    for name in ("bin/python", f"bin/python{VERSION}", PTH, ".nixgen/env", "bin/tool", "lib64", ".nixgen/commands"):
        remove(name)(venv.directory)
    write("lib/python3.0/site-packages/zzzz-nixgen.pth", "x")(venv.directory)
    write("pyvenv.cfg", "home = /nowhere\n\n")(venv.directory)
    return venv


STARTS = {"new": start_new, "swap": start_swap, "moved": start_moved, "broken": start_broken, "form": start_form}


@pytest.mark.parametrize("start", STARTS)
def test_killed_before_each_write(
    workbench: Workbench, tmp_path: Path, killer: Callable[[int], dict[str, str]], start: str
) -> None:
    """Whichever write is the last, the next run completes what was begun, and the result is the same."""
    wheel = make_wheel(
        "demo", "2.0", {"demo.py": "version = '2.0'\n"}, entry_points={"console_scripts": {"other": "demo:x"}}
    )
    one, two = workbench.env(demo_wheel()), workbench.env(wheel, name="two")
    results, number, finished = [], 0, False
    while not finished:
        directory = tmp_path / "project" / ".venv"
        shutil.rmtree(directory.parent, ignore_errors=True)
        directory.parent.mkdir()
        subject = STARTS[start](Venv(directory=directory, env=one), Venv(directory=directory, env=two))
        options = ["--overlay"] if start == "form" else []
        subject.environment = killer(number)
        done = subject.start(*options)
        finished = done.returncode == 0
        assert finished or done.returncode == -9, done.stderr
        subject.environment = {}
        if subject.directory.exists():
            if not finished:
                subject(*options)
            assert (subject("--check").stdout, subject(*options).stderr) == ("", "")
            results.append(subject.listing())
        number += 1
    assert number >= 5
    assert all(result == results[0] for result in results)
    assert subject.python("import demo; print(demo.version)") == ("2.0" if start in ("swap", "form") else "1.0")


def test_a_kill_is_told(venv: Venv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nixgen lives and the program is killed, which says nothing then, nixgen does, in three parts."""
    (tmp_path / "killed").mkdir()
    (tmp_path / "killed/sh").write_text("#!/bin/sh\nkill -KILL $$\n")
    (tmp_path / "killed/sh").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "killed"), prepend=os.pathsep)
    with pytest.raises(MachineError, match="signal 9") as raised:
        program.run(venv.directory, ["--overlay"], environment=venv.env)
    assert raised.value.where == str(venv.directory) and raised.value.todo


@pytest.mark.parametrize("start", ["new", "broken"])
def test_several_at_once(venv: Venv, start: str) -> None:
    """Several that make or heal one directory at once all succeed, and leave nothing behind."""
    venv()
    whole = venv.listing()
    shutil.rmtree(venv.directory)
    STARTS[start](venv, venv)
    command = ["sh", venv.env / "bin/nixgen-venv", venv.directory]
    processes = [subprocess.Popen(command, env=venv.variables(), stderr=subprocess.PIPE, text=True) for _ in range(6)]
    for process in processes:
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said
    assert venv.listing() == whole


def test_a_lock_that_is_held_is_waited_for(venv: Venv) -> None:
    """While another process holds the lock nothing is changed; when it lets go, the work goes on."""
    venv()
    remove("bin/python")(venv.directory)
    with subprocess.Popen(["sleep", "60"]) as holder:
        write(".nixgen/lock", f"{holder.pid}\n")(venv.directory)
        command = ["sh", venv.env / "bin/nixgen-venv", venv.directory]
        process = subprocess.Popen(command, env=venv.variables(), stderr=subprocess.DEVNULL)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=0.7)
        assert not (venv.directory / "bin/python").exists()
        holder.kill()
        holder.wait()
        assert process.wait(timeout=20) == 0
    assert venv("--check").stdout == ""


@pytest.fixture
def ordinary(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Workbench, list[str]]]:
    """Give a workbench that everybody can read, and the words that run a command as an ordinary user."""
    root = Path(tempfile.mkdtemp(prefix="nixgen-ordinary-"))
    root.chmod(0o777)
    prefix = []
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            pytest.skip("root, and no setpriv to become somebody else")
        prefix = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
        if subprocess.run([*prefix, "test", "-x", INTERPRETER]).returncode != 0:
            # Where only root may enter the interpreter's directory: root, without what makes root special.
            prefix = [setpriv, "--inh-caps=-all", "--bounding-set=-all"]
    yield Workbench(root), prefix
    for directory, _, _ in os.walk(root):
        os.chmod(directory, 0o755)  # noqa: PTH101
    shutil.rmtree(root)


def test_as_an_ordinary_user(ordinary: tuple[Workbench, list[str]]) -> None:
    """Who owns a directory, and nothing else, makes and heals in it."""
    workbench, prefix = ordinary
    venv = Venv(directory=workbench.root / "venv", env=workbench.env(demo_wheel()), shell=[*prefix, "/bin/sh"])
    venv()
    remove("bin/python")(venv.directory)
    venv("--heal")
    assert venv("--check").stdout == ""


def test_where_nothing_can_be_written(ordinary: tuple[Workbench, list[str]]) -> None:
    """A directory that cannot be written is looked at; healing it is an error that names it, and changes nothing."""
    workbench, prefix = ordinary
    venv = Venv(directory=workbench.root / "venv", env=workbench.env(demo_wheel()), shell=[*prefix, "/bin/sh"])
    venv()
    remove("bin/python")(venv.directory)
    for directory in (venv.directory, *(path for path in venv.directory.rglob("*") if path.is_dir())):
        if not directory.is_symlink():
            directory.chmod(0o555)
    before = venv.listing()
    assert "bin/python" in venv("--check", code=1).stdout
    said = venv("--heal", code=7).stderr
    assert "cannot write" in said and str(venv.directory) in said and "what to do" in said
    assert venv.listing() == before
    workbench.root.chmod(0o555)
    new = Venv(directory=workbench.root / "new", env=venv.env, shell=venv.shell)
    assert "cannot make the directory" in new(code=7).stderr
