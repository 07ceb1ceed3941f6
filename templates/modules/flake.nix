{
  description = "Modules for a platform of repls";

  # Only interpreters come from nixpkgs; the packages are those of the locks, as the index serves them.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
  # moduleit, which makes JSON of a module.
  inputs.nixmodules = {
    url = "github:replit/nixmodules";
    flake = false;
  };

  outputs =
    { nixpkgs, nixmodules, ... }:
    let
      inherit (builtins) listToAttrs map mapAttrs readDir;

      # What the platform runs on; the locks have to hold it.
      systems = [ "x86_64-linux" ];

      module =
        system: name:
        import "${nixmodules}/pkgs/moduleit/entrypoint.nix" {
          pkgs = nixpkgs.legacyPackages.${system};
          configPath = ./modules + "/${name}/nix/module.nix";
        };
    in
    {
      # One for each directory in modules/.
      packages = listToAttrs (
        map (system: {
          name = system;
          value = mapAttrs (name: _: module system name) (readDir ./modules);
        }) systems
      );
    };
}
