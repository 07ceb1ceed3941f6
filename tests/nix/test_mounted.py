"""Environments without links, evaluated and built by Nix and shown by the kernel."""

from __future__ import annotations

import base64
import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

from nixgen.leaf import leaf_path
from tests.nix.conftest import INTERPRETER, PYTHON, Nix
from tests.support.locks import lock_wheels
from tests.support.mounts import needs_root, shown
from tests.support.wheels import make_wheel

TOOL, PLAIN = "#!/bin/sh\necho tool\n", "#!/bin/sh\necho plain\n"
RESOLVING = "import os\nhere = os.path.realpath(__file__)\n"
WHEELS = (
    make_wheel(
        "one",
        files={
            "one/__init__.py": "import sys\ndef main():\n    print('one', *sys.argv[1:])\n",
            "one/itself.py": RESOLVING,
            "one/empty.txt": "",
            "shared/part.py": "x = 1\n",
        },
        entry_points={"console_scripts": {"run-one": "one:main"}},
        data={"scripts/script": "#!python\nprint('a script')\n", "scripts/plain": PLAIN},
    ),
    make_wheel(
        "two",
        files={"two/tool": TOOL, "shared/other.py": "x = 2\n", "two/broken.py": "print 'old'\n"},
        executable=["two/tool"],
    ),
)
ENV = """
nixgen.env { lock = nixgen.readLock (/. + file); system = builtins.currentSystem; python = pythonPath; }
"""
IMAGE = f"({ENV}).mounted"


def values_of(file: Path) -> dict[str, Any]:
    """Return what the expressions of this module see."""
    return {"file": str(file), "pythonPath": INTERPRETER}


@needs_root
def test_every_file_is_real(nix: Nix, tmp_path: Path) -> None:
    """Each file of the environment is there, no link, with its content and an installer's mode; commands run."""
    values = values_of(lock_wheels(tmp_path, *WHEELS, python=PYTHON))
    env = nix.build(ENV, **values)
    image = nix.build(IMAGE, **values)
    assert os.path.realpath(image / "environment") == str(env)
    with shown(image / "image.erofs", nix.path, tmp_path) as place:
        links = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_symlink()}
        assert links == {"lib64", "bin/python", "bin/python3", f"bin/python{PYTHON}"}
        site = place / f"lib/python{PYTHON}/site-packages"
        linked = env / f"lib/python{PYTHON}/site-packages"
        for path in filter(Path.is_file, place.rglob("*")):
            name = path.relative_to(place)
            assert path.read_bytes() == (env / name).read_bytes()
            executable = (name.parts[0] == "bin" and not name.name.startswith("activate")) or name.name == "tool"
            assert path.stat().st_mode & 0o777 == (0o755 if executable else 0o644), name
        assert {path.name for path in linked.iterdir()} == {path.name for path in site.iterdir()}
        assert (site / "shared/__pycache__").is_dir()
        for command, said in (("run-one", "one x\n"), ("script", "a script\n"), ("plain", "plain\n")):
            assert subprocess.check_output([place / "bin" / command, "x"], text=True) == said
        assert subprocess.check_output([site / "two/tool"], text=True) == "tool\n"
        code = "import one.itself, sys; print(one.itself.here, sys.prefix)"
        said = subprocess.check_output([place / "bin/python", "-c", code], text=True)
        assert said == f"{site}/one/itself.py {place}\n"


def test_copies_are_leaves(nix: Nix, tmp_path: Path) -> None:
    """What a tree copies is its leaf in the image, which names it, so that Nix keeps it."""
    image = nix.build(IMAGE, **values_of(lock_wheels(tmp_path, *WHEELS, python=PYTHON)))
    references = subprocess.check_output(["nix-store", "-q", "--references", image], env=nix.env, text=True).split()
    content = (image / "image.erofs").read_bytes()
    for name, text in (("itself.py", RESOLVING), ("tool", TOOL), ("plain", PLAIN)):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        leaf = leaf_path(name, digest, str(nix.path))
        assert leaf in references
        assert f"/{Path(leaf).name}".encode() in content


def test_of_trees(nix: Nix, tmp_path: Path) -> None:
    """What env gives as its image is that of its trees."""
    values = values_of(lock_wheels(tmp_path, *WHEELS, python=PYTHON))
    arguments = "{ lock = nixgen.readLock (/. + file); system = builtins.currentSystem; python = pythonPath; }"
    of_trees = f"""
    nixgen.mounted {{
      env = nixgen.env {arguments};
      trees = builtins.attrValues (nixgen.trees {arguments});
      inherit ((nixgen.env {arguments}).nixgen) interpreter;
    }}
    """
    assert nix.instantiate(of_trees, **values) == nix.instantiate(IMAGE, **values)


def test_an_image_is_small(nix: Nix, tmp_path: Path) -> None:
    """A file costs at most 300 bytes, its bytecode counted as one."""
    many = make_wheel("many", files={f"many/part_{number}.py": f"x = {number}\n" for number in range(400)})
    image = nix.build(IMAGE, **values_of(lock_wheels(tmp_path, many, python=PYTHON)))
    assert (image / "image.erofs").stat().st_size < 300 * 800
