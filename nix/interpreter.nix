# The Python of an environment, which is also its builder.
let
  inherit (builtins)
    concatStringsSep
    currentSystem
    filter
    head
    isAttrs
    match
    pathExists
    storeDir
    storePath
    stringLength
    substring
    ;

  # Where distributions and their users put a Python; the first that exists is taken.
  directories = [
    "/usr/bin"
    "/usr/local/bin"
    "/opt/homebrew/bin"
  ];

  inStore =
    path: substring 0 (stringLength storeDir + 1) path == "${storeDir}/";
in
rec {
  # located :: string -> string
  #
  # A path of the store with the context that puts its store path into a derivation's inputs; another as it is.
  located =
    path:
    let
      parts = match "(${storeDir}/[^/]+)(.*)" path;
    in
    if builtins.hasContext path || parts == null then
      path
    else
      "${storePath (head parts)}${builtins.elemAt parts 1}";

  # versionOf :: python -> string | null
  #
  # The version ("3.11") that an interpreter shows without being run; null where it shows none.
  versionOf =
    python:
    if isAttrs python then
      python.pythonVersion or null
    else if python == null then
      null
    else
      let
        found = match ".*/python([0-9]+[.][0-9]+t?)" (toString python);
      in
      if found == null then null else head found;

  # interpreter :: { python : python | null, version : string } -> { path, directory, machine, usesMachine }
  #
  # `python` is a nixpkgs Python (anything with `interpreter`), a path in the store or on the machine (the executable, or
  # what has it in its bin), or null for the machine's own. `path` is the executable, `directory` holds it, `machine` says that it lies outside the
  # store, where a sandboxed build does not see it; `usesMachine`, that it loads libraries of the machine, as a standalone one
  # of the store does too.
  interpreter =
    { python, version }:
    let
      shown = versionOf python;
      candidates = map (directory: "${directory}/python${version}") directories;
      existing = filter pathExists candidates;
      path =
        if isAttrs python then
          python.interpreter or "${python}/bin/python${version}"
        else if python == null then
          if existing == [ ] then
            throw ''
              nixgen: this machine has no Python ${version}
                where: ${concatStringsSep ", " candidates}
                what to do: install it with your distribution, or with uv (`uv python install ${version}`), where `nixgen build` finds it; or name one, with `nixgen build --python PATH` or `nix-build nix --argstr python PATH`; or use nixpkgs' (`nixgen init`); or lock one that is fetched (`nixgen lock --standalone`)''
          else
            head existing
        else
          executable (located (toString python));

      # A directory stands for the Python in its bin.
      executable =
        given:
        let
          inside = "${given}/bin/python${version}";
        in
        if pathExists inside then inside else given;
    in
    if shown != null && shown != version then
      throw ''
        nixgen: the interpreter is Python ${shown}, and the lock's target is Python ${version}
          where: ${toString python}
          what to do: name a Python ${version}, or run `nixgen lock --python ${shown}`''
    else
      rec {
        inherit path;
        directory = dirOf path;
        machine = !(inStore path);
        usesMachine = machine || (isAttrs python && python.usesMachine or false);
      };

  # ofTarget :: (target -> python) -> { target, python : python | null } -> interpreter
  #
  # The interpreter for a target of a lock; where none is given, the one that the lock names, by the function.
  ofTarget =
    standalone:
    { target, python }:
    interpreter {
      python = if python == null && target ? interpreter then standalone target else python;
      version = target.python;
    };
}
