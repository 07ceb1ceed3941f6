# Shared libraries of the machine, copied into the store: what a package of nixpkgs is to nixgen, without nixpkgs.
{ python, paths, system ? builtins.currentSystem }:
derivation {
  name = "machine-libraries";
  inherit system;
  builder = python;
  args = [
    "-I"
    "-c"
    ''
      import os, shutil, sys
      os.makedirs(os.environ["out"] + "/lib")
      for path in sys.argv[1:]:
          shutil.copy(os.path.realpath(path), os.environ["out"] + "/lib/" + os.path.basename(path))
    ''
  ] ++ builtins.fromJSON paths;
}
