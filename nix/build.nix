# A wheel that no index has, built from its source in an environment of leaves, and unpacked for the ingest.
{
  fetch,
  names,
  run,
}:
let
  inherit (builtins)
    concatMap
    fetchGit
    filter
    isAttrs
    map
    match
    path
    pathExists
    substring
    ;

  # Where programs of the machine are, which a build sees where no sandbox hides them.
  machine = [
    "/usr/local/bin"
    "/usr/bin"
    "/bin"
  ];

  # What nixpkgs gives every build: a C compiler, and what build systems take for granted.
  basics = [
    "bash"
    "coreutils"
    "diffutils"
    "findutils"
    "gawk"
    "gnugrep"
    "gnumake"
    "gnused"
    "patch"
  ];

  # The store paths that a build has of nixpkgs, for their programs, and for where compilers, pkg-config and CMake find the rest.
  ofNixpkgs =
    tools: attributes:
    let
      packages = [
        tools.stdenv.cc
      ]
      ++ map (name: tools.${name}) (filter (name: tools ? ${name}) basics)
      ++ map (
        name:
        tools.${name} or (throw ''
          nixgen: nixpkgs has no ${name}
            where: packages of [tool.nixgen.build], in nixgen.lock
            what to do: name an attribute that it has, and run `nixgen lock`'')
      ) attributes;
      outputs = concatMap (
        package:
        if isAttrs package && package ? outputs then
          map (output: "${package.${output}}") package.outputs
        else
          [ "${package}" ]
      ) packages;
    in
    outputs;

  # Tells what is a source in a directory from what tools have put there, below it or at its top.
  isSource =
    top: file: type:
    let
      name = baseNameOf file;
      isTop = dirOf file == toString top;
    in
    !(
      match "[.](git|hg|svn|direnv|tox|nox|idea|cache|(mypy|ruff|pytest)_cache)|__pycache__" name != null
      || (isTop && match "result(-.*)?|build|dist|node_modules|.*[.]egg-info|nixgen[.]lock|flake[.](nix|lock)" name != null)
      || (isTop && name == "nix" && pathExists "${file}/nixgen")
      || (type == "directory" && pathExists "${file}/pyvenv.cfg")
    );

  below =
    lock: place: if substring 0 1 place == "/" then place else lock.directory + "/${place}";

  # The files of a directory that are no product of something: of those that Git knows, where it is a checkout.
  ofDirectory =
    lock: package:
    let
      place = below lock package.source.directory;
      files = if pathExists (place + "/.git") then (fetchGit place).outPath else place;
    in
    path {
      name = names.storeName "${package.name}-source";
      path = files;
      filter = isSource files;
    };
in
{
  # fetchSource :: { lock, package } -> store path | derivation
  #
  # The source of a package of the lock: an archive by its SHA-256, the files of a Git repository by those of its commit
  # and theirs, or a directory as it is.
  fetchSource =
    { lock, package }:
    let
      inherit (package) source;
      archive = names.storeName (baseNameOf (source.url or source.path));
    in
    if source ? directory then
      ofDirectory lock package
    else if source ? repository then
      path {
        name = names.storeName "${package.name}-source";
        inherit (source) sha256;
        path = fetchGit {
          url = source.repository;
          rev = source.commit;
          allRefs = true;
          submodules = true;
        };
      }
    else if source ? path then
      path {
        name = archive;
        inherit (source) sha256;
        recursive = false;
        path = below lock source.path;
      }
    else
      fetch.fetch {
        name = archive;
        inherit (source) url sha256;
      };

  # buildWheel :: { package, source, environment, system, interpreter, tools ? null, flat ? false } -> derivation
  #
  # package: one of the lock with `source` and `build`. source: what fetchSource gave. environment: where what the build
  # needs is installed. tools: nixpkgs, for a compiler and what the user names; null is the machine's own. What comes out
  # lies as `unpackWheel` has it.
  buildWheel =
    {
      package,
      source,
      environment,
      system,
      interpreter,
      tools ? null,
      flat ? false,
    }:
    let
      inherit (package) build;
    in
    run.run {
      name = "built-${package.name}-${package.version}";
      builder = "wheel";
      inherit system interpreter;
      attributes = {
        inherit source environment;
        inherit (package) name version;
        subdirectory = package.source.subdirectory or "";
        # An archive has its version in its metadata; of the others, only what was seen while locking tells.
        unversioned = !(package.source ? url || package.source ? path);
        # What is edited is installed so too, and needs what its backend needs for that.
        editable = package.source ? directory;
        inherit (build) backend needs;
        backendPath = build.backendPath or [ ];
        env = names.pairs (build.env or { });
        configSettings = names.pairs (build.configSettings or { });
        programs = build.programs or [ ];
        machine = if tools == null then machine else [ ];
        prefixes = if tools == null then [ ] else ofNixpkgs tools (build.packages or [ ]);
      }
      // (if flat then { inherit flat; } else { });
    };
}
