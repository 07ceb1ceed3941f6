{
  description = "A repl with a node_modules of its own";

  # Only Node.js comes from nixpkgs; the packages are those of nixgen.lock, as the index serves them.
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
      environments = {
        lock = nixgen.readLock ./nixgen.lock;
        inherit pkgsFor;
      };
    in
    {
      # A shell, which makes node_modules.
      devShells = nixgen.devShellsFor environments;

      # The environment of the lock, `default`, and the module of the platform.
      packages = builtins.mapAttrs (
        system: found:
        found
        // {
          module = import "${nixmodules}/pkgs/moduleit/entrypoint.nix" {
            pkgs = pkgsFor system;
            configPath = ./nix/module.nix;
          };
        }
      ) (nixgen.packagesFor environments);
    };
}
