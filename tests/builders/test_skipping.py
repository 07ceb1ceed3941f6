"""Code that passes over links, or refuses them, where it looks for files of its package."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import placement
import pytest
import skipping
import sources

from tests.builders.conftest import Workbench, manifest_of
from tests.support.wheels import make_wheel

BESIDE = {
    "a directory": (
        "HERE = Path(__file__).parent / 'data'\nfound = [path for path in HERE.iterdir() if not path.is_symlink()]\n"
    ),
    "in steps": (
        "def find():\n    top = os.path.join(os.path.dirname(__file__), 'data')\n    for name in os.listdir(top):\n"
        "        if os.path.islink(os.path.join(top, name)):\n            continue\n        print(name)\n"
    ),
    "one file": "def load():\n    p = Path(__file__).with_name('x')\n    assert not p.is_symlink()\n",
    "an opener": "os.open(os.path.dirname(__file__) + '/data/x.txt', os.O_RDONLY | os.O_NOFOLLOW)\n",
    "copies what is none": "p = Path(__file__).parent / 'x'\nif not p.is_symlink():\n    shutil.copy(p, 'y')\n",
    "a function": "def real(p):\n    return not os.path.islink(p)\nprint(real(Path(__file__).parent / 'x'))\n",
    "resources": "from importlib import resources\nok = not (resources.files('demo') / 'x').is_symlink()\n",
}
LISTS = {
    "continue": "def f(d):\n for n in os.listdir(d):\n  if os.path.islink(n):\n   continue\n  g(n)\n",
    "any": "def f(d):\n for n in os.listdir(d):\n  if any([n == 'x', os.path.islink(n)]):\n   continue\n  g(n)\n",
    "taken": "def f(d):\n for n in d.iterdir():\n  if n.is_file() and not n.is_symlink():\n   yield n\n",
    "comprehension": "def f(d):\n return [n for n in os.scandir(d) if not n.is_symlink()]\n",
}
#: What such a function is not given.
OWN = {
    "a name of another module": (
        "from demo.paths import PLUGINS\ndef f():\n return [n for n in PLUGINS.iterdir() if not n.is_symlink()]\n"
    ),
    "an attribute": "class A:\n def f(self):\n  return [n for n in os.scandir(self.d) if not n.is_symlink()]\n",
    "both": "def f(d):\n for n in os.listdir(d or PLUGINS):\n  if os.path.islink(n):\n   continue\n  g(n)\n",
}
NEITHER = {
    "removes": "def f(d):\n for n in os.listdir(d):\n  if os.path.islink(n):\n   continue\n  os.unlink(n)\n",
    "wants links": "def f(d):\n return [n for n in os.scandir(d) if n.is_symlink()]\n",
    "wants links alone": "def f(d):\n for n in os.listdir(d):\n  if not os.path.islink(n):\n   continue\n  g(n)\n",
    "another path": "HERE = __file__\ndef f(p):\n return os.path.islink(p)\nf(x)\n",
    "replaces": (
        "def f():\n p = os.path.join(os.path.dirname(__file__), 'x.so')\n"
        " if os.path.islink(p) or os.path.exists(p):\n  os.remove(p)\n os.symlink('y', p)\n"
    ),
    "follows": "here = __file__\nwhile os.path.islink(here):\n here = os.readlink(here)\n",
    "lists alone": "def f(d):\n return [n for n in os.listdir(d) if n]\n",
}


@pytest.mark.parametrize("name", [*BESIDE, *LISTS, *OWN, *NEITHER])
def test_what_a_source_does_with_links(name: str) -> None:
    """Of paths from its own location it asks anything; of others, it passes over links in what it lists, which it knows
    or is given."""
    said = skipping.skips(list(ast.walk(ast.parse({**BESIDE, **LISTS, **OWN, **NEITHER}[name]))))
    assert (said.beside, said.lists) == (name in BESIDE, name in LISTS or name in OWN)
    assert said.given == (name in LISTS)


GUARD = "import os\ndef safe(path):\n    return open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW)).read()\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"demo/__init__.py": "import os\nfrom pathlib import Path\n" + BESIDE["a directory"]}, 2),
        (
            {
                "demo/__init__.py": "import os\nfrom demo.safe import safe\n"
                "found = safe(os.path.join(os.path.dirname(__file__), 'data', 'x.txt'))\n",
                "demo/safe.py": GUARD,
            },
            1,
        ),
    ],
    ids=["itself", "by another module"],
)
def test_its_files_are_real(files: dict[str, str], found: int, workbench: Workbench) -> None:
    """Data that code would pass over as a link is found; libraries and what lies elsewhere stay links."""
    more = {"demo/data/x.txt": "x", "demo/data/empty.txt": "", "demo/lib.so": "x", "other/x.txt": "x"}
    said = []
    for overrides in (None, {"link": ["*"]}):
        tree = workbench.tree(make_wheel(files={**files, **more}), overrides)
        command = [workbench.env(tree) / "bin/python", "-c", "import demo; print(len(demo.found))"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        said.append(done.stdout or done.stderr)
    # What is empty is no link either way.
    assert said[0] == f"{found}\n" and (said[1] == f"{found - 1}\n" or "symbolic links" in said[1])
    skipped = [
        path
        for path, why in manifest_of(workbench.tree(make_wheel(files={**files, **more})))["copies"].items()
        if "skips-links" in why
    ]
    assert {path.partition("site-packages/")[2] for path in skipped} == {"demo/data/x.txt", *files}


LOADER = b"""import importlib, os
for name in os.listdir(os.path.dirname(__file__) + "/plugins"):
    importlib.import_module("demo.plugins." + name)
"""


@pytest.mark.parametrize(
    ("lister", "loader", "copied"),
    [
        (LISTS["continue"], LOADER, True),
        (LISTS["continue"], b"import os\nprint(os.listdir('.'), __file__)\n", False),
        (LISTS["continue"], b"import importlib\nimportlib.import_module('demo.plugins.a')\n", False),
        (OWN["a name of another module"], b"", True),
        (OWN["an attribute"], b"", True),
    ],
)
def test_a_package_that_lists_itself_has_real_modules(lister: str, loader: bytes, copied: bool, tmp_path: Path) -> None:
    """The modules of a package are copied that passes over links in directories which it knows otherwise, or in those
    that it is given where it looks for plugins: what else it is given is a user's."""
    contents = {
        "demo/list.py": b"import os\n" + lister.encode(),
        "demo/load.py": loader,
        "demo/plugins/a.py": b"x = 1\n",
    }
    leaves = {}
    for number, (path, content) in enumerate({**contents, "demo/plugins/a.yml": b"x", "other.py": LOADER}.items()):
        (tmp_path / str(number)).write_bytes(content)
        leaves[path] = str(tmp_path / str(number)) if content else ""
    seen = {path: sources.look(content) for path, content in contents.items()}
    late = placement.Placement(leaves).late_reasons(seen)
    expected = [path for path in contents if leaves[path]] if copied else []
    assert late == {path: ["skips-links"] for path in expected}


def test_a_program_of_its_own_keeps_its_bit(workbench: Workbench) -> None:
    """A large program around such code is a copy that can be run."""
    program = Path("/bin/echo").read_bytes() + bytes(1 << 20)
    files = {"demo/__init__.py": "from pathlib import Path\n" + BESIDE["a directory"], "demo/run": program}
    tree = workbench.tree(make_wheel(files=files, executable=["demo/run"]))
    (path,) = tree.rglob("demo/run")
    assert subprocess.run([path, "ran"], capture_output=True, text=True, check=True).stdout == "ran\n"
    assert not path.is_symlink() and manifest_of(tree)["programs"] == []
