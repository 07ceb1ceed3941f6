# A module of nixmodules: what a platform that hosts repls is told of an environment.
{
  env,
  libraries,
  lock,
  packages,
}:
let
  inherit (builtins) isFunction match;

  locks = lock;
  inherit (libraries) runtimeLibraries;

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
in
{
  # mkModule :: { lock, id, ... } -> ({ pkgs, lib, ... } -> module)
  #
  # What `moduleit` takes: an environment as a platform of repls sees it. id: names the module, `replit-module-<id>`. name,
  # description: what people see. venv: the directory in a repl that the environment is laid out in. form: "farm", whose
  # packages uv sees, which the platform's packager tries first; "overlay", a handful of files; or "mounted", real files,
  # where the initializer runs as root. entrypoints: files
  # that are run where nobody names one. python, libraries: functions from nixpkgs' packages, or what `env` takes; null is
  # the Python that the lock names, else nixpkgs'. version, system: as in `env`. Further arguments go to `env` (extras, groups, ingest); the leaves have
  # to be in the store, since a module is evaluated without builds, or the ingest to be "fixed", which is slow.
  #
  #   nixgen.mkModule { lock = nixgen.readLock ../nixgen.lock; id = "shop"; }
  mkModule =
    {
      lock,
      id,
      name ? id,
      description ? "Python with the packages of ${id}",
      venv ? ".pythonlibs",
      form ? "farm",
      entrypoints ? [
        "main.py"
        "app.py"
        "run.py"
      ],
      python ? null,
      libraries ? [ ],
      version ? null,
      system ? null,
      ...
    }@arguments:
    # The module system passes what the pattern names.
    { pkgs, lib, ... }:
    let
      given = value: if isFunction value then value pkgs else value;
      target = locks.selectTarget {
        inherit lock version;
        system = if system == null then pkgs.stdenv.hostPlatform.system else system;
      };
      interpreter = given python;
      # The lock's own, where it names one.
      isStandalone = interpreter == null && target ? interpreter;
      environment = env.env (
        {
          ingest = "store";
        }
        // removeAttrs arguments own
        // {
          inherit (target) system;
          version = target.python;
          python =
            if interpreter == null && !isStandalone then
              packages.nixpkgsPython pkgs target.python
            else
              interpreter;
          libraries = (if isStandalone then [ ] else runtimeLibraries pkgs target.system) ++ given libraries;
        }
      );
      place = checked "venv" "[.]?[A-Za-z0-9_-]+(([./]|/[.])[A-Za-z0-9_-]+)*" (
        "name a directory below the repl's home, such as .pythonlibs"
      ) venv;
      # Left as it stands: the platform knows a repl's home, and replaces the variable.
      directory = "$REPL_HOME/${place}";

      option =
        {
          # What a user has removed stays away.
          farm = "--farm --keep";
          overlay = "--overlay";
          mounted = "--mounted";
        }
        .${checked "form" "farm|overlay|mounted" "take farm, overlay or mounted" form};
      program = "${if form == "mounted" then environment.mounted else environment}/bin/nixgen-venv";
    in
    {
      id =
        checked "id" "[A-Za-z0-9_][A-Za-z0-9+._-]*" "take letters, digits, hyphens, dots and underscores"
          id;
      inherit name description;
      displayVersion = target.python;

      replit = {
        packages = [ environment ];

        env = {
          PATH = "${directory}/bin";
          VIRTUAL_ENV = directory;
          UV_PROJECT_ENVIRONMENT = directory;
          UV_PYTHON_DOWNLOADS = "never";
          UV_PYTHON_PREFERENCE = "only-system";
        };

        # At every boot. Through a shell, which knows $REPL_HOME where the platform leaves it to one.
        initializers.nixgen = {
          name = "Python environment";
          runOnce = false;
          start.args = [
            "/bin/sh"
            "-c"
            "exec ${program} ${option} \"${directory}\""
          ];
        };

        # By its name: PATH has the repl's own Python first, and the one of the store behind it.
        runners.python = {
          name = "Python ${target.python}";
          displayVersion = target.python;
          language = "python3";
          fileParam = true;
          start.args = [
            "python"
            "$file"
          ];
          defaultEntrypoints = entrypoints;
        };

        dev.packagers.upmPython = {
          name = "Python packager";
          language = "python3";
          ignoredPaths = [ venv ];
          features = {
            packageSearch = true;
            guessImports = true;
            enabledForHosting = false;
          };
        };
      };
    };
}
