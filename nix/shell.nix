# A development shell: what `nix develop` takes, without nixpkgs' stdenv.
{ packages, run }:
let
  inherit (builtins)
    attrNames
    concatMap
    concatStringsSep
    filter
    intersectAttrs
    isFunction
    map
    mapAttrs
    match
    ;
in
rec {
  # mkShell :: { env, bash, packages ? [ ], variables ? { }, shellHook ? "" } -> derivation
  #
  # A shell in an environment: its programs and those of `packages` first on PATH, VIRTUAL_ENV set, and uv told to use the
  # environment and to leave it as it is. Of an environment of npm's packages, its commands and Node.js, and where the shell
  # starts in the project, node_modules leads there. bash: a package with bin/bash, which `nix develop` demands. variables: further
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
      (
        if isNode env then
          { }
        else
          {
            VIRTUAL_ENV = "${env}";
            UV_PROJECT_ENVIRONMENT = "${env}";
            UV_NO_SYNC = "1";
            UV_PYTHON_DOWNLOADS = "never";
            UV_PYTHON_PREFERENCE = "only-system";
          }
      )
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
        PATH = concatStringsSep ":" (map (package: "${package}/bin") (environments env ++ packages));
        shellHook = ''
          unset PYTHONHOME
          ${live env}
          ${concatStringsSep "\n" (concatMap modules (environments env))}
          [ -z "''${PS1-}" ] || PS1="(${env.name}) $PS1"
          ${shellHook}
        '';
        preferLocalBuild = true;
        allowSubstitutes = false;
      }
    );

  # Whether an environment is one of npm's packages; those of both kinds that belong together.
  isNode = env: (env.nixgen or { }) ? packages;
  environments = env: [ env ] ++ (if env ? npm && !(isNode env) then [ env.npm ] else [ ]);

  # What makes node_modules of the project in which the shell starts.
  modules =
    env:
    if !(isNode env) then
      [ ]
    else
      [
        ''
          if [ -f nixgen.lock ] && [ -f package.json ]; then
            ${env.nixgen.interpreter.path} -I -S -B ${run.venv}/settling.py ${env} "$PWD" || :
            export PATH=$PWD/node_modules/.bin:$PATH
          fi
        ''
      ];

  # The packages of a lock that lie in its directory.
  editableOf =
    lock:
    map (package: package.name) (
      filter (
        package: package ? source.directory && match "(/|[.][.]/).*" package.source.directory == null
      ) lock.packages
    );

  # What makes the packages that an environment leaves out editable: an overlay in the user's cache directory, for the
  # directory in which the shell starts.
  live =
    env:
    if (env.nixgen.editable or [ ]) == [ ] then
      ""
    else
      ''
        nixgen_live=''${XDG_CACHE_HOME:-$HOME/.cache}/nixgen/environments/''${PWD//\//%}
        if ${env}/bin/nixgen-venv --overlay --quiet "$nixgen_live" &&
          ${env}/bin/python -s -B ${env.nixgen.builders}/editable.py "$nixgen_live" ${env.nixgen.editables} "$PWD"; then
          export VIRTUAL_ENV=$nixgen_live UV_PROJECT_ENVIRONMENT=$nixgen_live PATH=$nixgen_live/bin:$PATH
        fi
        unset nixgen_live
      '';

  # devShellsFor :: { lock, pkgsFor : system -> pkgs, packages ? (pkgs: [ ]), variables ? { }, shellHook ? "", ... }
  #   -> { <system> : { default, python311, ... } }
  #
  # For a flake's `devShells`: a shell in each environment that packagesFor gives for the other arguments. `packages` is a
  # list, or a function from a system's packages. The project itself is editable where the shell starts in its directory.
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
      packages.packagesFor (
        { editable = editableOf arguments.lock; } // removeAttrs arguments (attrNames own)
      )
    );
}
