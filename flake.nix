# There is no flake.lock here: it would pin nixpkgs, and where this project is made and tested nixpkgs cannot be fetched.
# The outputs use little of it (a Python, and what packages a Python program), so any recent one does;
# `nix flake lock` writes a lock in your checkout.
{
  description = "nixgen: locked Python requirements to Nix, every wheel file its own store path";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      inherit (builtins)
        filter
        fromTOML
        listToAttrs
        map
        readFile
        ;

      library = import ./nix;

      # nixpkgs gives systems up from time to time.
      systems = filter (system: nixpkgs.legacyPackages ? ${system}) [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ];
      forSystems =
        make:
        listToAttrs (
          map (system: {
            name = system;
            value = make system nixpkgs.legacyPackages.${system};
          }) systems
        );
    in
    {
      lib = library;

      packages = forSystems (
        _system: pkgs:
        let
          # nixpkgs may have none.
          mousebender =
            pkgs.python3Packages.mousebender or (pkgs.python3Packages.buildPythonPackage rec {
              pname = "mousebender";
              version = "2025.1";
              format = "wheel";
              src = pkgs.fetchPypi {
                inherit pname version format;
                dist = "py3";
                python = "py3";
                hash = "sha256-lxFjbskS26dZe6ESgbnBvTdXzaYj1BdW/mJdHQztUqI=";
              };
              dependencies = [
                pkgs.python3Packages.packaging
                pkgs.python3Packages.typing-extensions
              ];
            });
        in
        rec {
          default = nixgen;
          nixgen = pkgs.python3Packages.buildPythonApplication {
            pname = "nixgen";
            inherit ((fromTOML (readFile ./pyproject.toml)).project) version;
            pyproject = true;
            src = self;
            build-system = [ pkgs.python3Packages.hatchling ];
            dependencies = map (name: pkgs.python3Packages.${name}) [
              "certifi"
              "httpx"
              "installer"
              "isal"
              "jinja2"
              "packaging"
              "pbs-installer"
              "poetry-core"
              "rich"
              "sniffio"
              "socksio"
              "uv"
              "zlib-ng"
            ]
            # What `nixgen serve` takes more: the extra `serve`.
            ++ [
              mousebender
              pkgs.python3Packages.starlette
              pkgs.python3Packages.uvicorn
            ];
            pythonImportsCheck = [ "nixgen.cli" ];
            meta.mainProgram = "nixgen";
          };
        }
      );

      templates =
        let
          template = ofFile "requirements.in" "nixgen lock";
          ofFile = file: lock: directory: description: next: {
            path = ./templates + "/${directory}";
            inherit description;
            welcomeText = ''
              Write what you need into ${file}, then:

                  ${lock}
                  git add .
                  ${next}
            '';
          };
        in
        {
          default =
            template "project" "A project whose Python environment nixgen locks and Nix builds"
              "nix build";
          repl =
            template "repl" "A repl with an environment of its own, and a module of nixmodules"
              "nixgen run -- python main.py";
          node =
            ofFile "package.json" "npm install --package-lock-only && nixgen lock" "node"
              "A Node.js repl with a node_modules of its own, and a module of nixmodules"
              "nix develop";
          shell = template "shell" "A development shell with a Python environment" "nix develop";
          application =
            template "application" "An application with one entry point, and an image of it"
              "nix run";
          modules = {
            path = ./templates/modules;
            description = "A repository of modules for a platform of repls (nixmodules)";
            welcomeText = ''
              Write what you need into modules/web/requirements.in, then:

                  nixgen lock -C modules/web
                  nixgen fetch -C modules/web
                  git add .
                  nix build .#web
            '';
          };
        };

      # A small environment from a lock in the repository, and the Python of it at work. `nix flake check` of an old Nix
      # (2.8; no longer 2.26) evaluates every system, and cannot build what another one's needs while it does: there,
      # `nix build` one by its name.
      checks = forSystems (
        system: pkgs:
        let
          environment = library.env {
            name = "check";
            lock = library.readLock ./tests/flake/nixgen.lock;
            inherit system;
            python = pkgs.python3;
          };
        in
        {
          inherit environment;
          program = derivation {
            name = "nixgen-check-program";
            inherit system;
            builder = "${environment}/bin/python";
            args = [
              "-c"
              "import os, greeting; open(os.environ['out'], 'w').write(greeting.hello() + '\\n')"
            ];
            # Nix gives a builder its bare name as argv[0]; Python finds itself, and its environment, through PATH.
            PATH = "${environment}/bin";
          };
        }
      );
    };
}
