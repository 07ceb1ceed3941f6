# A derivation whose builder is the environment's own Python: no shell, no stdenv.
{ names }:
let
  inherit (builtins)
    attrNames
    concatLists
    elem
    map
    match
    toFile
    toJSON
    ;

  # Content alone decides this path, whether the library lies in a checkout, a flake or the store.
  all = builtins.path {
    name = "nixgen-builders";
    path = ./builders;
    filter = path: _type: match ".*[.]py" path != null;
  };

  flags = [
    "-s" # nothing of the user's; Nix has cleared the environment, and -I would ignore PYTHONHASHSEED
    "-S" # no site-packages of the interpreter's own
    "-B" # no bytecode beside the builders
    "-X"
    "utf8" # file names of wheels are UTF-8, whatever the locale
  ];

  # What every builder has of its interpreter.
  ofInterpreter = interpreter: {
    builder = interpreter.path;
    # Nix gives the builder its bare name as argv[0]; a relocated Python finds itself through PATH.
    PATH = interpreter.directory;
    PYTHONHASHSEED = "0"; # until Python 3.10, bytecode has the strings of a set in the order of their hashes
    preferLocalBuild = true;
  };
in
rec {
  builders = all;

  # What stands behind bin/nixgen-venv.
  venv = builtins.path {
    name = "nixgen-venv";
    path = ./venv;
  };

  # buildersOf :: [string] -> store path
  #
  # Some of the builders, whose names are given, and no other: what is made by them stays when others change. The one that
  # runs is a program by itself.
  buildersOf =
    names:
    builtins.path {
      name = "nixgen-builders";
      path = ./builders;
      filter =
        path: _type: elem (baseNameOf path) (map (name: "${name}.py") names);
    };

  # compiledOf :: [string] -> { system, interpreter } -> derivation
  #
  # What buildersOf gives, with bytecode: made once, where a builder starts hundreds of times and would compile them each
  # time. Python compiles the one that runs all the same: it is to be small.
  compiledOf =
    names:
    { system, interpreter }:
    derivation (
      {
        name = "nixgen-builders";
        inherit system;
        args = flags ++ [
          "${buildersOf [ "compile" ]}/compile.py"
          (buildersOf names)
        ];
      }
      // ofInterpreter interpreter
    );

  # run :: { name, system, interpreter, builder : string, attributes ? { }, stored ? false, graphs ? { },
  #          allowSubstitutes ? true, builders ? all, hash ? null } -> derivation
  #
  # Runs builders/<builder>.py with the attributes as JSON, in a file: an environment variable holds no more than 128 KiB,
  # about 2,850 paths. stored: whether that is a file of the store, which can name nothing that has to be built; Nix reads
  # the derivations of what is there again and again, and they are small then (`nix build` of TensorFlow, unchanged:
  # 0.045 s for 0.095 s). graphs: derivations by the name of the file that tells the builder their closure.
  # hash: of the file that comes out, "sha512-" and base64, which decides its path then.
  run =
    {
      name,
      system,
      interpreter,
      builder,
      attributes ? { },
      stored ? false,
      graphs ? { },
      allowSubstitutes ? true,
      builders ? all,
      hash ? null,
    }:
    derivation (
      {
        name = names.storeName name;
        inherit system allowSubstitutes;
        args = flags
        ++ (
          if builders == all then
            [
              # The file rather than its directory, for which Python imports what runs modules.
              "${all}/__main__.py"
              builder
            ]
          else
            [ "${builders}/${builder}.py" ]
        );
      }
      // ofInterpreter interpreter
      // (
        if stored then
          { attributesPath = toFile "attributes" (toJSON attributes); }
        else
          {
            attributes = toJSON attributes;
            passAsFile = [ "attributes" ];
          }
      )
      // (
        if hash == null then
          { }
        else
          {
            outputHash = hash;
            outputHashAlgo = "sha512";
            outputHashMode = "flat";
          }
      )
      // (
        if graphs == { } then
          { }
        else
          {
            exportReferencesGraph = concatLists (
              map (file: [
                file
                graphs.${file}
              ]) (attrNames graphs)
            );
          }
      )
    );
}
