# What a flake offers: the environments of every target of a lock, with the Pythons of nixpkgs.
{ env, libraries }:
let
  inherit (builtins)
    any
    attrNames
    elem
    filter
    head
    isFunction
    listToAttrs
    map
    pathExists
    readFile
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

  # mainProgram :: lock -> string | null
  #
  # The command of the project itself: the one of its name, else its first; null where it has none.
  mainProgram =
    lock:
    let
      file = lock.directory + "/pyproject.toml";
      project = (fromTOML (readFile file)).project or { };
      scripts = attrNames (project.scripts or { });
    in
    if !(any (package: (package.source.directory or null) == ".") lock.packages) || !(pathExists file) then
      null
    else if elem (project.name or null) scripts then
      project.name
    else if scripts == [ ] then
      null
    else
      head scripts;

  # packagesFor :: { lock, pkgsFor ? (system -> pkgs), ... } -> { <system> : { default, python311, ... } }
  #
  # One environment per target, named after its Python; `default` is the system's first target. A target whose Python the
  # lock names needs no `pkgsFor`. `libraries`, a function from a system's packages, adds to the runtimes of C++, GCC and
  # OpenMP and zlib, which a Python of nixpkgs gets. Further arguments go to `env` (extras, groups). What a lock has of npm is
  # `npm`, with nixpkgs' Node.js, or what `node`, a function from a system's packages, gives; where it has nothing else it
  # is `default` too, for `systems`, since such a lock names none.
  packagesFor =
    {
      lock,
      systems ? [
        "x86_64-linux"
        "aarch64-linux"
        "x86_64-darwin"
        "aarch64-darwin"
      ],
      pkgsFor ? system: throw ''
        nixgen: the lock names no Python for ${system}, and nixpkgs is not given
          where: the argument `pkgsFor` of packagesFor
          what to do: give it, system: nixpkgs.legacyPackages.${system}; or run `nixgen lock --standalone`'',
      ...
    }@arguments:
    let
      isNode = lock.targets == [ ] && lock ? npm;
      main = mainProgram lock;
      # What `nix run` runs.
      program = if main == null then { } else { meta.mainProgram = main; };
      forSystem =
        system:
        let
          pkgs = pkgsFor system;
          ofNixpkgs = target: {
            python = nixpkgsPython pkgs target.python;
            libraries = libraries.runtimeLibraries pkgs system;
          };
          ofNode =
            if arguments ? node then
              { node = if isFunction arguments.node then arguments.node pkgs else arguments.node; }
            else if lock ? npm && arguments ? pkgsFor then
              { node = pkgs.nodejs; }
            else
              { };
          build =
            target:
            let
              base = if target ? interpreter then { libraries = [ ]; } else ofNixpkgs target;
              more = if arguments ? libraries then arguments.libraries pkgs else [ ];
            in
            env.env (
              removeAttrs arguments [
                "pkgsFor"
                "systems"
              ]
              // base
              // ofNode
              // {
                inherit system;
                version = target.python;
                tools = if arguments ? pkgsFor then pkgs else null;
                libraries = base.libraries ++ more;
              }
            );
          targets = filter (target: target.system == system) lock.targets;
          named = target: {
            name = "python${replaceStrings [ "." ] [ "" ] target.python}";
            value = build target // program;
          };
          # Its builders are Python, as all are.
          node = env.env (
            {
              inherit lock system;
              python = if arguments ? pkgsFor then pkgs.python3 else null;
            }
            // ofNode
            // (if arguments ? omit then { inherit (arguments) omit; } else { })
          );
          first = if isNode then node else build (head targets);
        in
        listToAttrs (map named targets)
        // {
          default = first // program;
        }
        // (if lock ? npm then { inherit (first) npm; } else { });
    in
    listToAttrs (
      map (system: {
        name = system;
        value = forSystem system;
      }) (if isNode then systems else map (target: target.system) lock.targets)
    );
}
