"""Indexes: where they are taken from, and what binds them."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

from nixgen.indexes import index_leaf
from tests.nix.conftest import INTERPRETER, PYTHON, Nix
from tests.support.locks import change_index, change_package, index_bytes, lock_wheels
from tests.support.nix import derivation
from tests.support.wheels import make_wheel

READ = "nixgen.readIndex { lock = nixgen.readLock (/. + file); inherit filename; source = /. + source; }"
ENV = """
nixgen.env {
  lock = nixgen.readLock (/. + file); system = builtins.currentSystem; python = pythonPath; ingest = way;
}
"""


def _values(file: Path, way: str = "wheels") -> dict[str, str]:
    return {"file": str(file), "pythonPath": INTERPRETER, "way": way}


def test_an_index_says_what_a_wheel_holds(nix: Nix, tmp_path: Path) -> None:
    """What was read is the index, with its leaf: a flat fixed output of the hash that the lock has."""
    wheel = make_wheel(files={"demo/a.py": str(tmp_path)}, entry_points={"console_scripts": {"tool": "demo:main"}})
    file = lock_wheels(tmp_path, wheel, python=PYTHON)
    content = index_bytes(wheel)
    (tmp_path / "made").write_bytes(content)
    found = nix.evaluate(READ, write=True, file=str(file), filename=wheel[0], source=str(tmp_path / "made"))
    path = index_leaf(hashlib.sha256(content).hexdigest(), str(nix.path))
    assert found == {**json.loads(content), "path": path}
    assert Path(path).read_bytes() == content


def test_the_builder_makes_the_same_index(nix: Nix, tmp_path: Path) -> None:
    """An empty store and stock Nix: the index that is made of the unpacked wheel is the lock's."""
    wheel = make_wheel(files={"demo/a.py": f"# {tmp_path}\n", "demo/__init__.py": ""})
    file = lock_wheels(tmp_path, wheel, python=PYTHON)
    env = nix.build(ENV, **_values(file))
    index = index_leaf(hashlib.sha256(index_bytes(wheel)).hexdigest(), str(nix.path))
    kept = subprocess.run(["nix-store", "-qR", env], env=nix.env, capture_output=True, text=True, check=True).stdout
    assert index in kept.split(), "what evaluation reads is kept as long as the environment"


def test_another_index_than_the_wheels_stops(nix: Nix, tmp_path: Path) -> None:
    """A lock whose index is not that of the wheel is refused, with the wheel's name and what to run."""
    wheel = make_wheel(files={"demo/a.py": f"# other {tmp_path}\n"})
    file = lock_wheels(tmp_path, wheel, python=PYTHON)
    change_package(file, wheel[0], index="0" * 64)
    said = nix.refusal(f"({ENV}).drvPath", **_values(file))
    assert f"the wheel {wheel[0]} does not have the index that the lock names" in said
    assert "nixgen lock --verify" in said


def test_a_missing_index_names_the_command(nix: Nix, tmp_path: Path) -> None:
    """In ``store`` mode, an index that the store lacks stops Nix at a file whose name says what to run."""
    wheel = make_wheel(files={"demo/a.py": f"# missing {tmp_path}\n"})
    file = lock_wheels(tmp_path, wheel, python=PYTHON)
    assert "run-nixgen-fetch" in nix.refusal(f"({ENV}).drvPath", **_values(file, "store"))


def test_a_vendored_index_is_read_where_it_lies(nix: Nix, tmp_path: Path) -> None:
    """With ``nix/index`` an evaluation that may write nothing reads the index, and all ways give one derivation."""
    wheel = make_wheel(files={"demo/a.py": f"# vendored {tmp_path}\n"})
    file = lock_wheels(tmp_path, wheel, python=PYTHON)
    plain = {nix.instantiate(ENV, **_values(file, way)) for way in ("wheels", "store")}
    vendored = tmp_path / "nix/index" / f"{wheel[0]}.json"
    vendored.parent.mkdir(parents=True)
    vendored.write_bytes(index_bytes(wheel))
    assert {nix.instantiate(ENV, **_values(file, way)) for way in ("wheels", "store")} == plain
    (drv,) = plain
    assert str(vendored) not in json.dumps(derivation(drv, nix.env))
    other = lock_wheels(tmp_path / "other", make_wheel("other", files={"a.py": f"{tmp_path}"}), python=PYTHON)
    change_index(other, make_wheel("other", files={"a.py": f"{tmp_path}"}), lambda index: None)
    filename = "other-1.0-py3-none-any.whl"
    read = nix.evaluate(f"({READ}).files", file=str(other), filename=filename, source="/nonexistent")
    assert read["a.py"][1] == len(str(tmp_path))


def test_a_vendored_index_of_another_wheel_is_refused(nix: Nix, tmp_path: Path) -> None:
    """What lies in ``nix/index`` is compared with the lock, and named where it differs."""
    wheel = make_wheel(files={"demo/a.py": f"# wrong {tmp_path}\n"})
    file = lock_wheels(tmp_path, wheel, python=PYTHON)
    vendored = tmp_path / "nix/index" / f"{wheel[0]}.json"
    vendored.parent.mkdir(parents=True)
    vendored.write_bytes(index_bytes(wheel).replace(b"a.py", b"b.py"))
    said = nix.refusal(f"({ENV}).drvPath", **_values(file))
    assert f"nix/index/{wheel[0]}.json" in said and "does not have the index" in said


def test_an_index_of_another_format_is_refused(nix: Nix, tmp_path: Path) -> None:
    """An index of a format that the library does not know is refused, with both formats."""
    wheel = make_wheel(files={"demo/a.py": f"# newer {tmp_path}\n"})
    file = lock_wheels(tmp_path, wheel, python=PYTHON)
    change_index(file, wheel, lambda index: index.update(index=2))
    said = nix.refusal(f"({ENV}).drvPath", **_values(file))
    assert "has format 2, and this copy of the Nix library reads format 1" in said
