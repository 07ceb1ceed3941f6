{
  description = "A development shell with a Python environment";

  # The interpreter and further programs come from nixpkgs; the packages are those of nixgen.lock, as the index serves them.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      nixgen = import ./nix/nixgen;
      lock = nixgen.readLock ./nixgen.lock;
      pkgsFor = system: nixpkgs.legacyPackages.${system};
    in
    {
      packages = nixgen.packagesFor { inherit lock pkgsFor; };

      # `nix develop`: one for each environment.
      devShells = nixgen.devShellsFor {
        inherit lock pkgsFor;
        # Further programs: pkgs: [ pkgs.postgresql ].
        packages = pkgs: [ ];
        variables = { };
        shellHook = "";
      };
    };
}
