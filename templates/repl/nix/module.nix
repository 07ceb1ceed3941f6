# This project's Python environment as a module of nixmodules, from ../nixgen.lock.
# Yours to edit: nixgen writes this file only where there is none.
#
#   nixgen fetch                put the files of the lock into the store
#   moduleit nix/module.nix     the module's JSON, as ./result
{ pkgs, lib, ... }@arguments:
let
  nixgen = import ./nixgen;
in
nixgen.mkModule {
  lock = nixgen.readLock ../nixgen.lock;
  # What a repl's configuration names, and what people see.
  id = "repl";
  name = "repl";
  description = "Python with the packages of repl";
  # "3.11", where the lock has several; null is its first for the system.
  version = null;
  # The environment's place in a repl's home.
  venv = ".pythonlibs";
  # The first of these that exists is run where nobody names a file.
  entrypoints = [
    "main.py"
  ];
  extras = [ ];
  # null is the lock's default groups.
  groups = null;
  # Packages with shared libraries that wheels need, beside the runtimes of C++ and GCC and zlib.
  libraries = pkgs: [ ];
} arguments
# More for the repl, such as programs, variables or a language server:
# // { imports = [ { replit.packages = [ pkgs.ripgrep ]; } ]; }
