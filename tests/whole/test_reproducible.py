"""Two builds of a tree, and of an environment, give the same bytes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.nix.test_tree import TREE
from tests.support.interpreters import interpreters
from tests.support.locks import lock_wheels
from tests.support.nix import NixInstallation, instantiate
from tests.support.wheels import make_wheel

pytestmark = pytest.mark.nix

ENV = """
nixgen.env {
  lock = nixgen.readLock (/. + file);
  system = builtins.currentSystem;
  python = pythonPath;
}
"""

#: Names, sets, nested classes and letters that every module has, since CPython shares them between modules.
MODULE = """
class Shared{0}:
    class Inner:
        def method(self, argument, other=("\xe9", "\xe8")):
            return argument.attribute in {{"one", "two", "three"}} or other
def function(argument):
    \xe9 = argument in {{"one", "two", "three"}}
    return \xe9, "Shared{1}.Inner"
"""

#: Enough for several processes, which each compile a part of it.
WHEEL = make_wheel(
    files={f"demo/m{number}.py": MODULE.format(number % 3, number % 5) for number in range(120)},
    entry_points={"console_scripts": {"demo": "demo.m1:function"}},
    data={"scripts/s": "#!python\n"},
)

VERSIONS = [version for version in interpreters() if version not in ("3.8", "3.9")]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("expression", [TREE, ENV], ids=["tree", "env"])
def test_a_second_build_gives_the_same_bytes(
    expression: str, version: str, nix_store: NixInstallation, tmp_path: Path
) -> None:
    """``nix-build --check`` agrees with the first build, with another number of processes."""
    file = lock_wheels(tmp_path, WHEEL, python=version)
    values = {"file": str(file), "pythonPath": interpreters()[version], "version": version, "way": "wheels"}
    drv = instantiate(expression, nix_store.env, **values)
    for words in (["--cores", "1"], ["--cores", "3", "--check"]):
        command = ["nix-build", "--no-out-link", drv, *words]
        done = subprocess.run(command, env=nix_store.env, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    assert "checking outputs" in done.stderr
