# An environment of wheels, each of them a derivation with real files.
#
#   nix-build default.nix --argstr listed wheels.json
#
# listed: the path of a JSON file: { python, wheels : [ { filename, url, sha256 } ] }.
{ listed }:
let
  inherit (builtins) fromJSON map readFile;

  given = fromJSON (readFile listed);

  code = builtins.path {
    name = "per-wheel-builder";
    path = ./builder.py;
  };
  # Bytecode as nixgen compiles it, with as many processes.
  builders = builtins.path {
    name = "nixgen-builders";
    path = ../../nix/builders;
    filter = path: _type: builtins.match ".*[.]py" path != null;
  };

  fetch =
    wheel:
    derivation {
      name = wheel.filename;
      inherit (wheel) url;
      urls = [ wheel.url ];
      system = "builtin";
      builder = "builtin:fetchurl";
      executable = false;
      unpack = false;
      outputHash = wheel.sha256;
      outputHashAlgo = "sha256";
      outputHashMode = "flat";
      preferLocalBuild = true;
    };

  run =
    name: attributes:
    derivation (
      {
        inherit name;
        system = builtins.currentSystem;
        builder = given.python;
        args = [
          "-s"
          "-S"
          "-B"
          code
          builders
        ];
        PATH = dirOf given.python;
        preferLocalBuild = true;
      }
      // attributes
    );

  install =
    wheel:
    run "installed" {
      wheel = fetch wheel;
      inherit (wheel) filename;
    };
in
run "per-wheel-env" {
  trees = map install given.wheels;
  inherit (given) python;
}
