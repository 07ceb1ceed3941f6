# A development shell: what `nix develop` takes, without nixpkgs' stdenv.
{ packages }:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    intersectAttrs
    isFunction
    map
    mapAttrs
    ;
in
rec {
  # mkShell :: { env, bash, packages ? [ ], variables ? { }, shellHook ? "" } -> derivation
  #
  # A shell in an environment: its programs and those of `packages` first on PATH, VIRTUAL_ENV set, and uv told to use the
  # environment and to leave it as it is. bash: a package with bin/bash, which `nix develop` demands. variables: further
  # ones. shellHook: what the shell runs at its start. Built, it is an empty file.
  #
  #   nixgen.mkShell { env = nixgen.env { … }; inherit (pkgs) bash; packages = [ pkgs.postgresql ]; }
  mkShell =
    {
      env,
      bash,
      packages ? [ ],
      variables ? { },
      shellHook ? "",
    }:
    derivation (
      {
        VIRTUAL_ENV = "${env}";
        UV_PROJECT_ENVIRONMENT = "${env}";
        UV_NO_SYNC = "1";
        UV_PYTHON_DOWNLOADS = "never";
        UV_PYTHON_PREFERENCE = "only-system";
      }
      // variables
      // {
        name = "${env.name}-shell";
        inherit (env) system;
        # By this name alone: `nix develop` looks at it.
        builder = "${bash}/bin/bash";
        args = [
          "-c"
          ": > \"$out\""
        ];
        # `nix develop` asks which outputs there are as nixpkgs' stdenv does.
        outputs = [ "out" ];
        PATH = concatStringsSep ":" (map (package: "${package}/bin") ([ env ] ++ packages));
        shellHook = ''
          unset PYTHONHOME
          [ -z "''${PS1-}" ] || PS1="(${env.name}) $PS1"
          ${shellHook}
        '';
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
    );

  # devShellsFor :: { lock, pkgsFor : system -> pkgs, packages ? (pkgs: [ ]), variables ? { }, shellHook ? "", ... }
  #   -> { <system> : { default, python311, ... } }
  #
  # For a flake's `devShells`: a shell in each environment that packagesFor gives for the other arguments. `packages` is a
  # list, or a function from a system's packages.
  devShellsFor =
    { pkgsFor, ... }@arguments:
    let
      own = {
        packages = [ ];
        variables = { };
        shellHook = "";
      };
      given = own // intersectAttrs own arguments;
      shell =
        pkgs: env:
        mkShell {
          inherit env;
          inherit (pkgs) bash;
          inherit (given) variables shellHook;
          packages = if isFunction given.packages then given.packages pkgs else given.packages;
        };
    in
    mapAttrs (system: mapAttrs (_: shell (pkgsFor system))) (
      packages.packagesFor (removeAttrs arguments (attrNames own))
    );
}
