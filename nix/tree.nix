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

  # An index's tree of hashes as a list: [ path leaf ], or [ path leaf "x" ] where the archive marks the file executable,
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
        placed = leaf.leaf {
          inherit file;
          sha256 = head entry;
          source = source path;
        };
        marks = length entry - 2;
      in
      if isAttrs entry then
        leaves of "${path}/" entry
      else if !isList entry then
        [
          [
            path
            ""
          ]
        ]
      else if marks == 0 then
        [
          [
            path
            placed
          ]
        ]
      else
        [
          (
            [
              path
              placed
              "x"
            ]
            ++ (
              if marks == 1 then
                [ ]
              else
                [
                  (program {
                    inherit file system interpreter;
                    leaf = placed;
                  })
                ]
            )
          )
        ]
    ) (attrNames directory);

  # INSTALLER of every distribution (PEP 376), named like a leaf so that links to it stay short.
  installer = toFile "file" "nixgen\n";
in
{
  # tree :: { package, index, system, interpreter, source : member -> path | derivation, origin ? null } -> derivation
  #
  # package: one of the lock. index: what readIndex gave for its wheel. origin: what originOf gave. Takes nothing but leaves, the index among them:
  # that is why all ways of ingest give the same derivation.
  tree =
    {
      package,
      index,
      system,
      interpreter,
      source,
      origin ? null,
    }:
    let
      files = leaves { inherit source system interpreter; } "" index.files;
      # Programs are built; leaves are all files of the store, or all derivations.
      hasBuilt = isAttrs (source "${index.distInfo}/METADATA") || any (file: length file > 3) files;
    in
    run.run {
      name = "${package.name}-${package.version}";
      builder = "tree";
      stored = !hasBuilt;
      inherit system interpreter;
      attributes = {
        inherit (package) version;
        distribution = package.name;
        inherit (index) distInfo;
        dataDir = index.dataDir or "";
        commands = names.pairs (index.scripts.console or { } // index.scripts.gui or { });
        # Named by the tree, so that it is there as long as the tree is: evaluation reads it.
        index = index.path;
        inherit files installer;
      }
      # What the user overrides; absent elsewhere, so that nobody's trees change with it.
      // (if package ? placement then { inherit (package) placement; } else { })
      // (if origin == null then { } else { inherit origin; });
    };

  # ofBuild :: { package, wheel, system, interpreter, origin ? null } -> derivation
  #
  # The tree of a wheel of which nothing is pinned, made of what was built: `wheel`, as buildWheel gives it.
  ofBuild =
    {
      package,
      wheel,
      system,
      interpreter,
      origin ? null,
    }:
    run.run {
      name = "${package.name}-${package.version}";
      builder = "tree";
      inherit system interpreter;
      attributes = {
        inherit (package) version;
        distribution = package.name;
        built = "${wheel}";
        inherit installer;
      }
      // (if package ? placement then { inherit (package) placement; } else { })
      // (if origin == null then { } else { inherit origin; });
    };
}
