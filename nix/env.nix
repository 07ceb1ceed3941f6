# An environment: trees merged into a real virtual environment around one interpreter.
{
  index,
  ingest,
  interpreter,
  libraries,
  lock,
  names,
  run,
  tree,
}:
let
  inherit (builtins) listToAttrs map path;

  # Everything an environment is made of, from what its user says.
  resolve =
    {
      lock,
      system,
      python,
      version,
      extras,
      groups,
      ingest,
      libraries,
      ignoreLibraries,
    }@choice:
    let
      shown = interpreter.versionOf python;
      target = locks.selectTarget {
        inherit lock system;
        version = if version == null then shown else version;
      };
      packages = locks.selectPackages {
        inherit lock target extras;
        groups = if groups == null then lock.defaultGroups else groups;
      };
      found = interpreter.interpreter {
        inherit python;
        version = target.python;
      };
      source = ingests.sources choice.ingest {
        inherit lock system;
        interpreter = found;
        filenames = map (package: package.wheel) packages;
      };
    in
    {
      inherit target;
      interpreter = found;
      libraries = {
        given = libraryDirectories choice.libraries;
        ignore = ignoreLibraries;
        # The machine's own Python searches the machine's directories.
        required = !found.machine;
      };
      trees = map (package: {
        inherit (package) name;
        value = tree.tree {
          inherit package system;
          interpreter = found;
          source = (source package.wheel).member;
          index = index.readIndex {
            inherit lock;
            filename = package.wheel;
            source = (source package.wheel).index;
          };
        };
      }) packages;
    };
  # Scripts that environments share, named like leaves so that links to them stay short.
  shared =
    name: source:
    path {
      inherit name;
      recursive = false;
      path = source;
    };
  libraryDirectories = libraries.directories;
  locks = lock;
  ingests = ingest;

  defaults = {
    python = null;
    version = null;
    extras = [ ];
    groups = null;
    ingest = "wheels";
    libraries = [ ];
    ignoreLibraries = [ ];
  };
in
{
  # trees :: { lock, system, ... } -> { <package> : derivation }
  #
  # The trees of an environment by package name; the arguments are those of `env`.
  trees = arguments: listToAttrs (resolve (defaults // arguments)).trees;

  # env :: { lock, system, python ? null, version ? null, extras ? [ ], groups ? null, ingest ? "wheels",
  #          libraries ? [ ], ignoreLibraries ? [ ], name ? "env" } -> derivation
  #
  # lock: what readLock gave. system: a Nix system of the lock. python: see interpreter.nix. version: "3.11", where the
  # lock has several. extras, groups: what the lock holds; groups null means its default groups. ingest: see ingest.nix.
  # libraries: packages and directories of shared libraries that wheels need. ignoreLibraries: patterns of SONAMEs that
  # are neither looked for nor missed.
  env =
    { name ? "env", ... }@arguments:
    let
      made = resolve (defaults // removeAttrs arguments [ "name" ]);
    in
    run.run {
      name = "python${made.target.python}-${name}";
      builder = "env";
      inherit (arguments) system;
      inherit (made) interpreter;
      attributes = {
        python = made.interpreter.path;
        prefer = names.pairs (made.target.prefer or { });
        activate = {
          "activate" = shared "file.sh" ./activate.sh;
          "activate.fish" = shared "file.fish" ./activate.fish;
        };
        venv = {
          program = shared "file.sh" ./venv/program.sh;
          heal = shared "file.sh" ./venv/heal.sh;
          farm = shared "file.py" ./venv/farm.py;
          owner = shared "file.py" ./venv/owner.py;
        };
        inherit (made) libraries;
        trees = map (entry: entry.value) made.trees;
      };
      allowSubstitutes = false;
    }
    // {
      # What an image and a shell of it have to know.
      nixgen = {
        inherit (made) interpreter;
      };
    };
}
