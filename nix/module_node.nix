# What a module says of Node.js: the packages of npm, what brings them into a repl's node_modules, and what runs and installs.
{ npm, run }:
{
  # part :: { lock, pkgs, system, version, python, node, omit, form, entrypoints }
  #   -> { language, version, environment, path, env, initializers, runners, packagers }
  #
  # A part of a module, as nix/module.nix puts them together. version: of the lock's Python, null where it has none. python,
  # node: what `npmEnv` takes; null is nixpkgs'. form: "mounted", or any other for links. entrypoints: null is what is usual.
  # path: directories of programs.
  part =
    {
      lock,
      pkgs,
      system,
      version,
      python,
      node,
      omit,
      form,
      entrypoints,
    }:
    let
      nodejs = if node == null then pkgs.nodejs else node;
      environment = npm.npmEnv {
        inherit lock system omit;
        node = nodejs;
        # Builders are Python; where the lock has one, it is that.
        python = if python == null && version == null then pkgs.python3 else python;
        inherit version;
      };
      shown = nodejs.version or "";
      interpreter = environment.nixgen.interpreter.path;
      command =
        if form == "mounted" then
          "mounted.py attach --quiet --image ${environment.mounted} -- \"$REPL_HOME/node_modules\""
        else
          "settling.py ${environment} \"$REPL_HOME\"";
      # Where `npm install --global` may write: the store it cannot.
      prefix = "$REPL_HOME/.config/npm";
    in
    {
      language = "Node.js";
      version = shown;
      inherit environment;
      # Node.js finds packages in the directories above a file: no variable tells it where.
      path = [
        "$REPL_HOME/node_modules/.bin"
        "${prefix}/bin"
      ];
      env.npm_config_prefix = prefix;

      # At every boot. Through a shell, which knows $REPL_HOME where the platform leaves it to one.
      initializers.nixgenNode = {
        name = "Node.js packages";
        runOnce = false;
        start.args = [
          "/bin/sh"
          "-c"
          "exec ${interpreter} -I -S -B ${run.venv}/${command}"
        ];
      };

      runners.nodejs = {
        name = if shown == "" then "Node.js" else "Node.js ${shown}";
        displayVersion = shown;
        language = "javascript";
        fileParam = true;
        start.args = [
          "node"
          "$file"
        ];
        defaultEntrypoints =
          if entrypoints == null then
            [
              "index.js"
              "main.js"
              "app.js"
              "server.js"
            ]
          else
            entrypoints;
      };

      packagers.upmNodejs = {
        name = "Node.js packager";
        language = "nodejs-npm";
        ignoredPaths = [ "node_modules" ];
        features = {
          packageSearch = true;
          guessImports = true;
          enabledForHosting = false;
        };
      };
    };
}
