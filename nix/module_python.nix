# What a module says of Python: an environment, the directory in a repl that it is laid out in, and what runs and installs.
{
  env,
  libraries,
  packages,
}:
let
  inherit (libraries) runtimeLibraries;
in
{
  # part :: { lock, pkgs, target, python, libraries, more, venv, form, entrypoints }
  #   -> { language, version, environment, path, env, initializers, runners, packagers }
  #
  # A part of a module, as nix/module.nix puts them together. python, libraries: what `env` takes. more: its further
  # arguments. form, entrypoints: null is what is usual. path: directories of programs.
  part =
    {
      lock,
      pkgs,
      target,
      python,
      more,
      venv,
      form,
      entrypoints,
      ...
    }@arguments:
    let
      # The lock's own, where it names one.
      isStandalone = python == null && target ? interpreter;
      environment = env.env (
        {
          ingest = "store";
        }
        // more
        // {
          inherit lock;
          inherit (target) system;
          version = target.python;
          python =
            if python == null && !isStandalone then packages.nixpkgsPython pkgs target.python else python;
          libraries =
            (if isStandalone then [ ] else runtimeLibraries pkgs target.system) ++ arguments.libraries;
        }
      );
      directory = "$REPL_HOME/${venv}";
      chosen = if form == null then "farm" else form;
      option =
        {
          # What a user has removed stays away.
          farm = "--farm --keep";
          overlay = "--overlay";
          mounted = "--mounted";
        }
        .${chosen};
      program = "${
        if chosen == "mounted" then environment.mounted else environment
      }/bin/nixgen-venv";
    in
    {
      language = "Python";
      version = target.python;
      inherit environment;
      path = [ "${directory}/bin" ];
      env = {
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
        defaultEntrypoints =
          if entrypoints == null then
            [
              "main.py"
              "app.py"
              "run.py"
            ]
          else
            entrypoints;
      };

      packagers.upmPython = {
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
}
