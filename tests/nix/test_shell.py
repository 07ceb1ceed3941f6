"""Development shells, entered with ``nix develop``."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from nixgen.targets import default_python, default_system
from tests.nix.conftest import Nix
from tests.support.flakes import REGISTRY
from tests.support.locks import lock_wheels
from tests.support.nix import NixFailedError
from tests.support.nixpkgs import write_nixpkgs
from tests.support.wheels import make_wheel

DEMO = make_wheel(
    "demo",
    files={"demo/__init__.py": "def main():\n    print('demo runs')\n"},
    entry_points={"console_scripts": {"demo": "demo:main"}},
)

PKGS = "(import (/. + nixpkgs) { })"
LOCK = "nixgen.readLock (/. + file)"
ENV = f"(nixgen.env {{ lock = {LOCK}; system = builtins.currentSystem; python = {PKGS}.python3; }})"
SHELL = f"nixgen.mkShell ({{ env = {ENV}; inherit ({PKGS}) bash; }} // more)"
SHELLS = f"nixgen.devShellsFor ({{ lock = {LOCK}; pkgsFor = _: {PKGS}; }} // more)"


@pytest.fixture
def values(tmp_path: Path) -> dict[str, Any]:
    """A lock, the stand-in for nixpkgs, and no further arguments."""
    file = lock_wheels(tmp_path, DEMO, python=default_python())
    return {"file": str(file), "nixpkgs": str(write_nixpkgs(tmp_path / "nixpkgs")), "more": {}}


def develop(nix: Nix, drv: str, script: str) -> list[str]:
    """Run a script in the shell of a derivation, and return the lines it prints."""
    # Where Nix looks for nixpkgs' interactive bash: it finds none, and takes the machine's.
    option = ["--option", "flake-registry", REGISTRY]
    done = subprocess.run(
        ["nix", "develop", *_installable(nix, drv), *option, "--command", "sh", "-c", script],
        env={**nix.env, "PYTHONHOME": "/nowhere", "PS1": "mine> "},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def _installable(nix: Nix, drv: str) -> list[str]:
    version = subprocess.run(["nix", "--version"], env=nix.env, capture_output=True, text=True, check=True).stdout
    old = tuple(map(int, version.split()[-1].split(".")[:2])) < (2, 15)
    return [drv if old else f"{drv}^*"]


def test_the_shell_is_in_the_environment(nix: Nix, values: dict[str, Any]) -> None:
    """Programs of the environment and of packages come first, uv is told, Python is not bent, hooks run."""
    env = nix.build(ENV, **values)
    more = f'packages = [ {PKGS}.bash ]; variables.MODE = "a b"; shellHook = "export HOOKED=$((1 + 1))";'
    drv = nix.instantiate(SHELL.replace("// more", f"// {{ {more} }}"), **values)
    script = """
    command -v demo; command -v bash; demo
    echo "$VIRTUAL_ENV $UV_PROJECT_ENVIRONMENT $UV_NO_SYNC"
    echo "$MODE $HOOKED"
    echo "$UV_PYTHON_DOWNLOADS $UV_PYTHON_PREFERENCE"
    command -v ls
    """
    lines = develop(nix, drv, script)
    assert lines == [
        f"{env}/bin/demo",
        lines[1],
        "demo runs",
        f"{env} {env} 1",
        "a b 2",
        "never only-system",
        lines[-1],
    ]
    assert lines[1].startswith(str(nix.path)) and lines[1].endswith("-bash/bin/bash")
    assert not lines[-1].startswith(str(nix.path)), "the machine's own programs stay on PATH"


def test_the_prompt(nix: Nix, values: dict[str, Any]) -> None:
    """An interactive shell shows the environment before the user's prompt; another shell has no prompt made."""
    hook = nix.evaluate(f"({SHELL}).shellHook", write=True, **values)
    for prompt, expected in (("PS1='mine> '", f"(python{default_python()}-env) mine> "), ("", "")):
        script = f'{prompt}\n{hook}\necho "$PS1"'
        assert subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout == f"{expected}\n"


def test_it_builds(nix: Nix, values: dict[str, Any]) -> None:
    """A flake check builds the shell: an empty file."""
    assert nix.build(SHELL, **values).read_text() == ""


def test_a_flake_has_one_for_each_environment(nix: Nix, values: dict[str, Any]) -> None:
    """Systems and names are those of the environments, packages are given by system, and the rest goes to ``env``."""
    name = f"python{default_python().replace('.', '')}"
    found = nix.evaluate(f"builtins.mapAttrs (_: builtins.attrNames) ({SHELLS})", **values)
    assert found == {default_system(): ["default", name]}
    shell = f"({SHELLS}).${{builtins.currentSystem}}.default"
    given = shell.replace("// more", '// { packages = pkgs: [ pkgs.bash ]; variables.A = "1"; shellHook = "b"; }')
    said = nix.evaluate(f"{{ inherit ({given}) PATH A shellHook; }}", write=True, **values)
    assert said["PATH"].endswith("-bash/bin") and said["A"] == "1" and said["shellHook"].endswith("b\n")
    with pytest.raises(NixFailedError, match="no extra named x"):
        nix.instantiate(shell, **{**values, "more": {"extras": ["x"]}})
