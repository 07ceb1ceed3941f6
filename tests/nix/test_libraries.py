"""Libraries of the system, by their SONAMEs and as a user gives them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.nix.conftest import INTERPRETER, PYTHON, Nix
from tests.support.elf import make_elf
from tests.support.locks import lock_json, lock_wheels, target_json
from tests.support.nix import NixFailedError, derivation
from tests.support.wheels import make_wheel

#: Packages with outputs as nixpkgs has them: all of a package's outputs are attributes of each.
PKGS = """
let
  package = name: { outPath = "/${name}"; outputs = [ "out" ]; };
  split = name: package name // { outputs = [ "out" "lib" ]; lib = { outPath = "/${name}-lib"; }; };
in
{
  zlib = package "zlib";
  glib = { outPath = "/glib-bin"; outputs = [ "bin" "out" ]; out = package "glib"; };
  stdenv.cc.cc = split "gcc";
  openssl = split "openssl" // { outPath = "/openssl-chosen"; outputSpecified = true; };
  xorg.libX11 = package "libX11";
  xorg.libXext = throw "the set is deprecated";
  libxext = package "libxext";
  python311 = { pythonVersion = "3.11"; interpreter = "/bin/python3.11"; };
}
"""


@pytest.mark.parametrize(
    ("soname", "package"),
    [
        ("libz.so.1", "/zlib"),
        ("libstdc++.so.6", "/gcc-lib"),
        ("libgcc_s.so.1", "/gcc-lib"),
        ("libgomp.so.1", "/gcc-lib"),
        ("libX11.so.6", "/libX11"),
        ("libXext.so.6", "/libxext"),
        ("libglib-2.0.so.0", "/glib"),
        ("libssl.so.3", "/openssl-chosen"),
    ],
)
def test_a_soname_is_a_package_of_nixpkgs(nix: Nix, soname: str, package: str) -> None:
    """A SONAME leads to the package that has it, by its newest name, and to the output that holds libraries."""
    expression = f"map (p: p.outPath) (nixgen.nixpkgsLibraries ({PKGS}) [ soname ])"
    assert nix.evaluate(expression, soname=soname) == [package]


def test_libraries_without_a_package_are_errors(nix: Nix) -> None:
    """A SONAME that the table lacks, or whose package this nixpkgs lacks, is named with what to do."""
    said = nix.refusal(f'nixgen.nixpkgsLibraries ({PKGS}) [ "libodd.so.1" ]')
    assert "no package of nixpkgs is known" in said
    assert "libodd.so.1" in said
    said = nix.refusal(f'nixgen.nixpkgsLibraries ({PKGS}) [ "libGL.so.1" ]')
    assert "libGL.so.1, the attribute libglvnd" in said
    said = nix.refusal(f'nixgen.nixpkgsLibraries ({PKGS}) [ "libSM.so.6" ]')
    assert "libSM.so.6, the attribute libsm or xorg.libSM" in said


def _told(nix: Nix, expression: str, **values: Any) -> Any:
    return json.loads(derivation(nix.instantiate(expression, **values), nix.env)["env"]["attributes"])["libraries"]


@pytest.mark.parametrize(
    ("packages", "more", "given"),
    [
        (PKGS, "", ["/gcc-lib", "/zlib"]),
        (PKGS, "libraries = pkgs: [ pkgs.glib ];", ["/gcc-lib", "/zlib", "/glib"]),
        ("{ inherit (PKGS) python311; }".replace("PKGS", PKGS), "", []),
    ],
)
def test_flakes_give_the_runtimes(nix: Nix, packages: str, more: str, given: list[str]) -> None:
    """``packagesFor`` gives the runtimes of C++ and zlib, where nixpkgs has them, and what the flake adds."""
    lock = lock_json(target_json("3.11", system="x86_64-linux"))
    made = (
        f"(nixgen.packagesFor {{ lock = lock // {{ directory = /.; }}; pkgsFor = _: {packages};"
        f' ingest = "store"; {more} }}).x86_64-linux.default'
    )
    assert _told(nix, made, lock=lock)["given"] == given


def test_only_linux_is_given_runtimes(nix: Nix) -> None:
    """Libraries of macOS wheels are found by their paths: nothing is added there."""
    lock = lock_json(target_json("3.11", system="aarch64-darwin"))
    made = (
        f"(nixgen.packagesFor {{ lock = lock // {{ directory = /.; }}; pkgsFor = _: {PKGS};"
        ' ingest = "store"; }).aarch64-darwin.default'
    )
    assert _told(nix, made, lock=lock)["given"] == []


NATIVE = make_wheel("native", files={"native/a.so": make_elf(needed=["libodd.so.1"]), "native/__init__.py": ""})
ENV = """
nixgen.env ({
  lock = nixgen.readLock (/. + file);
  system = builtins.currentSystem;
  python = pythonPath;
} // more)
"""


def test_libraries_are_inputs(nix: Nix, tmp_path: Path) -> None:
    """A store path given as text, a path and a package all become inputs of the environment's derivation."""
    (tmp_path / "here").mkdir()
    file = str(lock_wheels(tmp_path, NATIVE, python=PYTHON))
    stored = nix.evaluate('"${builtins.toFile "stored" "x"}"', write=True)
    libraries = """
      libraries = [ stored (/. + here) (derivation { name = "package"; system = "x"; builder = "x"; }) "/opt/lib" ];
    """
    expression = ENV.replace("// more", f"// {{ {libraries} }}")
    values = {"file": file, "pythonPath": INTERPRETER, "stored": stored, "here": str(tmp_path / "here")}
    drv = derivation(nix.instantiate(expression, **values), nix.env)
    given = json.loads(drv["env"]["attributes"])["libraries"]["given"]
    assert given[0] == stored
    assert given[1].startswith(f"{nix.path}/") and given[1].endswith("-here")
    assert given[2].endswith("-package")
    assert given[3] == "/opt/lib"
    assert {Path(path).name for path in (stored, given[1])} <= {Path(path).name for path in _sources(drv)}


def _sources(drv: dict[str, Any]) -> list[str]:
    sources: list[str] = drv.get("inputSrcs") or drv["inputs"]["srcs"]
    return sources


def test_both_ways_give_the_same_derivation_with_libraries(nix: Nix, tmp_path: Path) -> None:
    """``wheels`` and ``store`` agree with libraries too."""
    values = {"file": str(lock_wheels(tmp_path, NATIVE, python=PYTHON)), "pythonPath": INTERPRETER}
    more = {"libraries": ["/opt/lib"], "ignoreLibraries": ["libcuda.so.1"]}
    drvs = {nix.instantiate(ENV, **values, more={**more, "ingest": way}) for way in ("wheels", "store")}
    assert len(drvs) == 1


def test_the_machines_python_requires_nothing(nix: Nix, tmp_path: Path) -> None:
    """A need that nothing provides is left to the machine's own Python, and an error with one of the store."""
    file = str(lock_wheels(tmp_path, NATIVE, python=PYTHON))
    env = nix.build(ENV, file=file, pythonPath=INTERPRETER, more={})
    assert not list(env.rglob("*nixgen[-_]libraries*"))
    # The machine's Python under a path of the store: a link there is all that the library looks at.
    link = nix.build(
        'derivation { name = "python"; system = builtins.currentSystem; builder = pythonPath; args = [ "-c"'
        f" \"import os; os.makedirs(os.environ['out'] + '/bin'); os.symlink('{INTERPRETER}',"
        f" os.environ['out'] + '/bin/python{PYTHON}')\" ]; }}",
        pythonPath=INTERPRETER,
    )
    python = str(link / f"bin/python{PYTHON}")
    with pytest.raises(NixFailedError, match=r"libodd\.so\.1: native"):
        nix.build(ENV, file=file, pythonPath=python, more={})
    nix.build(ENV, file=file, pythonPath=python, more={"ignoreLibraries": ["libodd.so.*"]})
