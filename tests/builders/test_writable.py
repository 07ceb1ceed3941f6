"""Copies of the store's files that their owner may write."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
import writable

from tests.builders.conftest import Workbench, site
from tests.support.interpreters import interpreters
from tests.support.wheels import make_wheel

#: Makes a project of its templates, in several ways.
SCAFFOLD = """
import os, shutil, sys
templates = os.path.join(os.path.dirname(__file__), "templates")

def main():
    shutil.copy(os.path.join(templates, "main.txt"), "copied")
    shutil.copytree(templates, "tree")
    open("made", "w").close()
    shutil.copymode(os.path.join(templates, "main.txt"), "made")
"""
WHEEL = make_wheel(
    files={"demo/__init__.py": SCAFFOLD, "demo/templates/main.txt": "x", "demo/templates/sub/b.txt": "y"}
)
MODES = """
import json, os, demo
demo.main()
print(json.dumps({name: os.stat(name).st_mode & 0o777 for name in WHICH}))
""".replace("WHICH", repr(("copied", "made", "tree", "tree/sub", "tree/main.txt")))


def modes(env: Path, directory: Path) -> dict[str, int]:
    """Return the modes of what the package makes of its templates."""
    directory.mkdir()
    command = [env / "bin/python", "-c", MODES]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def close(env: Path) -> None:
    """Take the rights to write from the directories of trees, as the store does."""
    for tree in {path.resolve() for path in env.glob("lib/python*/.t*")}:
        for directory, _, _ in os.walk(tree):
            Path(directory).chmod(0o555)


@pytest.mark.parametrize("first", ["", "import shutil\n"])
def test_a_scaffold_can_be_written(workbench: Workbench, tmp_path: Path, first: str) -> None:
    """Files and directories that are copied out of a package are their owner's to write; nothing else changes."""
    env = workbench.env(WHEEL)
    close(env)
    (site(env) / "0-a.pth").write_text(first)  # before that of the environment
    made = modes(env, tmp_path / "made")
    assert made == {"copied": 0o644, "made": 0o644, "tree": 0o755, "tree/sub": 0o755, "tree/main.txt": 0o644}


def test_other_modes_are_copied_as_they_are(workbench: Workbench, tmp_path: Path) -> None:
    """What is not of the store keeps its mode, as a file that its owner has made read-only."""
    env = workbench.env(WHEEL)
    (tmp_path / "mine").write_text("x")
    (tmp_path / "mine").chmod(0o400)
    code = "import os, shutil; shutil.copy('mine', 'other'); print(oct(os.stat('other').st_mode & 0o777))"
    command = [env / "bin/python", "-c", code]
    assert subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout == "0o400\n"


def test_only_environments_with_scaffolds_have_it(workbench: Workbench) -> None:
    """A wheel that copies no files, or has no templates, leaves Python's start as it is."""
    plain = make_wheel(files={"demo/__init__.py": SCAFFOLD, "demo/data/main.txt": "x"})
    silent = make_wheel(files={"demo/__init__.py": "import shutil\n", "demo/templates/main.txt": "x"})
    assert not any("nixgen" in path.name for env in (plain, silent) for path in site(workbench.env(env)).iterdir())


def test_an_environment_without_links_needs_it_not(workbench: Workbench) -> None:
    """Its files have an owner who may write: nothing of nixgen's runs when its Python starts."""
    image = workbench.mounted(WHEEL)
    assert any(b"nixgen" in os.fsencode(path.name) for path in site(image / "environment").iterdir())
    assert b"nixgen-writable" not in (image / "image.erofs").read_bytes()
    assert b"_nixgen_writable" not in (image / "image.erofs").read_bytes()


@pytest.mark.parametrize("version", interpreters())
def test_every_python_has_the_same_shutil(version: str, tmp_path: Path) -> None:
    """The module is loaded as ever, and its functions have their names, on every Python."""
    (tmp_path / "store").mkdir()
    (tmp_path / "store/file").write_text("x")
    (tmp_path / "store/file").chmod(0o444)
    code = (
        f"import sys; sys.path.insert(0, {str(Path(writable.__file__).parent)!r}); import writable\n"
        f"sys.modules.pop('shutil', None); writable.install({str(tmp_path / 'store')!r})\n"
        "import inspect, os, shutil\n"
        f"shutil.copy({str(tmp_path / 'store/file')!r}, {str(tmp_path / version)!r})\n"
        f"print(oct(os.stat({str(tmp_path / version)!r}).st_mode & 0o777), shutil.copymode.__name__,"
        " type(shutil.__loader__).__name__, type(shutil.__spec__.loader).__name__, bool(inspect.getsource(shutil)))"
    )
    done = subprocess.run([interpreters()[version], "-B", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "0o644 copymode SourceFileLoader SourceFileLoader True\n"
