# The machine's Python, moved into the store: what a nixpkgs Python is to nixgen, without nixpkgs.
{ python, patchelf, version ? "3.11", system ? builtins.currentSystem }:
let
  drv = derivation {
    name = "python3-${version}";
    inherit system;
    builder = python;
    args = [ "-I" ./store_python.py python patchelf (placeholder "out") ];
    PATH = "/usr/bin:/bin";
  };
in
drv
// {
  pythonVersion = version;
  interpreter = "${drv}/bin/python${version}";
}
