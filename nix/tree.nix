# A tree: one wheel, installed. Real directories, links to leaves, copies and bytecode; shared by every environment.
{
  leaf,
  names,
  run,
}:
let
  inherit (builtins)
    any
    attrNames
    concatMap
    elem
    head
    isAttrs
    isList
    length
    toFile
    ;

  # program :: { file : string, leaf : path, system, interpreter } -> derivation
  #
  # A program that needs nothing of its wheel: made of its leaf alone, so that every wheel that has it shares it.
  program =
    {
      file,
      leaf,
      system,
      interpreter,
    }:
    run.run {
      name = file;
      builder = "program";
      inherit system interpreter;
      attributes = {
        inherit leaf;
      };
    };

  # The lock's tree of hashes as a list: [ path leaf ], or [ path leaf "x" ] where the archive marks the file executable,
  # or [ path leaf "x" program ] where that may stand alone; the leaf of an empty file is "". A list, because toJSON takes
  # a set with a file named "outPath" for a derivation.
  leaves =
    {
      source,
      system,
      interpreter,
    }@of:
    prefix: directory:
    concatMap (
      file:
      let
        entry = directory.${file};
        path = "${prefix}${file}";
        place =
          sha256:
          if sha256 == "" then
            ""
          else
            leaf.leaf {
              inherit file sha256;
              source = source path;
            };
      in
      if isAttrs entry then
        leaves of "${path}/" entry
      else if isList entry then
        let
          placed = place (head entry);
        in
        [
          (
            [
              path
              placed
              "x"
            ]
            ++ (
              if elem "alone" entry then
                [
                  (program {
                    inherit file system interpreter;
                    leaf = placed;
                  })
                ]
              else
                [ ]
            )
          )
        ]
      else
        [
          [
            path
            (place entry)
          ]
        ]
    ) (attrNames directory);

  # INSTALLER of every distribution (PEP 376), named like a leaf so that links to it stay short.
  installer = toFile "file" "nixgen\n";
in
{
  # tree :: { lock, package, system, interpreter, source : member -> path } -> derivation
  #
  # Takes nothing but leaves: that is why all ways of ingest give the same derivation.
  tree =
    {
      lock,
      package,
      system,
      interpreter,
      source,
    }:
    let
      wheel = lock.wheels.${package.wheel};
      files = leaves { inherit source system interpreter; } "" wheel.files;
      # Programs are built; leaves are all files of the store, or all derivations.
      hasBuilt = isAttrs (source "${wheel.distInfo}/RECORD") || any (file: length file > 3) files;
    in
    run.run {
      name = "${package.name}-${package.version}";
      builder = "tree";
      stored = !hasBuilt;
      inherit system interpreter;
      attributes = {
        inherit (package) version;
        distribution = package.name;
        inherit (wheel) distInfo;
        dataDir = wheel.dataDir or "";
        commands = names.pairs (wheel.scripts.console or { } // wheel.scripts.gui or { });
        inherit files installer;
      }
      # What the user overrides; absent elsewhere, so that nobody's trees change with it.
      // (if wheel ? placement then { inherit (wheel) placement; } else { });
    };
}
