# A module of nixmodules: what a platform that hosts repls is told of what a lock has.
{
  lock,
  modulePython,
  moduleNode,
}:
let
  inherit (builtins)
    concatMap
    concatStringsSep
    filter
    foldl'
    head
    isFunction
    map
    match
    tail
    ;

  locks = lock;

  # The arguments that are not those of `env`, or that it gets otherwise.
  own = [
    "id"
    "name"
    "description"
    "venv"
    "form"
    "entrypoints"
    "python"
    "libraries"
    "node"
    "omit"
    "version"
    "system"
  ];

  checked =
    what: pattern: todo: value:
    if match pattern value == null then
      throw ''
        nixgen: a module cannot have the ${what} ${value}
          where: the argument `${what}` of mkModule
          what to do: ${todo}''
    else
      value;

  isOfNode = file: match ".*[.][cm]?[jt]s" file != null;
in
{
  # mkModule :: { lock, id, ... } -> ({ pkgs, lib, ... } -> module)
  #
  # What `moduleit` takes: what a lock has of Python, of npm, or of both, as a platform of repls sees it. id: names the
  # module, `replit-module-<id>`. name, description: what people see. venv: the directory in a repl that the environment of
  # Python is laid out in; npm's packages are in `node_modules`. form: of Python's environment, "farm", whose packages uv
  # sees, which the platform's packager tries first; or "overlay", a handful of files; or "mounted", real files in both,
  # where the initializer runs as root. null is a farm. entrypoints: files that are run where nobody names one; null is
  # what is usual. python, libraries: functions from nixpkgs' packages, or what `env` takes; null is the Python that the
  # lock names, else nixpkgs'. node: likewise, what `npmEnv` takes; null is nixpkgs'. omit: as there. version, system: as
  # in `env`. Further arguments go to `env` (extras, groups, ingest); the leaves have to be in the store, since a module is
  # evaluated without builds, or the ingest to be "fixed", which is slow.
  #
  #   nixgen.mkModule { lock = nixgen.readLock ../nixgen.lock; id = "shop"; }
  mkModule =
    {
      lock,
      id,
      name ? id,
      description ? null,
      venv ? ".pythonlibs",
      form ? null,
      entrypoints ? null,
      python ? null,
      libraries ? [ ],
      node ? null,
      omit ? [ ],
      version ? null,
      system ? null,
      ...
    }@arguments:
    # The module system passes what the pattern names.
    { pkgs, lib, ... }:
    let
      given = value: if isFunction value then value pkgs else value;
      systemOf = if system == null then pkgs.stdenv.hostPlatform.system else system;
      hasNode = lock ? npm;
      hasPython = lock.targets != [ ] || !hasNode;
      target = locks.selectTarget {
        inherit lock version;
        system = systemOf;
      };
      common = {
        inherit lock pkgs;
        python = given python;
        form = if form == null then null else checkedForm;
      };
      checkedForm = checked "form" "farm|overlay|mounted" "take farm, overlay or mounted" form;
      of = isMine: if entrypoints == null then null else filter isMine entrypoints;

      parts =
        (
          if hasPython then
            [
              (modulePython.part (
                common
                // {
                  inherit target;
                  libraries = given libraries;
                  more = removeAttrs arguments own;
                  venv = checked "venv" "[.]?[A-Za-z0-9_-]+(([./]|/[.])[A-Za-z0-9_-]+)*" (
                    "name a directory below the repl's home, such as .pythonlibs"
                  ) venv;
                  entrypoints = of (file: !(isOfNode file));
                }
              ))
            ]
          else
            [ ]
        )
        ++ (
          if hasNode then
            [
              (moduleNode.part (
                common
                // {
                  inherit omit;
                  system = systemOf;
                  version = if hasPython then target.python else null;
                  node = given node;
                  entrypoints = of isOfNode;
                }
              ))
            ]
          else
            [ ]
        );

      languages = concatStringsSep " and " (map (part: part.language) parts);
      # Of one attribute set for each part, which have no name in common.
      merged = field: foldl' (all: part: all // part.${field}) { } parts;
    in
    {
      id =
        checked "id" "[A-Za-z0-9_][A-Za-z0-9+._-]*" "take letters, digits, hyphens, dots and underscores"
          id;
      inherit name;
      description =
        if description == null then "${languages} with the packages of ${id}" else description;
      displayVersion =
        if tail parts == [ ] then
          (head parts).version
        else
          concatStringsSep ", " (map (part: "${part.language} ${part.version}") parts);

      replit = {
        packages = map (part: part.environment) parts;

        # Left as it stands in all of these: the platform knows a repl's home, and replaces $REPL_HOME.
        env = merged "env" // {
          PATH = concatStringsSep ":" (concatMap (part: part.path) parts);
        };
        initializers = merged "initializers";
        runners = merged "runners";
        dev.packagers = merged "packagers";
      };
    };
}
