{
  description = "The Python environment of project";

  # Only the interpreter comes from nixpkgs; the packages are those of nixgen.lock, as the index serves them.
  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { nixpkgs, ... }:
    let
      nixgen = import ./nix/nixgen;
    in
    {
      # One environment per target of the lock: packages.<system>.python311, and `default` for the first.
      packages = nixgen.packagesFor {
        lock = nixgen.readLock ./nixgen.lock;
        pkgsFor = system: nixpkgs.legacyPackages.${system};
      };
    };
}
