{
  description = "An application with a Python environment";

  # The interpreter comes from nixpkgs; the packages are those of nixgen.lock, as the index serves them.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      inherit (builtins) mapAttrs path;

      nixgen = import ./nix/nixgen;
      pkgsFor = system: nixpkgs.legacyPackages.${system};
      environments = nixgen.packagesFor {
        lock = nixgen.readLock ./nixgen.lock;
        inherit pkgsFor;
      };

      # The application's own files: a change of others builds nothing anew.
      source = path {
        name = "app";
        path = ./app;
      };

      packagesFor =
        system: found:
        let
          pkgs = pkgsFor system;
          app = pkgs.writeShellScriptBin "app" ''
            exec ${found.default}/bin/python ${source}/main.py "$@"
          '';
        in
        {
          default = app;
          environment = found.default;
          image = nixgen.image {
            name = "app";
            env = found.default;
            shell = pkgs.bash;
            packages = [ app ];
            command = [ "app" ];
          };
        };
    in
    rec {
      packages = mapAttrs packagesFor environments;

      # `nix run`
      apps = mapAttrs (_system: made: {
        default = {
          type = "app";
          program = "${made.default}/bin/app";
        };
      }) packages;
    };
}
