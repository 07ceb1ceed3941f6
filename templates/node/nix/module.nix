# This project's Node.js environment as a module of nixmodules, from ../nixgen.lock.
# Yours to edit: nixgen writes this file only where there is none.
#
#   moduleit nix/module.nix     the module's JSON, as ./result
{ pkgs, lib, ... }@arguments:
let
  nixgen = import ./nixgen;
in
nixgen.mkModule {
  lock = nixgen.readLock ../nixgen.lock;
  # What a repl's configuration names, and what people see.
  id = "node";
  name = "node";
  description = "Node.js with the packages of node";
  # The first of these that exists is run where nobody names a file.
  entrypoints = [
    "index.js"
  ];
  # A package with bin/node, from nixpkgs'.
  node = pkgs: pkgs.nodejs;
  # What npm's --omit takes: "dev", "optional", "peer".
  omit = [ ];
} arguments
# More for the repl, such as programs, variables or a language server:
# // { imports = [ { replit.packages = [ pkgs.ripgrep ]; } ]; }
