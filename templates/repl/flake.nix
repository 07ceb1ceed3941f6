{
  description = "A repl with a Python environment of its own";

  # Only the interpreter comes from nixpkgs; the packages are those of nixgen.lock, as the index serves them.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  # moduleit, which makes JSON of a module.
  inputs.nixmodules = {
    url = "github:replit/nixmodules";
    flake = false;
  };

  outputs =
    { nixpkgs, nixmodules, ... }:
    let
      nixgen = import ./nix/nixgen;
      pkgsFor = system: nixpkgs.legacyPackages.${system};
      environments = nixgen.packagesFor {
        lock = nixgen.readLock ./nixgen.lock;
        inherit pkgsFor;
      };
    in
    {
      # The environments of the lock, `default` and one for each Python, and the module of the platform.
      packages = builtins.mapAttrs (
        system: found:
        found
        // {
          module = import "${nixmodules}/pkgs/moduleit/entrypoint.nix" {
            pkgs = pkgsFor system;
            configPath = ./nix/module.nix;
          };
        }
      ) environments;
    };
}
