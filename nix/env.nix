# An environment: trees merged into a real virtual environment around one interpreter.
{
  build,
  index,
  ingest,
  interpreter,
  libraries,
  lock,
  mounted,
  names,
  npm,
  origin,
  run,
  standalone,
  tree,
}:
let
  inherit (builtins)
    elem
    filter
    genericClosure
    intersectAttrs
    isList
    listToAttrs
    map
    path
    ;

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
      tools,
      editable,
      package,
    }@choice:
    let
      shown = interpreter.versionOf python;
      target = locks.selectTarget {
        inherit lock system;
        version = if version == null then shown else version;
      };
      selected = locks.selectPackages {
        inherit
          lock
          target
          extras
          package
          ;
        groups = if groups == null then lock.defaultGroups else groups;
      };
      packages = filter (package: !(elem package.name editable)) selected;
      found = interpreter.ofTarget standalone.standalone { inherit python target; };
      sharedLibraries = {
        given = libraryDirectories choice.libraries;
        ignore = ignoreLibraries;
        # A Python with the machine's C library searches the machine's directories.
        required = !found.usesMachine;
      };

      built =
        flat: package:
        build.buildWheel {
          inherit package system flat;
          inherit (choice) tools;
          interpreter = found;
          source = build.fetchSource { inherit lock package; };
          environment = environmentOf package;
        };

      # Where a package is built.
      environmentOf =
        package:
        merge {
          inherit target;
          interpreter = found;
          libraries = sharedLibraries;
          name = "build-of-${package.name}";
          prefer = [ ];
          trees = map (entry: entry.value) (treesOf (requirementsOf package));
        };

      # The packages that a package is built with, on this target.
      requirementsOf =
        package:
        let
          inherit (package.build) requires;
        in
        map (filename: lock.wheels.${filename}) (
          if isList requires then requires else requires."${target.python}-${system}" or [ ]
        );

      treesOf =
        wanted:
        let
          source = ingests.sources choice.ingest {
            inherit lock system;
            build = built;
            interpreter = found;
            filenames = map (package: package.wheel) (filter (package: package ? index) wanted);
          };
        in
        map (package: {
          inherit (package) name;
          value =
            if package ? index then
              tree.tree {
                origin = origin.originOf { inherit lock package; };
                inherit package system;
                interpreter = found;
                source = (source package.wheel).member;
                index = index.readIndex {
                  inherit lock;
                  filename = package.wheel;
                  source = (source package.wheel).index;
                };
              }
            else
              tree.ofBuild {
                origin = origin.originOf { inherit lock package; };
                inherit package system;
                interpreter = found;
                wheel = built false package;
              };
        }) wanted;

      # All that is built for this environment: its packages, what these are built with, and so on.
      builds = genericClosure {
        startSet = map keyed (filter (package: package ? source) selected);
        operator = entry: map keyed (filter (package: package ? source) (requirementsOf entry.package));
      };
      byKey =
        make:
        listToAttrs (
          map (entry: {
            name = entry.key;
            value = make entry.package;
          }) builds
        );
      keyed = package: {
        key = package.wheel;
        inherit package;
      };
    in
    {
      inherit target;
      interpreter = found;
      libraries = sharedLibraries;
      trees = treesOf packages;
      built = byKey (built false);
      editables = run.run {
        name = "editable-packages.json";
        builder = "text";
        inherit system;
        interpreter = found;
        attributes.value = {
          program = "${run.builders}/editable.py";
          packages = map (package: {
            inherit (package) name version;
            inherit (package.source) directory;
            inherit (package.build) backend needs;
            backendPath = package.build.backendPath or [ ];
            configSettings = names.pairs (package.build.configSettings or { });
            env = names.pairs (package.build.env or { });
            environment = environmentOf package;
          }) (filter (package: elem package.name editable) selected);
        };
      };
    };

  # Trees merged around an interpreter.
  merge =
    {
      target,
      interpreter,
      libraries,
      name,
      prefer,
      trees,
    }:
    run.run {
      name = "python${target.python}-${name}";
      builder = "env";
      inherit (target) system;
      inherit interpreter;
      attributes = {
        python = interpreter.path;
        inherit prefer libraries trees;
        activate = {
          "activate" = shared "file.sh" ./activate.sh;
          "activate.fish" = shared "file.fish" ./activate.fish;
        };
        inherit (run) venv;
      };
      allowSubstitutes = false;
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
  mounteds = mounted;

  defaults = {
    python = null;
    version = null;
    extras = [ ];
    groups = null;
    ingest = "wheels";
    libraries = [ ];
    ignoreLibraries = [ ];
    tools = null;
    editable = [ ];
    package = null;
  };
in
{
  # trees :: { lock, system, ... } -> { <package> : derivation }
  #
  # The trees of an environment by package name; the arguments are those of `env`.
  trees = arguments: listToAttrs (resolve (defaults // arguments)).trees;

  # env :: { lock, system, python ? null, version ? null, extras ? [ ], groups ? null, ingest ? "wheels",
  #          libraries ? [ ], ignoreLibraries ? [ ], tools ? null, editable ? [ ], package ? null,
  #          node ? null, omit ? [ ], name ? "env" } -> derivation
  #
  # lock: what readLock gave. system: a Nix system of the lock. python: see interpreter.nix. version: "3.11", where the
  # lock has several. extras, groups: what the lock holds; groups null means its default groups. ingest: see ingest.nix.
  # libraries: packages and directories of shared libraries that wheels need. ignoreLibraries: patterns of SONAMEs that
  # are neither looked for nor missed. tools: nixpkgs, for the builds of sources; null takes what the machine has. editable: names of
  # packages that are left out, since they are installed on top so that an edit shows. package: a member of the workspace
  # whose environment it is. node, omit: of `npmEnv`, which is the attribute `npm`; of a lock with nothing else, all there
  # is.
  env =
    { name ? "env", ... }@arguments:
    let
      ofNpm = npm.npmEnv (
        intersectAttrs {
          lock = null;
          system = null;
          python = null;
          version = null;
          node = null;
          omit = null;
        } arguments
      );
      made = resolve (
        defaults
        // removeAttrs arguments [
          "name"
          "node"
          "omit"
        ]
      );
      trees = map (entry: entry.value) made.trees;
      merged = merge {
        inherit (made)
          target
          interpreter
          libraries
          ;
        inherit name trees;
        prefer = names.pairs (made.target.prefer or { });
      };
    in
    if arguments.lock.targets == [ ] && arguments.lock ? npm then
      ofNpm // { npm = ofNpm; }
    else
    merged
    // (if arguments.lock ? npm then { npm = ofNpm; } else { })
    // {
      # Its files without links, as an image to mount.
      mounted = mounteds.mounted {
        inherit (made) interpreter;
        inherit trees;
        env = merged;
      };
      # What an image and a shell of it have to know; by the names of the wheels, what is built for it of sources; its trees by
      # the names of their packages; and what builders/editable.py has to, to install what is left out here.
      nixgen = {
        inherit (made) interpreter built editables;
        trees = listToAttrs made.trees;
        inherit (run) builders;
        editable = arguments.editable or [ ];
      };
    };
}
