{
  description = "The Python environment of project";

  # Only the interpreter comes from nixpkgs; the packages are those of nixgen.lock, as the index serves them.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      nixgen = import ./nix/nixgen;
      environments = {
        lock = nixgen.readLock ./nixgen.lock;
        pkgsFor = system: nixpkgs.legacyPackages.${system};
      };
    in
    {
      # One environment per target of the lock: packages.<system>.python311, and `default` for the first.
      packages = nixgen.packagesFor environments;
      # A shell in each of them for `nix develop`, in which the project itself is editable.
      devShells = nixgen.devShellsFor environments;
    };
}
