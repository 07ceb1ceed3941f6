# What a flake offers: the environments of every target of a lock, with the Pythons of nixpkgs.
{ env, libraries }:
let
  inherit (builtins)
    filter
    listToAttrs
    map
    replaceStrings
    ;
in
rec {
  # nixpkgsPython :: pkgs -> string -> derivation
  #
  #   nixpkgsPython pkgs "3.11" => pkgs.python311
  nixpkgsPython =
    pkgs: version:
    let
      attribute =
        "python" + replaceStrings [ "." "t" ] [ "" "FreeThreading" ] version;
    in
    pkgs.${attribute} or (throw ''
      nixgen: nixpkgs has no Python ${version}
        where: the attribute ${attribute}
        what to do: run `nixgen lock --python` with a version that it has, or choose another nixpkgs'');

  # packagesFor :: { lock, pkgsFor : system -> pkgs, ... } -> { <system> : { default, python311, ... } }
  #
  # One environment per target, named after its Python; `default` is the system's first target. `libraries`, a function
  # from a system's packages, adds to the runtimes of C++, GCC and OpenMP and zlib. Further arguments go to `env` (extras,
  # groups).
  packagesFor =
    { lock, pkgsFor, ... }@arguments:
    let
      systems = map (target: target.system) lock.targets;
      forSystem =
        system:
        let
          pkgs = pkgsFor system;
          build =
            version:
            env.env (
              removeAttrs arguments [ "pkgsFor" ]
              // {
                inherit system version;
                python = nixpkgsPython pkgs version;
                tools = pkgs;
                libraries = libraries.runtimeLibraries pkgs system ++ (arguments.libraries or (_: [ ])) pkgs;
              }
            );
          targets = filter (target: target.system == system) lock.targets;
          named = target: {
            name = "python${replaceStrings [ "." ] [ "" ] target.python}";
            value = build target.python;
          };
        in
        listToAttrs (map named targets) // { default = build (builtins.head targets).python; };
    in
    listToAttrs (
      map (system: {
        name = system;
        value = forSystem system;
      }) systems
    );
}
