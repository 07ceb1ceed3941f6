"""Another interpreter below: another minor version, and another file of the same one."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.builders.conftest import INTERPRETER, SHARED, Workbench
from tests.builders.test_main import start
from tests.support.interpreters import interpreters
from tests.venv.conftest import Venv, demo_wheel, said

RUNNING = "{}.{}".format(*sys.version_info)
OTHERS = [version for version in interpreters() if version != RUNNING]


def env_of(workbench: Workbench, python: str, tmp_path: Path) -> Path:
    """Build the environment of one package with an interpreter of any version."""
    (tmp_path / "scratch").mkdir(exist_ok=True)
    number = len(list(workbench.store.iterdir()))
    tree, env = (workbench.store / f"{number + offset:0>32}-{name}" for offset, name in ((0, "demo"), (1, "env")))
    assert start(python, "tree", workbench.attributes(demo_wheel()), tree, tmp_path / "scratch") == ""
    none = {"given": [], "ignore": [], "required": False}
    attributes = {"trees": [str(tree)], "python": python, "prefer": [], "libraries": none, **SHARED}
    assert start(python, "env", attributes, env, tmp_path / "scratch") == ""
    return env


@pytest.mark.parametrize("form", ["overlay", "farm"])
@pytest.mark.parametrize("version", sorted({*OTHERS[:1], *OTHERS[-1:]}))
def test_another_minor_version(workbench: Workbench, tmp_path: Path, version: str, form: str) -> None:
    """To an environment of another Python and back: nothing of the other one stays but what the user installed."""
    here = Venv(directory=tmp_path / "venv", env=env_of(workbench, INTERPRETER, tmp_path))
    there = Venv(directory=tmp_path / "venv", env=env_of(workbench, interpreters()[version], tmp_path))
    here(f"--{form}")
    there()
    code = "import sys, demo; print('{}.{}'.format(*sys.version_info), demo.version)"
    assert there.python(code) == f"{version} 1.0"
    assert said(tmp_path / "venv/bin/tool") == f"1.0 {tmp_path}/venv"
    assert [path.name for path in (tmp_path / "venv/lib").iterdir()] == [f"python{version}"]
    assert not (tmp_path / f"venv/bin/python{RUNNING}").is_symlink()
    assert there("--check").stdout == ""
    (there.site / "mine.py").write_text("")
    said_so = f"python{version} stays there" in here().stderr
    assert said_so or form == "farm"
    assert here.python(code) == f"{RUNNING} 1.0"
    assert (tmp_path / f"venv/lib/python{version}/site-packages/mine.py").exists()
    assert here("--check").stdout == ""


def test_an_upgrade_of_the_same_version(workbench: Workbench, tmp_path: Path) -> None:
    """Another file in the interpreter's place is asked once which version it is; the same one is no fault."""
    interpreter = tmp_path / "usr/bin" / f"python{RUNNING}"
    interpreter.parent.mkdir(parents=True)
    interpreter.symlink_to(INTERPRETER)
    env = env_of(workbench, str(interpreter), tmp_path)
    venv = Venv(directory=tmp_path / "venv", env=env)
    venv()
    interpreter.unlink()
    interpreter.write_text(f'#!/bin/sh\necho asked >>{tmp_path}/asked\nexec {INTERPRETER} "$@"\n')
    interpreter.chmod(0o755)
    for _ in range(3):
        done = venv("--heal")
        assert (done.stdout, done.stderr) == ("", "")
    assert (tmp_path / "asked").read_text() == "asked\n"
    os.utime(interpreter, (1, 1))
    interpreter.write_text("#!/bin/sh\necho 2.7.18\n")
    assert "is not the one that the environment was built for" in venv("--heal", code=3).stderr
